/** Payloads as the console shows them: hidden characters, rows of the tree, lines of the raw text. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutText, visibleParts } from "../../../console/payload/visible-text.ts";
import {
  ENTRIES,
  type Json,
  rowsOf,
  setOpen,
  showMore,
  TEXT_LENGTH,
  type TreeRow,
  UNTOUCHED,
} from "../../../console/payload/json-rows.ts";
import { linesOf } from "../../../console/payload/text-lines.ts";

const keysOf = (rows: readonly TreeRow[]) => rows.map(({ key, text }) => `${key}=${text}`);
const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, index]));

Deno.test("characters that change the order of a text are shown by their names", () => {
  assertEquals(visibleParts("invoice\u202Efdp.exe"), [
    { text: "invoice" },
    { text: "U+202E", hidden: "U+202E right-to-left override" },
    { text: "fdp.exe" },
  ]);
});

Deno.test("control characters, zero-width ones, tags and halves of pairs are shown", () => {
  const hidden = ["\0", "\x1b", "\x9f", "\u200b", "\ufeff", "\u{E0041}", "\ud83d", "\u2028"];
  for (const character of hidden) {
    const [before, shown, after] = visibleParts(`a${character}b`);
    assertEquals([before?.text, after?.text], ["a", "b"]);
    assert(shown?.hidden?.startsWith("U+"), JSON.stringify(shown));
  }
});

Deno.test("line feeds, tabs, markup, emoji and other scripts stay as they are", () => {
  for (const text of ["a\n\tb", "<script>alert(1)</script>", "👍 ok", "שלום", "日本語"]) {
    assertEquals(visibleParts(text), [{ text }]);
  }
});

Deno.test("no piece of plain text has a character that is not seen", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    for (const part of visibleParts(text)) {
      assert(part.hidden !== undefined || !/(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}]/u.test(part.text));
    }
  }));
});

Deno.test("a cut keeps pairs whole", () => {
  assertEquals(cutText("ab👍cd", 3), "ab");
  assertEquals(cutText("ab👍cd", 4), "ab👍");
  assertEquals(cutText("ab", 4), "ab");
});

Deno.test("a payload's fields are rows, and what is nested is open while it is short", () => {
  assertEquals(keysOf(rowsOf({ to: "ada", tags: ["a", "b"], none: {} }, UNTOUCHED)), [
    "null=3 fields",
    "to=ada",
    "tags=2 entries",
    "0=a",
    "1=b",
    "none=empty",
  ]);
});

Deno.test("a closed container has no rows below it", () => {
  const state = setOpen(UNTOUCHED, "/tags", false);
  assertEquals(keysOf(rowsOf({ tags: ["a"] }, state)), ["null=1 field", "tags=1 entry"]);
});

Deno.test("of 10,000 keys the first 100 are shown, and then more", () => {
  let state = UNTOUCHED;
  const value = fields(10_000);
  let rows = rowsOf(value, state);
  assertEquals(rows.length, 1 + ENTRIES + 1);
  assertEquals(rows.at(-1)?.text, "9,900 more");
  state = showMore(state, rows.at(-1) as TreeRow);
  rows = rowsOf(value, state);
  assertEquals(rows.at(-1)?.text, "9,000 more");
  assertEquals(rows.at(-2)?.key, "key999");
});

Deno.test("a container that has more to show is not counted as a sibling less", () => {
  const [, first] = rowsOf(fields(10_000), UNTOUCHED);
  assertEquals([first?.place, first?.siblings, first?.level], [1, 10_000, 2]);
});

Deno.test("a text of 1 MB is cut, and says how long it is", () => {
  const rows = rowsOf({ text: "x".repeat(1_000_000) }, UNTOUCHED);
  assertEquals(rows[1]?.text.length, TEXT_LENGTH);
  assertEquals(rows[1]?.size, 1_000_000);
  const more = rowsOf(
    { text: "x".repeat(1_000_000) },
    showMore(UNTOUCHED, rows[1] as TreeRow),
  );
  assertEquals(more[1]?.text.length, 20_500);
});

Deno.test("pointers are unique whatever the keys are", () => {
  const value = JSON.parse('{"a/b":1,"a~1b":2,"__proto__":{"x":1},"":3,"constructor":4}');
  const pointers = rowsOf(value, UNTOUCHED).map(({ pointer }) => pointer);
  assertEquals(new Set(pointers).size, pointers.length);
  assertEquals(rowsOf(value, UNTOUCHED).map(({ key }) => key), [
    null,
    ...["a/b", "a~1b", "__proto__", "x", "", "constructor"],
  ]);
});

Deno.test("a value that is nested 10,000 deep has rows to a depth that a page can show", () => {
  const value: Json = JSON.parse("[".repeat(10_000) + "]".repeat(10_000));
  let state = UNTOUCHED;
  for (let depth = 0, pointer = ""; depth < 300; depth++, pointer += "/0") {
    state = setOpen(state, pointer, true);
  }
  assertEquals(rowsOf(value, state).length, 200);
});

Deno.test("any value has rows, of a number that is bounded", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert(rowsOf(value as Json, UNTOUCHED).length <= 200);
  }));
});

Deno.test("long lines are cut into several, and only the first has the number", () => {
  assertEquals(linesOf("abcdef\ng\n", 4), [
    { number: 1, text: "abcd" },
    { number: null, text: "ef" },
    { number: 2, text: "g" },
    { number: 3, text: "" },
  ]);
});

Deno.test("the lines of a text are the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 9 }), (text, columns) => {
      const lines = linesOf(text, columns);
      const whole = lines.map(({ number, text }, index) => `${number && index ? "\n" : ""}${text}`);
      assertEquals(whole.join(""), text);
    }),
  );
});
