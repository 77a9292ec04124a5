/** Bounds of what a message stores: also for steps that run side by side, and over its runs. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  DurableUsageError,
  type HandlerContext,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

/** Runs one message with this handler until it rests, and again after each event. Returns what it noted. */
async function run(
  handler: (ctx: HandlerContext, notes: unknown[]) => Promise<unknown>,
  events: readonly string[] = [],
) {
  const notes: unknown[] = [];
  const Limited = defineMessage({
    type: "Limited",
    schema: z.object({}),
    handler: async (_payload, ctx) => void await handler(ctx, notes),
  });
  const t = createTestMessenger({ messages: [Limited] });
  await t.dispatch(Limited, {});
  await t.drain();
  for (const event of events) {
    await t.emit(event);
    await t.drain();
  }
  return { t, notes };
}

/** Runs as many steps side by side. Returns how many have a result, and the error of the last one. */
async function sideBySide(ctx: HandlerContext, count: number, result: unknown) {
  const calls = Array.from(
    { length: count },
    (_, n) => ctx.step("part", () => result, { key: `${n}` }),
  );
  const ends = await Promise.allSettled(calls);
  const last = ends.at(-1);
  return {
    done: ends.filter(({ status }) => status === "fulfilled").length,
    error: last?.status === "rejected" ? String(last.reason) : "",
  };
}

Deno.test("a message has at most 1,000 steps, also if they run side by side", async () => {
  const { notes } = await run(async (ctx, notes) => {
    const { done, error } = await sideBySide(ctx, 1_010, 1);
    notes.push(done);
    assertStringIncludes(error, "the message has 1000 steps already");
  });
  assertEquals(notes, [1_000]);
});

Deno.test("the results of a message have at most 4 MB, also if its steps run side by side", async () => {
  const { notes } = await run(async (ctx, notes) => {
    const { done, error } = await sideBySide(ctx, 17, "x".repeat(262_142));
    notes.push(done);
    assertStringIncludes(error, "a message's steps have at most 4194304 together");
  });
  assertEquals(notes, [16]);
});

Deno.test("large results count once, in whatever number of runs they are read", async () => {
  const { t, notes } = await run(async (ctx, notes) => {
    for (let n = 0; n < 9; n++) await ctx.step("large", () => "x".repeat(262_142));
    await ctx.waitFor("further");
    await ctx.step("as large", () => "x".repeat(262_142));
    notes.push("further");
  }, ["further"]);
  assertEquals([t.failed(), notes], [[], ["further"]]);
});

Deno.test("a sleep that was refused beside a step of its name can be called again", async () => {
  const { t } = await run(async (ctx) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const step = ctx.step("sleep", () => promise);
    await assertRejects(() => ctx.sleep("1m"), DurableUsageError, "is still running");
    resolve();
    await step;
    await ctx.sleep("1m");
  });
  assertEquals(t.failed(), []);
  await t.advance("1m");
  await t.drain();
  assertEquals(t.handled().length, 1);
});

Deno.test("a wait for several events is stored, whatever letters its first key has", async () => {
  const key = `${"a".repeat(239)}😀`;
  const { t, notes } = await run(
    async (ctx, notes) => void notes.push(await ctx.waitFor([key, "other"])),
    ["other"],
  );
  assertEquals([t.failed(), notes], [[], [{ key: "other", value: null }]]);
});

Deno.test("a wait takes a value that is nested as deep as an event may have it", async () => {
  let value: unknown = 1;
  for (let level = 0; level < 100; level++) value = [value];
  const { t, notes } = await run(async (ctx, notes) => {
    await ctx.emit("deep", value);
    await ctx.sleep("1m");
    notes.push(await ctx.waitFor("deep"));
  });
  await t.advance("1m");
  await t.drain();
  assertEquals([t.failed(), notes], [[], [{ key: "deep", value }]]);
});

Deno.test("the results of a thousand children have 1 MB together", async () => {
  const Child = defineMessage({
    type: "Child",
    schema: z.number(),
    handler: (bytes): string => "x".repeat(bytes),
  });
  const seen: unknown[] = [];
  const Parent = defineMessage({
    type: "Parent",
    schema: z.number(),
    handler: async (bytes, ctx) => {
      const results = await ctx.all(
        "children",
        Array.from({ length: 1_000 }, () => [Child, bytes]),
      );
      seen.push(results.length);
    },
  });
  const t = createTestMessenger({ messages: [Parent, Child] });
  await t.dispatch(Parent, 1_000);
  await t.drain();
  assertEquals([t.failed().length, seen], [0, [1_000]]);
  await t.dispatch(Parent, 1_100);
  await t.drain();
  assertStringIncludes(t.failed()[0]?.error ?? "", "has to have at most 1048576");
});
