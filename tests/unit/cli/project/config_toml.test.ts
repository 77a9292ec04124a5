/** Settings in TOML texts: whatever the formatting, the old settings stay and ours come, or nothing is written. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonical, withValue } from "../../../../cli/project/config-entry.ts";
import { addToToml, parseToml, removeFromToml } from "../../../../cli/project/config-toml.ts";
import { entriesOf } from "../../../../cli/init/plan-init.ts";
import { itemsOf } from "../../../../cli/project/toml-items.ts";

const ENTRIES = entriesOf("");
const REMOVED = ENTRIES.map(({ path }) => path[0] === "functions" ? path.slice(0, 2) : path);

const cases: [name: string, text: string, expected: string | null][] = [
  ["an empty file", "", "[functions.dispatch]\nverify_jwt = false\n"],
  [
    "a file without an end of line",
    'a = "b"',
    'a = "b"\n\n[functions.dispatch]\nverify_jwt = false\n',
  ],
  [
    "a table that is there, with comments",
    "[functions.dispatch] # ours\nenabled = true # yes\n\n# next\n[api]\n",
    "[functions.dispatch] # ours\nenabled = true # yes\nverify_jwt = false\n\n# next\n[api]\n",
  ],
  [
    "a quoted header",
    "[ \"functions\" . 'dispatch' ]\nenabled = true\n",
    "[ \"functions\" . 'dispatch' ]\nenabled = true\nverify_jwt = false\n",
  ],
  [
    "a header in a string",
    "a = \"\"\"\n[functions.dispatch]\n\"\"\"\nb = '''\n[functions.dispatch]\n'''\n",
    "a = \"\"\"\n[functions.dispatch]\n\"\"\"\nb = '''\n[functions.dispatch]\n'''\n\n[functions.dispatch]\nverify_jwt = false\n",
  ],
  [
    "a dotted key",
    "[functions]\ndispatch.enabled = true\n",
    "[functions]\ndispatch.enabled = true\ndispatch.verify_jwt = false\n",
  ],
  [
    "an inline table",
    "[functions]\ndispatch = { enabled = true }\n",
    "[functions]\ndispatch = { verify_jwt = false, enabled = true }\n",
  ],
  [
    "an empty inline table",
    "functions.dispatch = {}\n",
    "functions.dispatch = { verify_jwt = false }\n",
  ],
  [
    "an inline table of all functions",
    "functions = { a = {} } # all\n",
    "functions = { dispatch.verify_jwt = false, a = {} } # all\n",
  ],
  [
    "an inline table in an inline table",
    "functions = { a = { x = '}' }, dispatch = { enabled = true } }\n",
    "functions = { a = { x = '}' }, dispatch = { verify_jwt = false, enabled = true } }\n",
  ],
  ["a table in an array", "[[functions]]\nname = 1\n", null],
  ["Windows line ends", "a = 1\r\n", "a = 1\r\n\r\n[functions.dispatch]\r\nverify_jwt = false\r\n"],
  [
    "a byte order mark",
    "\uFEFFa = 1\n",
    "\uFEFFa = 1\n\n[functions.dispatch]\nverify_jwt = false\n",
  ],
];
for (const [name, text, expected] of cases) {
  Deno.test(`${name} ${expected === null ? "is left alone" : "gets the setting as text"}`, () => {
    assertEquals(addToToml(text, ENTRIES.slice(0, 1)), expected);
  });
}

const key = fc.constantFrom(
  "a",
  "b-c",
  '"functions.dispatch"',
  "'[db.vault]'",
  "verify_jwt",
  '"ä"',
);
const value = fc.constantFrom(
  "1",
  "true",
  '"[functions.dispatch]"',
  "'# no comment'",
  '"""\n[functions.tick]\nverify_jwt = true\n"""',
  "'''\n[db.vault]\n'''",
  "[\n  1, # one ]\n  2,\n]",
  '{ x = "}", y = [1] }',
  "1979-05-27T07:32:00Z",
  "0x10",
  '"\\"]"',
  "nan",
);
const comment = fc.constantFrom("", " # comment", "  # [functions.dispatch]", '\t# "quote');
const header = fc.constantFrom(
  "[db]",
  "[db.vault]",
  '["db"."vault"]',
  "[functions.dispatch]",
  "[ functions . 'tick' ]",
  "[functions]",
  "[functions.mine]",
  "[api]",
  "[[list]]",
  "[remotes.branch.functions.dispatch]",
);
const line = fc.oneof(
  fc.tuple(key, value, comment).map(([k, v, c]) => `${k} = ${v}${c}`),
  fc.tuple(header, comment).map(([h, c]) => h + c),
  fc.constantFrom(
    "",
    "# a comment",
    "   ",
    "dispatch.enabled = true",
    "tick = { enabled = true }",
    "vault = { x = '1' }",
    "db = { port = 1, vault.x = '}' }",
    "functions = { mine = { enabled = true }, tick = {} }",
  ),
);
const toml = fc.tuple(
  fc.array(line, { maxLength: 14 }),
  fc.constantFrom("\n", "\r\n"),
  fc.boolean(),
  fc.boolean(),
).map(([lines, newline, hasMark, hasEnd]) =>
  (hasMark ? "\uFEFF" : "") + lines.join("\n").replaceAll("\n", newline) + (hasEnd ? newline : "")
).filter((text) => {
  try {
    parseToml(text);
    return true;
  } catch {
    return false;
  }
});

Deno.test("of any text, what was there stays as it was, and ours is there, or nothing is written", () => {
  let written = 0;
  fc.assert(
    fc.property(toml, (text) => {
      const result = addToToml(text, ENTRIES);
      if (result === null) return;
      written++;
      const before = parseToml(text);
      const missing = ENTRIES.filter(({ path }) => !has(before, path));
      const expected = missing.reduce(
        (all, { path, value }) => withValue(all, path, value),
        before,
      );
      assertEquals(canonical(parseToml(result)), canonical(expected));
      assert(isSubsequence(text, result), "a character was lost or moved");
      if (text.includes("\r\n")) assertEquals(/[^\r]\n/.test(result), false);
      assertEquals(addToToml(result, ENTRIES), result);
    }),
    { numRuns: 500 },
  );
  assert(written > 200, `only ${written} texts were written`);
});

Deno.test("of any text, what was inserted can be taken out again", () => {
  fc.assert(
    fc.property(toml, (text) => {
      const before = parseToml(text);
      if (REMOVED.some((path) => has(before, path))) return;
      const added = addToToml(text, ENTRIES);
      const removed = added && removeFromToml(added, REMOVED);
      if (removed) assertEquals(canonical(filled(parseToml(removed))), canonical(filled(before)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("taking ours out leaves the comments and tables of the user's", () => {
  const text = "a = 1 # one\n\n[db]\nport = 1\n# end\n";
  const added = addToToml(text, ENTRIES) ?? "";
  assertEquals(removeFromToml(added, REMOVED), text);
});

const kept: [string, string][] = [
  ["an inline table", "[db]\nvault = { a = 'b' } # mine\n"],
  ["an inline table of inline tables", "db = { port = 1, vault = { a = ',' } }\n"],
  ["commented settings below a header", "[db.vault]\n# symphony_url = 'mine'\n\n[api]\nport = 1\n"],
];
for (const [what, text] of kept) {
  Deno.test(`taking ours out leaves ${what} as it was`, () => {
    assertEquals(removeFromToml(addToToml(text, ENTRIES) ?? "", REMOVED), text);
  });
}

Deno.test("the items of a text cover it without a gap in their order", () => {
  fc.assert(fc.property(toml, (text) => {
    const body = text.replace(/^\uFEFF/, "");
    let end = 0;
    for (const item of itemsOf(body)) {
      assert(item.start >= end && item.end > item.start);
      end = item.end;
    }
  }));
});

function has(document: unknown, path: readonly string[]): boolean {
  let value = document;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return false;
    value = (value as Record<string, unknown>)[name];
  }
  return true;
}

/** Without tables that hold nothing: one that was empty before goes with what was put into it. */
function filled(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, filled(inner)] as const)
    .filter(([, inner]) => canonical(inner) !== "{}");
  return Object.fromEntries(entries);
}

/** Whether the text is the result with some of its characters left out. */
function isSubsequence(text: string, result: string): boolean {
  let at = 0;
  for (const char of result) if (char === text.charAt(at)) at++;
  return at === text.length;
}
