/** A payload that an operator edits: its fields, its text, and the issues of its schema at their places. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  draftOf,
  fieldsOf,
  issuesOf,
  offsetOf,
  payloadIssues,
  readDraft,
  withDraftField,
} from "../../../console/payload/payload-draft.ts";
import type { Json } from "../../../console/payload/json-rows.ts";

const MAIL = { to: "ada@example", template: "welcome", tries: 3, urgent: true, tags: ["a", "b"] };
const SCHEMA = {
  properties: {
    to: { type: "string", format: "email", description: "Recipient" },
    subject: { type: "string" },
    template: { type: "string", enum: ["welcome", "digest"] },
  },
};

Deno.test("each field of a payload has its kind, and the schema's fields that it lacks are offered", () => {
  assertEquals(fieldsOf(MAIL, SCHEMA), [
    { name: "to", kind: "text", text: "ada@example", hint: "Recipient, string, email" },
    { name: "template", kind: "text", text: "welcome", hint: "one of welcome, digest" },
    { name: "tries", kind: "json", text: "3", hint: "" },
    { name: "urgent", kind: "flag", text: "true", hint: "" },
    { name: "tags", kind: "json", text: '[\n  "a",\n  "b"\n]', hint: "" },
    { name: "subject", kind: "text", text: null, hint: "string" },
  ]);
});

Deno.test("a payload that is no object, or too large, has no form", () => {
  const large = Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`k${index}`, 1]));
  for (const value of [[1], "text", null, 3, large, { text: "x".repeat(20_001) }] as Json[]) {
    assertEquals(fieldsOf(value, null), null);
  }
});

Deno.test("a schema of any content does no harm", () => {
  fc.assert(fc.property(fc.jsonValue(), (schema) => {
    fieldsOf({ a: 1 }, schema);
    fieldsOf({ a: 1 }, { properties: schema });
    fieldsOf({ a: 1 }, { properties: { a: schema } });
  }));
});

Deno.test("a field is set in its place, added at the end, and removed", () => {
  const set = (name: string, kind: "text" | "json" | "flag", text: string | null) =>
    withDraftField({ a: 1, b: 2 }, { name, kind }, text);
  assertEquals(JSON.stringify(set("a", "text", "5")), '{"value":{"a":"5","b":2}}');
  assertEquals(JSON.stringify(set("a", "json", "5")), '{"value":{"a":5,"b":2}}');
  assertEquals(JSON.stringify(set("c", "flag", "true")), '{"value":{"a":1,"b":2,"c":true}}');
  assertEquals(JSON.stringify(set("a", "text", null)), '{"value":{"b":2}}');
  assertEquals(set("a", "json", "five"), { problem: "a: is no JSON" });
});

Deno.test("a text that is no JSON says where", () => {
  assertEquals(readDraft('{\n  "to": x\n}'), { problem: "payload: is no JSON" });
  assertEquals(readDraft('{\n  "to": 1 2\n}'), {
    problem: "payload: is no JSON (line 2, column 11)",
  });
  assertEquals(readDraft(" "), { problem: "payload: is empty; has to be JSON" });
});

Deno.test("an issue of the schema belongs to its field", () => {
  const issues = payloadIssues([
    { path: ["payload", "to"], message: "Invalid email address" },
    { path: ["payload", "tags", 1], message: "is empty" },
    { path: ["payload"], message: "is wrong" },
    { path: ["toQueue"], message: "is too long" },
  ]);
  assertEquals(issuesOf(issues, "to"), ["Invalid email address"]);
  assertEquals(issuesOf(issues, "tags"), ["1: is empty"]);
  assertEquals(issuesOf(issues, ""), ["is wrong"]);
  assertEquals(issues.length, 3);
});

Deno.test("the place of an issue is found in the text", () => {
  const text = draftOf({ ...MAIL, nested: { 'a"b': [{ x: 1 }, { x: [2] }] } });
  const at = (...path: (string | number)[]) => text.slice(offsetOf(text, path)).split("\n")[0];
  assertEquals(at("to"), '"ada@example",');
  assertEquals(at("tags", 1), '"b"');
  assertEquals(at("nested", 'a"b', 1, "x", 0), "2");
  assertEquals(at("nested", "missing"), "{");
  assertEquals(at("missing"), "{");
});

Deno.test("every value of any JSON is found at its path", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.infiniteStream(fc.nat()), (value, choices) => {
    const text = draftOf(value);
    const path: string[] = [];
    let inner: unknown = value;
    for (const choice of choices) {
      if (typeof inner !== "object" || inner === null) break;
      const keys = Object.keys(inner);
      const key = keys[choice % Math.max(1, keys.length)];
      if (key === undefined) break;
      path.push(key);
      inner = (inner as Record<string, unknown>)[key];
    }
    const begin = JSON.stringify(inner).slice(0, 1);
    assertEquals(text.slice(offsetOf(text, path))[0], begin);
  }));
});
