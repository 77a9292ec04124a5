/** Durable calls that are wrong, or made where there can be none: no retry helps, and the error says what is wrong. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import {
  type BatchContext,
  defineMessage,
  DurableUsageError,
  type HandlerContext,
  type MessageDefinition,
  type Middleware,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

/** The methods that a handler written in JavaScript, or behind a cast, may call with anything. */
// deno-lint-ignore no-explicit-any
type Untyped = Record<string, (...args: any[]) => Promise<unknown>>;

const Child = defineMessage({ type: "Child", schema: z.object({}), handler: () => {} });

/** Runs one message. Returns its fate: how often it ran, and why it is a dead letter. */
async function fateOf(definition: MessageDefinition, middleware: readonly Middleware[] = []) {
  const t = createTestMessenger({ messages: [definition, Child], middleware });
  await t.dispatch(definition, {});
  await t.drain();
  for (let day = 0; day < 5; day++) {
    await t.advance("1d");
    await t.drain();
  }
  const [letter] = t.failed();
  return { attempts: letter?.attempts, reason: letter?.reason, error: letter?.error ?? "" };
}

/** The fate of a message whose handler makes this call. */
const fateOfCall = (
  call: (ctx: HandlerContext & Untyped) => Promise<unknown>,
  middleware?: readonly Middleware[],
) =>
  fateOf(
    defineMessage({
      type: "Wrong",
      schema: z.object({}),
      retry: { maxRetries: 3, delay: "1h" },
      handler: async (_payload, ctx) => void await call(ctx as HandlerContext & Untyped),
    }),
    middleware,
  );

const WRONG: readonly [string, (ctx: Untyped) => Promise<unknown> | undefined, string][] = [
  ["a sleep of a negative time", (ctx) => ctx.sleep?.("-1s"), "ctx.sleep: has to be"],
  ["a sleep until no date", (ctx) => ctx.sleepUntil?.("tomorrow"), "ctx.sleepUntil: has to be"],
  ["a wait for no event", (ctx) => ctx.waitFor?.([]), "ctx.waitFor: event: has to be"],
  [
    "a misspelt option",
    (ctx) => ctx.step?.("a", () => 1, { retries: 1 }),
    "retries: no such option",
  ],
  [
    "a generator function as a step's function",
    (ctx) => ctx.step?.("a", function* () {}),
    'ctx.step "a": function: has to be a plain or async function, no generator',
  ],
  [
    "a class as a step's function",
    (ctx) => ctx.step?.("a", class Payment {}),
    'ctx.step "a": function: has to be a plain or async function; got the class Payment',
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
  [
    "a batch's member that is none",
    (ctx) => ctx.dispatchBatch?.([null], { name: "b" }),
    "ctx.dispatchBatch: messages: have to be objects",
  ],
  [
    "a batch's member with a wrong option",
    (ctx) =>
      ctx.dispatchBatch?.([{ type: "Wrong", payload: {}, options: { delay: "x" } }], { name: "b" }),
    "ctx.dispatchBatch: delay: has to be",
  ],
  [
    "an onFinished that is no message",
    (ctx) => ctx.dispatchBatch?.([], { name: "b", onFinished: 5 }),
    "ctx.dispatchBatch: onFinished: have to be objects",
  ],
  [
    "a child with a wrong option",
    (ctx) => ctx.all?.("a", [[Child, {}], [Child, {}, { delay: "x" }]]),
    'ctx.all "a": child 2: delay: has to be',
  ],
  [
    "a child with options that are none",
    (ctx) => ctx.all?.("a", [[Child, {}, 5]]),
    'ctx.all "a": child 1: options: have to be an object',
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

/** Calls that can be made inside a step too. They throw the RangeError of the check. */
const REFUSED: readonly [string, (ctx: Untyped) => unknown, string][] = [
  ["a dispatch with a wrong option", (ctx) => ctx.dispatch?.(Child, {}, { delay: "x" }), "delay: "],
  ["a dispatch of no definition", (ctx) => ctx.dispatch?.(null, {}), "definition: has to be"],
  [
    "a dispatchNow with a wrong key",
    (ctx) => ctx.dispatchNow?.(Child, {}, { groupKey: "" }),
    "groupKey: ",
  ],
  ["an emit of a wrong key", (ctx) => ctx.emit?.("a\0"), "event: has to be 1 to 255 characters"],
  ["a token for a wrong key", (ctx) => ctx.token?.("", { expires: "1d" }), "event: has to be"],
  ["a token without a time", (ctx) => ctx.token?.("e"), "options: have to be an object"],
  ["a token that has expired", (ctx) => ctx.token?.("e", { expires: new Date(0) }), "expires: "],
  ["a progress of more than all", (ctx) => ctx.progress?.(2), "progress: value: has to be"],
];

for (const [what, call, message] of REFUSED) {
  Deno.test(`${what} makes the message a dead letter at once, also inside a step`, async () => {
    const { attempts, reason, error } = await fateOfCall(async (ctx) => {
      await assertRejects(async () => await call(ctx), RangeError, message);
      await call(ctx);
    });
    assertEquals([attempts, reason], [1, "unrecoverable"]);
    assertStringIncludes(error, message);
    const inStep = await fateOfCall((ctx) => ctx.step("s", async () => void await call(ctx)));
    assertEquals([inStep.attempts, inStep.reason], [1, "unrecoverable"]);
    assertStringIncludes(inStep.error, `step "s": failed for good (unrecoverable): `);
  });
}

Deno.test("a RangeError of the handler, of a batch's iterable or of middleware is retried", async () => {
  const own = () => {
    throw new RangeError("mine");
  };
  assertEquals((await fateOfCall(own)).attempts, 4);
  // deno-lint-ignore require-yield
  const members = function* (): Generator<{ type: string; payload: object }> {
    own();
  };
  const batch = await fateOfCall((ctx) => ctx.dispatchBatch(members(), { name: "b" }));
  assertEquals([batch.attempts, batch.reason], [4, "exhausted"]);
  const middleware: Middleware[] = [{
    dispatch: (message) => message.type === "Child" ? own() : message,
  }];
  const dispatched = await fateOfCall((ctx) => ctx.dispatch(Child, {}), middleware);
  assertEquals([dispatched.attempts, dispatched.reason], [4, "exhausted"]);
});

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
