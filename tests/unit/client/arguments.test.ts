/** Arguments of a wrong kind: the client names them and sends nothing, and no list or Map passes for options. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createBatches,
  createDispatcher,
  createMessengerClient,
  MessengerError,
} from "../../../client/mod.ts";
import { fakeSupabase } from "../../support/fake_supabase.ts";

// deno-lint-ignore no-explicit-any -- callers without types
type Untyped = any;

const wrong: [string, unknown][] = [
  ["null", null],
  ["a number", 5],
  ["an array with options", Object.assign([], { delay: "1h" })],
  ["a Map", new Map([["delay", "1h"]])],
  ["a Date", new Date()],
];
for (const [what, value] of wrong) {
  const given = value as Untyped;

  Deno.test(`the client refuses ${what} in place of options or of a list, and sends nothing`, async () => {
    const { supabase, requests } = fakeSupabase(() => ({}), "ann");
    const client: Untyped = createMessengerClient(supabase);
    const batches: Untyped = createBatches(supabase);
    const calls: [string, () => Promise<unknown>][] = [
      ["options", () => client.dispatch("Any", 1, given)],
      ["messages", () => client.dispatchAll([given])],
      ["options", () => client.dispatchAll([{ type: "Any", payload: 1 }], given)],
      ["options", () => client.list(given)],
      ["options", () => client.status("1", given)],
      ["options", async () => await client.follow("1", given).next()],
      ["options", () => client.finished("1", given)],
      ["schedule", () => client.schedules.create("Any", 1, given)],
      ["options", () => client.schedules.list(given)],
      ["options", () => batches.create([], given)],
      ["options", () => batches.list(given)],
      ["options", async () => await batches.follow("1", given).next()],
      ["options", () => batches.finished("1", given)],
    ];
    if (!Array.isArray(value)) {
      calls.push(["messages", () => client.dispatchAll(given)]);
      calls.push(["messages", () => batches.create(given, { name: "b" })]);
      calls.push(["ids", () => client.statuses(given)]);
    }
    for (const [field, call] of calls) {
      const { code, issues } = await assertRejects(call, MessengerError);
      assertEquals([code, issues[0]?.path], ["invalid", [field]]);
    }
    for (const make of [createMessengerClient, createDispatcher, createBatches]) {
      assertThrows(() => make(supabase, given), MessengerError, "options: has to be an Object");
    }
    assertEquals(requests, []);
  });
}

const noClients = [null, undefined, 5, "https://example.supabase.co", [], {}, { auth: {} }];
for (const value of [...noClients, { functions: null }, { functions: "v1" }]) {
  Deno.test(`${Deno.inspect(value)} in place of a supabase-js client is refused when a client is made over it`, () => {
    for (const make of [createMessengerClient, createDispatcher, createBatches]) {
      const { code, issues } = assertThrows(() => make(value as Untyped), MessengerError);
      assertEquals([code, issues[0]?.path], ["invalid", ["supabase.functions"]]);
    }
  });
}

Deno.test("an array with further properties in a payload is refused with its path", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"] }));
  const client = createDispatcher(supabase);
  const list = "a1".match(/\d/);
  const { issues } = await assertRejects(() => client.dispatch("Any", { list }), MessengerError);
  assertEquals([issues[0]?.path, requests], [["payload", "list"], []]);
});

Deno.test("a payload with a symbol as a key is refused with its path, and marks of frameworks are none", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"] }));
  const client = createDispatcher(supabase);
  for (const [what, value] of [["object", {}], ["list", []]] as const) {
    const payload = { [what]: Object.assign(value, { [Symbol("mark")]: 1 }) };
    const { issues } = await assertRejects(() => client.dispatch("Any", payload), MessengerError);
    assertEquals([issues[0]?.path, requests], [["payload", what], []]);
  }
  // MobX and Vue 2 mark what they observe.
  const observed = Object.defineProperty({ a: 1 }, Symbol("mark"), { value: 1 });
  const list = Object.defineProperty([1], "mark", { value: 1 });
  await client.dispatch("Any", { observed, list });
  assertEquals(requests[0]?.body, { type: "Any", payload: { observed: { a: 1 }, list: [1] } });
});

Deno.test("properties that a page adds to all objects are no options", () => {
  const prototype: Untyped = Object.prototype;
  prototype.added = true;
  try {
    const { supabase } = fakeSupabase(() => ({}));
    for (const make of [createMessengerClient, createDispatcher, createBatches]) make(supabase);
  } finally {
    delete prototype.added;
  }
});

Deno.test("an option of batches that is not known is refused by name", () => {
  const { supabase } = fakeSupabase(() => ({}));
  const given: Untyped = { retrys: 1 };
  assertThrows(() => createBatches(supabase, given), MessengerError, "retrys: no such option");
});
