/** Failures around batches, and calls that come when an attempt is over. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  AttemptOverError,
  type BatchContext,
  type BatchMessage,
  defineMessage,
  type Handler,
  type MessageOptions,
  type Middleware,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { workbench } from "../../../support/worker.ts";

const schema = z.object({ n: z.number() });
type Batched = readonly BatchMessage<z.infer<typeof schema>>[];

const batched = (
  handleBatch: (messages: Batched, ctx: BatchContext) => unknown,
  more: Partial<MessageOptions<typeof schema>> = {},
) =>
  defineMessage({
    type: "B",
    schema,
    retry: { maxRetries: 0 },
    handleBatch: async (messages, ctx) => void await handleBatch(messages, ctx),
    ...more,
  });

const numbers = (messages: Batched) => messages.map(({ payload }) => payload.n);

const of = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ type: "B", payload: { n: index + 1 } }));

const misuses: [string, NonNullable<Middleware["handle"]>, string][] = [
  ["does not wait for next", (_, next) => void next(), "ended before it"],
  ["calls next twice", async (_, next) => {
    await next();
    await next();
  }, "was called before"],
];
for (const [what, handle, says] of misuses) {
  Deno.test(`middleware that ${what} fails each message of a batch, which is handled once`, async () => {
    const seen: number[][] = [];
    const { bus, memory, work } = workbench([
      batched(async (messages) => {
        await Promise.resolve();
        seen.push(numbers(messages));
      }),
    ], { middleware: [{ handle }] });
    await bus.dispatchAll(of(3));
    assertEquals((await work()).failed, 3);
    assertEquals(seen, [[1, 2, 3]]);
    const errors = memory.failed.map(({ envelope }) => envelope.errors[0]?.message ?? "");
    assertEquals(errors.map((message) => message.includes(says)), [true, true, true]);
  });
}

Deno.test("middleware that never calls next leaves a whole batch out, and the log says so", async () => {
  const seen: number[][] = [];
  const { bus, work, lines } = workbench([
    batched((messages) => seen.push(numbers(messages))),
  ], { middleware: [{ handle: () => {} }] });
  await bus.dispatchAll(of(3));
  assertEquals((await work()).handled, 3);
  const told = lines.filter(({ event }) => event === "middleware_left_out_handlers");
  assertEquals([seen, told.length], [[], 3]);
});

Deno.test("a batch starts without a message that middleware holds up, which is handled by itself", async () => {
  const seen: number[][] = [];
  const others = Promise.withResolvers<void>();
  const { bus, work } = workbench([
    batched((messages) => {
      seen.push(numbers(messages));
      others.resolve();
    }, { timeout: "1s" }),
  ], {
    middleware: [{
      handle: async ({ envelope }, next) => {
        if (envelope.id === "2") await others.promise;
        await next();
      },
    }],
  });
  await bus.dispatchAll(of(3));
  assertEquals((await work({ budgetMs: 10_000 })).handled, 3);
  assertEquals(seen, [[1, 3], [2]]);
});

Deno.test("what a batch handler calls after its attempt is ignored with a warning", async () => {
  let kept: { readonly ctx: BatchContext; readonly messages: Batched } | undefined;
  const definition = batched((messages, ctx) => void (kept = { messages, ctx }));
  const { bus, memory, work, lines } = workbench([definition]);
  await bus.dispatchAll(of(2));
  await work();
  if (!kept) throw new Error("the batch was not handled");
  const { ctx, messages } = kept;
  ctx.log.info("too_late");
  messages[0]?.progress(0.5);
  await assertRejects(() => ctx.dispatch(definition, { n: 9 }), AttemptOverError);
  const late = lines.filter(({ event }) => event === "late_call_ignored").map(({ call }) => call);
  assertEquals(late, ["ctx.log", "ctx.progress", "ctx.dispatch"]);
  assertEquals([memory.messages.length, memory.progress.size], [0, 0]);
  assertEquals(lines.some(({ event }) => event === "too_late"), false);
});

for (const isBatch of [false, true]) {
  const whose = isBatch ? "a batch handler" : "a handler";
  Deno.test(`a dispatch of ${whose} that is not prepared when the attempt ends is not written`, async () => {
    const prepared = Promise.withResolvers<boolean>();
    const child = defineMessage({
      type: "Child",
      schema: z.unknown().refine(() => prepared.promise),
      handler: () => {},
    });
    let dispatched: Promise<string> | undefined;
    const dispatch = (ctx: Pick<BatchContext, "dispatch">) => {
      dispatched = ctx.dispatch(child, 1);
    };
    const parent = isBatch
      ? batched((_, ctx) => dispatch(ctx))
      : defineMessage({ type: "B", schema, handler: (_, ctx) => dispatch(ctx) });
    const { bus, memory, work, lines } = workbench([parent, child]);
    await bus.dispatchAll(of(1));
    assertEquals((await work()).handled, 1);
    prepared.resolve(true);
    await assertRejects(() => dispatched ?? Promise.resolve(), AttemptOverError);
    assertEquals(memory.messages, []);
    const late = lines.filter(({ event }) => event === "late_call_ignored");
    assertEquals(late.map(({ call }) => call), ["ctx.dispatch"]);
  });
}

Deno.test("what one handler does to its envelope is seen by no other, and no retry", async () => {
  const seen: unknown[] = [];
  const spoiling = (name: string): Handler<unknown> => (_, ctx) => {
    const { createdAt, stamps } = ctx.envelope;
    seen.push([createdAt.getTime() > 0, structuredClone(stamps.mine)]);
    createdAt.setTime(0);
    (stamps.mine as string[]).push(name);
    throw new Error("x");
  };
  const spoil = defineMessage({
    type: "B",
    schema,
    retry: { maxRetries: 1, delay: 0 },
    handler: { first: spoiling("first"), second: spoiling("second") },
  });
  const { memory, work } = workbench([spoil]);
  await memory.send([{ type: "B", payload: { n: 1 }, stamps: { mine: ["own"] } }]);
  await work();
  assertEquals(seen, Array(4).fill([true, ["own"]]));
  assertEquals(memory.failed.map(({ envelope }) => envelope.stamps.mine), [["own"]]);
});

Deno.test("a message whose old run ignores its signal waits for it in the next worker", async () => {
  const ends = Promise.withResolvers<void>();
  const stop = new AbortController();
  let running = 0;
  let most = 0;
  const { bus, work, lines } = workbench([
    batched(async () => {
      most = Math.max(most, ++running);
      stop.abort();
      await ends.promise;
      running--;
    }),
  ]);
  await bus.dispatchAll(of(2));
  assertEquals((await work({ signal: stop.signal })).retried, 2);
  const next = work({ budgetMs: 10_000 });
  while (!lines.some(({ event }) => event === "former_run_awaited")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  ends.resolve();
  assertEquals([(await next).handled, most], [2, 1]);
});
