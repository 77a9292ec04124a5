/** Sleep: a parked message holds nothing, and continues behind its pause. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  DurableUsageError,
  type HandlerContext,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

const START = new Date("2026-01-01T00:00:00Z");

function sleeper(handler: (ctx: HandlerContext) => Promise<unknown>, more = {}) {
  const Sleeper = defineMessage({
    type: "Sleeper",
    schema: z.object({}),
    handler: (_payload, ctx) => handler(ctx),
    ...more,
  });
  return { Sleeper, t: createTestMessenger({ messages: [Sleeper], now: START }) };
}

Deno.test("a message sleeps for days between two steps, and no attempt is charged", async () => {
  const notes: unknown[] = [];
  const { t, Sleeper } = sleeper(async (ctx) => {
    await ctx.step("before", () => void notes.push("before"));
    await ctx.sleep("3d");
    await ctx.step("after", () => void notes.push("after"));
    notes.push(ctx.attempt);
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  assertEquals(notes, ["before"]);
  assertEquals(t.pending().map(({ availableAt }) => availableAt), [
    new Date("2026-01-04T00:00:00Z"),
  ]);
  await t.advance("2d");
  await t.drain();
  assertEquals(notes, ["before"]);
  await t.advance("1d");
  await t.drain();
  assertEquals(notes, ["before", "after", 1]);
  assertEquals(t.handled().length, 1);
});

Deno.test("a message sleeps until a moment, and one that is over does not let it sleep", async () => {
  const { t, Sleeper } = sleeper(async (ctx) => {
    await ctx.sleepUntil(new Date("2026-01-02T12:00:00Z"));
    await ctx.sleepUntil(new Date("2026-01-01T12:00:00Z"));
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  await t.advance("1d");
  await t.drain();
  assertEquals(t.pending().map(({ availableAt }) => availableAt), [
    new Date("2026-01-02T12:00:00Z"),
  ]);
  await t.advance("12h");
  await t.drain();
  assertEquals(t.handled().length, 1);
});

Deno.test("sleeps in a loop are one after the other", async () => {
  let rounds = 0;
  const { t, Sleeper } = sleeper(async (ctx) => {
    for (let n = 0; n < 3; n++) {
      await ctx.step("round", () => void rounds++);
      await ctx.sleep("1h");
    }
  });
  await t.dispatch(Sleeper, {});
  for (let n = 1; n <= 3; n++) {
    await t.drain();
    assertEquals(rounds, n);
    await t.advance("1h");
  }
  await t.drain();
  assertEquals(t.handled().length, 1);
});

Deno.test("steps beside a sleep end before the message is parked", async () => {
  const notes: string[] = [];
  const { t, Sleeper } = sleeper(async (ctx) => {
    await Promise.all([
      ctx.sleep("1d"),
      (async () => {
        await ctx.step("a", () => new Promise((done) => setTimeout(done, 5)));
        await ctx.step("b", () => void notes.push("b"));
      })(),
    ]);
    notes.push("both");
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  assertEquals(notes, ["b"]);
  await t.advance("1d");
  await t.drain();
  assertEquals(notes, ["b", "both"]);
});

Deno.test("a second pending sleep throws and names both", async () => {
  const notes: string[] = [];
  const { t, Sleeper } = sleeper(async (ctx) => {
    const first = ctx.sleepUntil(new Date("2027-01-01"));
    notes.push((await assertRejects(() => ctx.sleep("1d"), DurableUsageError)).message);
    await first;
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  assertEquals(notes, [
    "ctx.sleep: cannot begin while ctx.sleepUntil is pending; a message sleeps or waits for one thing at a " +
    "time, await the first one before",
  ]);
  assertEquals(t.pending().map(({ availableAt }) => availableAt), [new Date("2027-01-01")]);
});

Deno.test("a time to live ends with the first durable write", async () => {
  const { t, Sleeper } = sleeper(async (ctx) => {
    await ctx.sleep("1d");
  }, { ttl: "1h" });
  await t.dispatch(Sleeper, {});
  await t.drain();
  await t.advance("1d");
  await t.drain();
  assertEquals([t.handled().length, t.failed().length], [1, 0]);
});

Deno.test("a sleeper keeps its place in its group, and leaves it where it says so", async () => {
  for (const [leaveGroup, handled] of [[false, 0], [true, 1]] as const) {
    const { t, Sleeper } = sleeper(async (ctx) => {
      if (ctx.envelope.priority === 1) await ctx.sleep("1d", { leaveGroup });
    });
    await t.dispatch(Sleeper, {}, { groupKey: "g", priority: 1 });
    await t.dispatch(Sleeper, {}, { groupKey: "g" });
    await t.drain();
    assertEquals(t.handled().length, handled);
    await t.advance("1d");
    await t.drain();
    assertEquals(t.handled().length, 2);
  }
});

Deno.test("middleware's next resolves when the message parks", async () => {
  const notes: string[] = [];
  const Sleeper = defineMessage({
    type: "Sleeper",
    schema: z.object({}),
    handler: (_payload, ctx) => ctx.sleep("1d"),
  });
  const t = createTestMessenger({
    messages: [Sleeper],
    now: START,
    middleware: [{ handle: (_ctx, next) => next().then(() => void notes.push("resolved")) }],
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  assertEquals([notes, t.pending().length], [["resolved"], 1]);
});

Deno.test("a sleep until a moment of the past returns at once, in the same run", async () => {
  const runs: number[] = [];
  const { t, Sleeper } = sleeper(async (ctx) => {
    runs.push(1);
    await ctx.sleepUntil(new Date("2025-12-31T23:59:59Z"));
    await ctx.sleepUntil(new Date("2026-01-01T00:00:00Z"));
  });
  await t.dispatch(Sleeper, {});
  await t.drain();
  assertEquals([runs, t.handled().length], [[1], 1]);
});

Deno.test("a message sleeps for 400 days, and until the moment that far ahead", async () => {
  for (const call of ["sleep", "sleepUntil"] as const) {
    const { t, Sleeper } = sleeper(async (ctx) => {
      if (call === "sleep") await ctx.sleep("400d");
      else await ctx.sleepUntil(new Date("2027-02-05T00:00:00Z"));
    });
    await t.dispatch(Sleeper, {});
    await t.drain();
    assertEquals(t.pending().map(({ availableAt }) => availableAt), [new Date("2027-02-05")]);
    await t.advance("399d");
    await t.drain();
    assertEquals(t.handled().length, 0);
    await t.advance("1d");
    await t.drain();
    assertEquals(t.handled().length, 1);
  }
});

Deno.test("a handler that sleeps where it waited before sleeps to the end, though the event comes", async () => {
  let runs = 0;
  let pause = async (ctx: HandlerContext): Promise<unknown> =>
    await ctx.waitFor("approved", { timeout: "1m" });
  const { t, Sleeper } = sleeper((ctx) => (runs++, pause(ctx)));
  await t.dispatch(Sleeper, {});
  await t.drain();
  pause = (ctx) => ctx.sleep("1h");
  await t.advance("1m");
  await t.drain();
  await t.emit("approved");
  await t.drain();
  assertEquals(runs, 2);
  assertEquals(t.pending().map(({ availableAt }) => availableAt), [
    new Date("2026-01-01T01:01:00Z"),
  ]);
});
