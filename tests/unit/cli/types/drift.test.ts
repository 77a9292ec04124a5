/** The changes between a file of generated types and the definitions. */

import { assertEquals } from "@std/assert";
import { describeDrift, driftBetween } from "../../../../cli/types/drift.ts";
import { type DescribedMessage, generatedText } from "../../../../cli/types/generated-text.ts";
import type { JsonSchema } from "../../../../cli/types/json-schema.ts";

const OPEN = { all: false, messages: undefined };
const KIND: JsonSchema = {
  type: "object",
  description: 'It\'s {odd}: a `}` and a "quote".',
  properties: {
    kind: { enum: ["a", "it's", "}"] },
    payload: { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
    "b-c": { anyOf: [{ type: "object", properties: {} }, { type: "null" }] },
  },
  required: ["kind"],
};

function text(messages: Record<string, JsonSchema>): string {
  const described = Object.entries(messages).map(([type, payload]): DescribedMessage => ({
    type,
    isSecret: false,
    payload,
  }));
  return generatedText(described, OPEN);
}

const drift = (before: string, now: string) => describeDrift(driftBetween(before, now));

Deno.test("types that came, went and changed are named", () => {
  const before = text({ Gone: KIND, Kept: KIND, "mail.sent": KIND });
  const now = text({ Kept: KIND, "mail.sent": { type: "string" }, New: KIND });
  assertEquals(drift(before, now), "+ New, - Gone, ~ mail.sent");
  assertEquals(drift(now, now), "");
  assertEquals(drift("", now), "+ Kept, + New, + mail.sent, ~ shared types");
});

Deno.test("a type that several refer to is told apart from the messages", () => {
  const doc = (city: JsonSchema): JsonSchema => ({
    type: "object",
    properties: { to: { $ref: "#/$defs/Address" } },
    $defs: { Address: { type: "object", properties: { city } } },
  });
  assertEquals(
    drift(text({ A: doc(true) }), text({ A: doc({ type: "string" }) })),
    "~ shared types",
  );
});

Deno.test("a formatter's layout is no change, and a changed text within it is", () => {
  const now = text({ "a.b": KIND, Other: { ...KIND, description: "one\ntwo" } });
  const formatted = now.replaceAll("  ", "\t").replaceAll(";\n", "\n").replaceAll("\n", "\r\n")
    .replaceAll('"a.b"', "'a.b'").replaceAll('"it\'s"', "'it\\'s'")
    .replaceAll('kind: "a" |', "kind:\r\n\t\t\t| 'a'\r\n\t\t\t|");
  assertEquals(formatted === now, false);
  assertEquals(drift(formatted, now), "");
  assertEquals(drift(formatted.replace("'a'", "'A'"), now), "~ Other");
});

Deno.test("parentheses and arrays count", () => {
  const list: JsonSchema = { type: "array", items: { type: ["string", "number"] } };
  const other: JsonSchema = {
    anyOf: [{ type: "string" }, { type: "array", items: { type: "number" } }],
  };
  assertEquals(drift(text({ A: list }), text({ A: other })), "~ A");
});
