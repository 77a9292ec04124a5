/** Filters of lists: in the address, as typed, and what is suggested. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Filter,
  type FilterField,
  problemsOfQuery,
  readFilter,
  toMoment,
  toRequest,
  withField,
} from "../../../console/filters/filter-fields.ts";
import { settle, suggest } from "../../../console/filters/filter-suggestions.ts";

const FIELDS: readonly FilterField[] = [
  { name: "type", label: "type", hint: "message type", kind: "text" },
  { name: "queue", label: "queue", hint: "name of the queue", kind: "text" },
  {
    name: "reason",
    label: "reason",
    hint: "why it was given up",
    kind: "choice",
    choices: ["exhausted", "expired"],
  },
  { name: "error", label: "error", hint: "part of the error", kind: "text", takesAnyText: true },
  { name: "failedFrom", label: "since", hint: "failed at this time or later", kind: "moment" },
];
const KNOWN = {
  type: [{ value: "EmailMessage", note: "12" }, { value: "WebhookMessage" }],
  queue: [{ value: "mail" }],
};
const NOW = Date.parse("2026-11-27T12:00:00Z");

Deno.test("a filter is in the address", () => {
  assertEquals(readFilter(FIELDS, "queue=mail&type=EmailMessage"), {
    type: "EmailMessage",
    queue: "mail",
  });
});

Deno.test("an address of another release loses only what is unknown", () => {
  assertEquals(
    readFilter(FIELDS, "type=A&flavour=3&reason=bored&failedFrom=never&queue="),
    { type: "A" },
  );
});

Deno.test("a value that cannot be read is told, because the list without it is wider than the link's", () => {
  assertEquals(problemsOfQuery(FIELDS, "type=A&flavour=3&failedFrom=2h"), []);
  assertEquals(problemsOfQuery(FIELDS, "reason=bored&failedFrom=yesterday"), [
    "reason: has to be one of exhausted, expired",
    "since: has to be a time ago such as 30m, 2h or 7d, or an ISO time",
  ]);
});

Deno.test("any text that can be a value survives the address", () => {
  const texts = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 })
    .filter((text) => text.trim() !== "");
  fc.assert(fc.property(texts, (error) => {
    assertEquals<Filter>(readFilter(FIELDS, new URLSearchParams({ error }).toString()), { error });
  }));
});

Deno.test("a field is set and removed", () => {
  assertEquals(withField({ type: "A" }, "queue", "mail"), { type: "A", queue: "mail" });
  assertEquals(withField({ type: "A", queue: "mail" }, "type", null), { queue: "mail" });
});

Deno.test("times ago stay relative in the address, and become exact in a request", () => {
  assertEquals(toRequest(FIELDS, { failedFrom: "2h", type: "A" }, NOW), {
    type: "A",
    failedFrom: "2026-11-27T10:00:00.000Z",
  });
  assertEquals(toMoment("7d", NOW), "2026-11-20T12:00:00.000Z");
  assertEquals(toMoment("2026-11-22", NOW), "2026-11-22T00:00:00.000Z");
  assertEquals(toMoment("2026-11-22T10:00", NOW), "2026-11-22T10:00:00.000Z");
  assertEquals(toMoment("2026-11-22T10:00:00+02:00", NOW), "2026-11-22T08:00:00.000Z");
  assertEquals(toMoment("2026-13-22", NOW), null);
  assertEquals(toMoment("soon", NOW), null);
});

Deno.test("an empty bar suggests the fields that are not set", () => {
  const texts = suggest(FIELDS, KNOWN, { type: "A" }, "").map(({ text }) => text);
  assertEquals(texts, ["queue:", "reason:", "error:", "since:"]);
});

Deno.test("a field's name and a colon suggest its values, those that begin so first", () => {
  assertEquals(suggest(FIELDS, KNOWN, {}, "type:"), [
    { text: "type:EmailMessage", sets: { name: "type", value: "EmailMessage" }, note: "12" },
    {
      text: "type:WebhookMessage",
      sets: { name: "type", value: "WebhookMessage" },
      note: "message type",
    },
  ]);
  const choices = suggest(FIELDS, KNOWN, {}, "reason:exp").map(({ text }) => text);
  assertEquals(choices, ["reason:expired"]);
});

Deno.test("a value that is not known can be typed too", () => {
  assertEquals(suggest(FIELDS, KNOWN, {}, "queue:slow")[0]?.sets, { name: "queue", value: "slow" });
});

Deno.test("a text without a field is searched in all of them", () => {
  const texts = suggest(FIELDS, KNOWN, {}, "mail").map(({ text }) => text);
  assertEquals(texts, ["error:mail", "type:EmailMessage", "queue:mail"]);
});

Deno.test("Enter sets what was typed, or says what is wrong", () => {
  assertEquals(settle(FIELDS, "timeout after 30 s"), {
    name: "error",
    value: "timeout after 30 s",
  });
  assertEquals(settle(FIELDS, "since:2h"), { name: "failedFrom", value: "2h" });
  assertEquals(settle(FIELDS, "reason:bored"), {
    problem: "reason: has to be one of exhausted, expired",
  });
  assertEquals(settle(FIELDS, "error: connect ECONNREFUSED 10.0.0.1:25"), {
    name: "error",
    value: "connect ECONNREFUSED 10.0.0.1:25",
  });
});
