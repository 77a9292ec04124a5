/** The test kit behaves as a project on Postgres, with a clock that only the test moves. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  defineSchedule,
  type HandlerContext,
  snooze,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import {
  createTestMessenger,
  type TestMessengerOptions,
} from "../../../supabase/functions/_shared/symphony/testing.ts";

const now = new Date("2026-01-05T09:30:00Z");

/** A message whose handler does what a test wants. */
const noteOf = (handler: (text: string, ctx: HandlerContext) => unknown) =>
  defineMessage({
    type: "Note",
    schema: z.object({ text: z.string(), tags: z.array(z.string()).default([]) }),
    retry: { maxRetries: 2, delay: 1_000, multiplier: 2 },
    handler: ({ text }, ctx) => handler(text, ctx),
  });

const kitOf = (
  handler: (text: string, ctx: HandlerContext) => unknown = () => {},
  more: Partial<TestMessengerOptions> = {},
) => {
  const Note = noteOf(handler);
  return { Note, t: createTestMessenger({ messages: [Note], now, ...more }) };
};

const texts = (messages: readonly { readonly payload: unknown }[]) =>
  messages.map(({ payload }) => (payload as { text: string }).text);

Deno.test("a dispatched message waits until it is drained, and is handled once", async () => {
  const { t, Note } = kitOf();
  const id = await t.dispatch(Note, { text: "a" });
  assertEquals(texts(t.pending()), ["a"]);
  assertEquals(await t.drain(), { claimed: 1, handled: 1, retried: 0, failed: 0 });
  assertEquals(t.pending(), []);
  assertEquals(t.handled().map((message) => [message.id, message.createdAt]), [[id, now]]);
  assertEquals((await t.drain()).claimed, 0);
});

Deno.test("a retry waits for the clock, and the last failure is a dead letter with every error", async () => {
  const { t, Note } = kitOf((text) => {
    throw new Error(`no ${text}`);
  });
  await t.dispatch(Note, { text: "a" });
  assertEquals(await t.drain(), { claimed: 1, handled: 0, retried: 1, failed: 0 });
  assertEquals((await t.drain()).claimed, 0);
  await t.advance(999);
  assertEquals((await t.drain()).claimed, 0);
  await t.advance(1);
  assertEquals((await t.drain()).retried, 1);
  await t.advance("2s");
  assertEquals(await t.drain(), { claimed: 1, handled: 0, retried: 0, failed: 1 });
  const [letter] = t.failed();
  assertEquals([letter?.reason, letter?.error, letter?.attempts], ["exhausted", "no a", 3]);
  assertEquals(letter?.errors.map(({ at }) => at), [
    "2026-01-05T09:30:00.000Z",
    "2026-01-05T09:30:01.000Z",
    "2026-01-05T09:30:03.000Z",
  ]);
});

Deno.test("messages that handlers dispatch are drained with it", async () => {
  const { t, Note } = kitOf(async (text, ctx) => {
    if (text.length < 3) await ctx.dispatch(Note, { text: `${text}x` });
  });
  await t.dispatch(Note, { text: "x" });
  assertEquals((await t.drain()).handled, 3);
  t.assertDispatched(Note, { text: "xxx" }, { times: 1 });
});

Deno.test("delays, snoozes and times to live follow the clock", async () => {
  let snoozes = 0;
  const { t, Note } = kitOf((text) => text === "later" && snoozes++ === 0 ? snooze("1h") : null);
  await t.dispatch(Note, { text: "delayed" }, { delay: "10m" });
  await t.dispatch(Note, { text: "later" });
  await t.dispatch(Note, { text: "old" }, { delay: "1m", ttl: "5m" });
  assertEquals((await t.drain()).handled, 0);
  await t.advance("10m");
  assertEquals(await t.drain(), { claimed: 2, handled: 1, retried: 0, failed: 1 });
  assertEquals(t.failed().map(({ reason }) => reason), ["expired"]);
  await t.advance("50m");
  await t.drain();
  assertEquals(texts(t.handled()), ["delayed", "later"]);
});

Deno.test("priorities, groups and keys hold as they do in Postgres", async () => {
  const order: string[] = [];
  const { t, Note } = kitOf((text) => {
    order.push(text);
    if (text === "first" && order.length === 1) throw new Error("again");
  }, { config: { workerConcurrency: 1 } });
  const id = await t.dispatch(Note, { text: "first" }, { groupKey: "g", idempotencyKey: "k" });
  assertEquals(
    await t.dispatch(Note, { text: "first" }, { groupKey: "g", idempotencyKey: "k" }),
    id,
  );
  await t.dispatch(Note, { text: "second" }, { groupKey: "g" });
  await t.drain();
  await t.dispatch(Note, { text: "low" });
  await t.dispatch(Note, { text: "urgent" }, { priority: 5 });
  await t.drain();
  await t.advance("1s");
  await t.drain();
  assertEquals(order, ["first", "urgent", "low", "first", "second"]);
  t.assertDispatched(Note, { text: "first" }, { times: 1 });
});

Deno.test("running() shows a message while its handler runs", async () => {
  let seen: unknown[] = [];
  const kit = kitOf(() => {
    seen = [kit.t.running().length, kit.t.pending().length];
  });
  await kit.t.dispatch(kit.Note, { text: "a" });
  await kit.t.drain();
  assertEquals([seen, kit.t.running()], [[1, 0], []]);
});

Deno.test("a drain dispatches due occurrences of schedules and handles them", async () => {
  const Note = noteOf(() => {});
  const hourly = defineSchedule(Note, { text: "hourly" }, {
    name: "hourly",
    type: "cron",
    config: { cron: "0 * * * *" },
  });
  const t = createTestMessenger({ messages: [Note], schedules: [hourly], now });
  await t.advance("30m");
  assertEquals((await t.drain()).handled, 1);
  const [schedule] = await t.scheduler.list();
  assertEquals([schedule?.name, schedule?.declared, schedule?.runCount], ["hourly", true, 1]);
  assertEquals((await t.scheduler.runs(schedule?.id ?? "")).map(({ outcome }) => outcome), [
    "handled",
  ]);
  const id = await t.scheduler.schedule({ type: "Note", payload: { text: "soon" } }, {
    type: "once",
    config: { at: new Date("2026-01-05T10:05:00Z") },
  });
  await t.scheduler.pause(schedule?.id ?? "");
  await t.advance("2h");
  await t.drain();
  assertEquals(texts(t.handled()), ["hourly", "soon"]);
  assertEquals((await t.scheduler.get(id))?.disabledBy, "finished");
});

Deno.test("a handler that uses ctx.supabase without a client fails at once and says what to give", async () => {
  const { t, Note } = kitOf((_, { supabase }) => supabase.from("users"));
  await t.dispatch(Note, { text: "a" });
  await t.drain();
  const [letter] = t.failed();
  assertEquals(letter?.reason, "unrecoverable");
  assertEquals(
    letter?.error,
    "supabase: from was used, but this test has no client; give createTestMessenger({ supabase }) a client or a fake of it",
  );
  const supabase = { from: () => [] } as never;
  const { t: given, Note: Other } = kitOf((_, ctx) => void ctx.supabase.from("users"), {
    supabase,
  });
  await given.dispatch(Other, { text: "a" });
  assertEquals((await given.drain()).handled, 1);
});

Deno.test("middleware stands where it does in the functions", async () => {
  const { t, Note } = kitOf(() => {}, {
    middleware: [{
      dispatch: (message) => ({ ...message, stamps: { ...message.stamps, tenant: "x" } }),
      handle: (ctx, next) => ctx.envelope.stamps.tenant === "x" ? next() : Promise.reject("none"),
    }],
  });
  await t.dispatch(Note, { text: "a" });
  assertEquals((await t.drain()).handled, 1);
});

Deno.test("a failed assertion shows what was dispatched", async () => {
  const { t, Note } = kitOf();
  const empty = assertThrows(() => t.assertDispatched(Note));
  assertEquals(
    String(empty),
    "AssertionError: Note: was dispatched 0 times; expected one or more. Nothing was dispatched.",
  );
  await t.dispatch(Note, { text: "a" });
  await t.dispatch(Note, { text: "b", tags: ["x"] });
  const error = assertThrows(() => t.assertDispatched(Note, { text: "c" }));
  assertEquals(
    String(error),
    `AssertionError: Note with {"text":"c"}: was dispatched 0 times; expected one or more. Dispatched:
  1. Note {"text":"a"}
  2. Note {"text":"b","tags":["x"]}`,
  );
  t.assertDispatched(Note, { tags: ["x"] }, { times: 1 });
  t.assertDispatched(Note, { text: "c" }, { times: 0 });
  assertThrows(() => t.assertDispatched(Note, {}, { times: 3 }), Error, "expected 3");
});

Deno.test("what is wrong with a call is named", async () => {
  const { t, Note } = kitOf();
  const Other = defineMessage({ type: "Other", schema: z.object({}), handler: () => {} });
  assertThrows(() => t.assertDispatched(Other), RangeError, "assertDispatched: Other is not known");
  assertThrows(() => t.assertDispatched(Note, {}, { times: -1 }), RangeError, "times: ");
  await assertRejects(() => t.advance("-5m" as never), RangeError, "advance: ");
  await assertRejects(() => t.drain({ maxMs: 0 }), RangeError, "maxMs: ");
  await assertRejects(() => t.dispatch(Other, {}), Error, "Other");
  const make = (options: object) => () =>
    createTestMessenger({ messages: [Note], ...options } as TestMessengerOptions);
  assertThrows(make({ now: new Date("x") }), RangeError, "now: ");
  assertThrows(make({ schedule: [] }), RangeError, "schedule: no such option; did you mean");
  assertThrows(make({ config: { leaseMS: 5 } }), RangeError, "config: leaseMS: no such option");
  const wrong = defineSchedule(Note, { text: "a" }, {
    name: "wrong",
    type: "cron",
    config: { cron: "0 25 * * *" },
  });
  const declared = createTestMessenger({ messages: [Note], schedules: [wrong], now });
  for (const call of [() => declared.drain(), () => declared.advance("1m")]) {
    await assertRejects(call, RangeError, "config.cron: ");
  }
});

Deno.test("a drain that does not end says why", async () => {
  const untilStopped = (_: string, { signal }: HandlerContext) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const hanging = kitOf(untilStopped);
  await hanging.t.dispatch(hanging.Note, { text: "a" });
  assertEquals(await hanging.t.drain({ maxMs: 300 }), {
    claimed: 1,
    handled: 0,
    retried: 1,
    failed: 0,
  });
  assertEquals(hanging.t.pending()[0]?.interruptions, 1);
  const twice = [hanging.t.drain({ maxMs: 20 }), hanging.t.drain()];
  const refused = await assertRejects(() => Promise.all(twice), Error);
  assertEquals(
    refused.message,
    "drain: another drain is under way; await it before you drain again",
  );
  await Promise.allSettled(twice);
  const late = kitOf(untilStopped, { config: { tickMaxMs: 200 } });
  await late.t.dispatch(late.Note, { text: "a" });
  const error = await assertRejects(() => late.t.drain(), Error);
  assert(error.message.startsWith("drain: was not done after 200 ms"), error.message);
  assert(error.message.includes("running then: Note (id 1)"), error.message);
  const endless = kitOf((text, ctx) => ctx.dispatch(endless.Note, { text }), {
    config: { tickMaxMs: 200 },
  });
  await endless.t.dispatch(endless.Note, { text: "again" });
  await assertRejects(() => endless.t.drain(), Error, "drain: was not done after 200 ms");
});

Deno.test("an unrecoverable error is a dead letter at once, and the hooks are told", async () => {
  const told: string[] = [];
  const Note = defineMessage({
    type: "Note",
    schema: z.object({}),
    handler: () => {
      throw new UnrecoverableError("never");
    },
    onDeadLetter: ({ reason }) => told.push(reason),
  });
  const t = createTestMessenger({ messages: [Note] });
  await t.dispatch(Note, {});
  assertEquals((await t.drain()).failed, 1);
  assertEquals([t.failed()[0]?.error, told], ["never", ["unrecoverable"]]);
});

Deno.test("the counts of a batch are seen from its dispatch to its end, and an unknown id is none", async () => {
  const seen: unknown[] = [];
  let id = "";
  const { t, Note } = kitOf(async (text) => {
    seen.push((await t.batch(id))?.pending);
    if (text === "b") throw new UnrecoverableError("no b");
  });
  const members = ["a", "b"].map((text) => ({ definition: Note, payload: { text } }));
  id = await t.bus.dispatchBatch(members, { name: "notes" });
  await t.drain();
  const batch = await t.batch(id);
  assertEquals([batch?.status, batch?.handled, batch?.failed], ["failed", 1, 1]);
  assertEquals(seen[0], 2);
  assertEquals(await t.batch("999"), null);
});
