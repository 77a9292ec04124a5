/** Settings in config.json and config.jsonc: comments, indents, line ends and a byte order mark stay. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { entriesOf } from "../../../../cli/init/plan-init.ts";
import {
  addToJson,
  JsonTextError,
  parseJsonc,
  removeFromJson,
} from "../../../../cli/project/config-json.ts";

const ENTRIES = entriesOf("");
const REMOVED = ENTRIES.map(({ path }) => path[0] === "functions" ? path.slice(0, 2) : path);

Deno.test("comments, trailing commas and tabs stay", () => {
  const text =
    '{\n\t// mine\n\t"project_id": "p", /* yes */\n\t"functions": {\n\t\t"a": {},\n\t},\n}\n';
  const added = addToJson(text, ENTRIES.slice(0, 1)) ?? "";
  assertEquals(
    added,
    '{\n\t// mine\n\t"project_id": "p", /* yes */\n\t"functions": {\n\t\t"a": {},\n\t\t"dispatch": {\n\t\t\t"verify_jwt": false\n\t\t},\n\t},\n}\n',
  );
});

Deno.test("Windows line ends and a byte order mark stay", () => {
  const added = addToJson('\uFEFF{\r\n  "project_id": "p"\r\n}\r\n', ENTRIES) ?? "";
  assertEquals(added.startsWith("\uFEFF{\r\n"), true);
  assertEquals(/[^\r]\n/.test(added), false);
});

for (const [text, line] of [["{", 1], ['{\n"a": 1\n"b" 2}', 3], ["[]", 1], ["", 1]] as const) {
  Deno.test(`${JSON.stringify(text)} is refused with its line`, () => {
    assertEquals(assertThrows(() => parseJsonc(text), JsonTextError).line, line);
  });
}

const object = fc.dictionary(
  fc.constantFrom("a", "functions", "db", "dispatch", "vault", "tick"),
  fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom("dispatch", "vault", "x"), fc.jsonValue()),
  ),
);

Deno.test("of any object, the rest stays and ours is there, or nothing is written; taken out again, it is as before", () => {
  fc.assert(fc.property(object, fc.constantFrom(0, 2, "\t"), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    const added = addToJson(text, ENTRIES);
    if (added === null) return;
    const before = parseJsonc(text);
    const after = parseJsonc(added);
    for (const [key, inner] of Object.entries(before)) {
      if (!["functions", "db"].includes(key)) assertEquals(after[key], inner);
    }
    for (const { path } of ENTRIES) {
      assertEquals(
        path.reduce<unknown>((all, name) => (all as Record<string, unknown>)[name], after) !==
          undefined,
        true,
      );
    }
    assertEquals(addToJson(added, ENTRIES), added);
    const removed = removeFromJson(added, REMOVED);
    if (!("functions" in before || "db" in before)) assertEquals(removed, text);
  }));
});

for (
  const [what, text, added, left = text] of [
    ["an empty object", "{}", '{\n  "db": {\n    "port": true\n  }\n}'],
    ["one line", '{"a":{"b":[1]}}', '{"a":{"b":[1]},"db":{"port":true}}'],
    ["one line with blanks", '{ "a": [1, 2] }\n', '{ "a": [1, 2], "db": {"port":true} }\n'],
    [
      "an object on one line",
      '{\n  "db": { "x": [1] } // mine\n}',
      '{\n  "db": { "x": [1], "port": true } // mine\n}',
    ],
    ["an empty object in a line", '{"db":{}}', '{"db":{"port":true}}', "{}"],
    [
      "an empty object below others",
      '{\n  "db": {},\n}',
      '{\n  "db": {\n    "port": true\n  },\n}',
      "{}",
    ],
    [
      "arrays as they were typed",
      '{\n  "a": [1,2,\n 3]\n}',
      '{\n  "a": [1,2,\n 3],\n  "db": {\n    "port": true\n  }\n}',
    ],
    [
      "a comment behind the last value",
      '{\n  "a": 1 // mine\n}',
      '{\n  "a": 1, // mine\n  "db": {\n    "port": true\n  }\n}',
    ],
    [
      "a comment behind the last comma",
      '{\n  "a": 1, // mine\n  /* , */\n}',
      '{\n  "a": 1, // mine\n  /* , */\n  "db": {\n    "port": true\n  },\n}',
    ],
  ] as const
) {
  Deno.test(`${what}: a setting is added without a change to the rest, and taken out again`, () => {
    const path = ["db", "port"];
    assertEquals(addToJson(text, [{ path, value: true }]), added);
    assertEquals(removeFromJson(added, [path]), left);
  });
}

Deno.test("comments of the user's beside a setting stay when it is taken out", () => {
  const text =
    '{\n  "a": 1, // one\n  // two\n  "db": { "port": 1, /* three */ "x": 2 },\n  "b": 2 // four\n}';
  assertEquals(
    removeFromJson(text, [["db", "port"]]),
    text.replace('"port": 1, ', ""),
  );
  assertEquals(removeFromJson(text, [["b"]]), text.replace('},\n  "b": 2', "}"));
});
