/** Durable calls that are wrong, or made where there can be none: no retry helps, and the error says what is wrong. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import {
  type BatchContext,
  defineMessage,
  DurableUsageError,
  type HandlerContext,
  type MessageDefinition,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

/** The methods that a handler written in JavaScript, or behind a cast, may call with anything. */
// deno-lint-ignore no-explicit-any
type Untyped = Record<string, (...args: any[]) => Promise<unknown>>;

/** Runs one message. Returns its fate: how often it ran, and why it is a dead letter. */
async function fateOf(definition: MessageDefinition) {
  const t = createTestMessenger({ messages: [definition] });
  await t.dispatch(definition, {});
  await t.drain();
  const [letter] = t.failed();
  return { attempts: letter?.attempts, reason: letter?.reason, error: letter?.error ?? "" };
}

/** The fate of a message whose handler makes this call. */
const fateOfCall = (call: (ctx: HandlerContext & Untyped) => Promise<unknown>) =>
  fateOf(defineMessage({
    type: "Wrong",
    schema: z.object({}),
    retry: { maxRetries: 3, delay: "1h" },
    handler: async (_payload, ctx) => void await call(ctx as HandlerContext & Untyped),
  }));

const WRONG: readonly [string, (ctx: Untyped) => Promise<unknown> | undefined, string][] = [
  ["a sleep of a negative time", (ctx) => ctx.sleep?.("-1s"), "ctx.sleep: has to be"],
  ["a sleep until no date", (ctx) => ctx.sleepUntil?.("tomorrow"), "ctx.sleepUntil: has to be"],
  ["a wait for no event", (ctx) => ctx.waitFor?.([]), "ctx.waitFor: event: has to be"],
  [
    "a misspelt option",
    (ctx) => ctx.step?.("a", () => 1, { retries: 1 }),
    "retries: no such option",
  ],
  ["a wrong retry", (ctx) => ctx.step?.("a", () => 1, { retry: { maxRetries: -1 } }), "maxRetries"],
  [
    "an effect's wrong timeout",
    (ctx) => ctx.effect?.("f", {}, { timeout: -1 }),
    "timeout: has to be",
  ],
  ["a batch without a name", (ctx) => ctx.dispatchBatch?.([]), "ctx.dispatchBatch: options"],
  [
    "an unknown option of ctx.all",
    (ctx) => ctx.all?.("a", [], { keys: 1 }),
    "keys: no such option",
  ],
  [
    "a wait that is too long",
    (ctx) => ctx.waitFor?.("e", { timeout: Infinity }),
    "at most 400 days",
  ],
  [
    "a sleep that is too long",
    (ctx) => ctx.sleep?.("401d"),
    "ctx.sleep: has to be at most 400 days",
  ],
  ["a sleep without end", (ctx) => ctx.sleep?.(Infinity), "at most 400 days"],
  [
    "a sleep until a moment that is too far ahead",
    (ctx) => ctx.sleepUntil?.(new Date("9999-01-01")),
    "ctx.sleepUntil: has to be at most 400 days ahead; got 9999-01-01T00:00:00.000Z",
  ],
];

for (const [what, call, message] of WRONG) {
  Deno.test(`${what} makes the message a dead letter at once`, async () => {
    const { attempts, reason, error } = await fateOfCall(async (ctx) => {
      await assertRejects(async () => await call(ctx), DurableUsageError, message);
      await call(ctx);
    });
    assertEquals([attempts, reason], [1, "unrecoverable"]);
    assertStringIncludes(error, message);
  });
}

for (
  const name of ["step", "effect", "sleep", "sleepUntil", "waitFor", "all", "dispatchBatch"]
) {
  Deno.test(`ctx.${name} of a batch handler says that only a handler can call it`, async () => {
    const { attempts, reason, error } = await fateOf(defineMessage({
      type: "Wrong",
      schema: z.object({}),
      retry: { maxRetries: 3, delay: "1h" },
      handleBatch: async (_messages, ctx: BatchContext) =>
        void await (ctx as BatchContext & Untyped)[name]?.("1s"),
    }));
    assertEquals([attempts, reason], [1, "unrecoverable"]);
    assertStringIncludes(error, `ctx.${name}: can be called by a handler only`);
  });
}

Deno.test("an event's value that is no JSON is named as the value", async () => {
  const whole = await fateOfCall((ctx) => ctx.emit("e", NaN));
  assertStringIncludes(whole.error, "e: value: has to be a finite number");
  const part = await fateOfCall((ctx) => ctx.emit("e", { size: NaN }));
  assertStringIncludes(part.error, "e: value.size: has to be a finite number");
});
