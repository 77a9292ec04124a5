/** Declarations of events: what is refused, and what a key's parts are. */

import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  createEventRegistry,
  defineEvent,
  partsOf,
} from "../../../supabase/functions/_shared/symphony/message/event.ts";

const schema = z.object({ ok: z.boolean() });

Deno.test("an event is closed to frontends unless its declaration opens it", () => {
  assertEquals(defineEvent({ name: "approved", schema }).access, "secret");
});

// deno-lint-ignore no-explicit-any
const wrong: [what: string, options: any, text: string][] = [
  ["a name with a colon", { name: "a:b", schema }, "a:b: name: has to have no colon"],
  ["an empty name", { name: "", schema }, "event: name: has to be 1 to 100 letters"],
  ["a name of the bus", { name: "messenger.x", schema }, "may not begin with messenger."],
  ["no schema", { name: "a" }, "a: schema: has to be a zod schema"],
  ["an unknown access", { name: "a", schema, access: "all" }, "a: access: has to be 'secret'"],
  [
    "a rate limit of no period",
    { name: "a", schema, rateLimit: { perUser: { max: 1 } } },
    "a: rateLimit: perUser: per",
  ],
  ["a misspelled option", { name: "a", schema, acces: "secret" }, "did you mean access?"],
];
for (const [what, options, text] of wrong) {
  Deno.test(`an event with ${what} is refused`, () => {
    assertThrows(() => defineEvent(options), RangeError, text);
  });
}

Deno.test("two events of one name are refused", () => {
  const one = defineEvent({ name: "approved", schema });
  assertThrows(
    () => createEventRegistry([one, one]),
    RangeError,
    "events: two definitions have the name approved",
  );
});

Deno.test("an event's key begins behind the first colon", () => {
  assertEquals(partsOf("approved"), { name: "approved", key: null });
  assertEquals(partsOf("approved:42"), { name: "approved", key: "42" });
  assertEquals(partsOf("approved:a:b"), { name: "approved", key: "a:b" });
});
