/** Handlers that take several messages of a type at once. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import {
  type BatchAnswer,
  type BatchHandler,
  type BatchMessage,
  defineMessage,
  type HandlerContext,
  snooze,
  UnrecoverableError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";
import { workbench } from "../../../support/worker.ts";

const schema = z.object({ n: z.number() });
type Payload = z.output<typeof schema>;

const define = (handleBatch: BatchHandler<Payload>, more: object = {}) =>
  defineMessage({
    type: "B",
    schema,
    retry: { maxRetries: 0 },
    batch: { size: 4 },
    handleBatch,
    ...more,
  });
const payloads = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ type: "B", payload: { n } }));
const numbers = (messages: readonly BatchMessage<Payload>[]) =>
  messages.map(({ payload }) => payload.n);

Deno.test("messages of a type are handled together, up to the size, in claim order", async () => {
  const seen: number[][] = [];
  const { bus, memory, work } = workbench([
    define((messages) => void seen.push(numbers(messages))),
  ]);
  await bus.dispatchAll(payloads(10));
  assertEquals((await work({ concurrency: 5 })).handled, 10);
  assertEquals(seen, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
  assertEquals(memory.messages, []);
});

Deno.test("a backlog fills the batches, and other types are handled between them", async () => {
  const sizes: number[] = [];
  let others = 0;
  const other = defineMessage({ type: "T", schema: z.unknown(), handler: () => others++ });
  const { bus, work } = workbench([
    define(async (messages) => {
      sizes.push(messages.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }, { batch: { size: 50 } }),
    other,
  ]);
  await bus.dispatchAll([...payloads(500), { type: "T", payload: 1 }]);
  assertEquals((await work({ batchSize: 200, concurrency: 4 })).handled, 501);
  assert(sizes.length <= 20, `batches of ${sizes}`);
  assertEquals(others, 1);
});

Deno.test("promises in place of results are refused by name, and their rejections end no process", async () => {
  const rejected = () => Promise.reject(new Error("no"));
  const wrong = [
    (messages: readonly unknown[]) => messages.map(rejected),
    (messages: readonly BatchMessage<unknown>[]) =>
      new Map(messages.map(({ envelope }) => [envelope.id, rejected()])),
    () => [rejected()],
  ];
  const texts: (string | undefined)[] = [];
  for (const handle of wrong) {
    const { bus, work, memory } = workbench([
      define(handle as never, { retry: { maxRetries: 0 } }),
    ]);
    await bus.dispatchAll(payloads(2));
    await work();
    texts.push(memory.failed[0]?.envelope.errors[0]?.message);
  }
  assertEquals(texts, [
    "handleBatch: result 1 is a promise; wait for it: return await Promise.allSettled(...)",
    "handleBatch: the result of 1 is a promise; wait for it: return await Promise.allSettled(...)",
    "handleBatch: gave 1 results for 2 messages",
  ]);
});

Deno.test("a batch takes one slot", async () => {
  let running = 0;
  let most = 0;
  const { bus, work } = workbench([define(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
  })]);
  await bus.dispatchAll(payloads(40));
  assertEquals((await work({ concurrency: 2, batchSize: 20 })).handled, 40);
  assertEquals(most, 2);
});

Deno.test("each message of a batch has its envelope and attempt, the batch its tools", async () => {
  const told: unknown[] = [];
  const next = defineMessage({ type: "Next", schema: z.string(), handler: (it) => told.push(it) });
  const { bus, work, lines } = workbench([
    define(async (messages, { dispatch, log, signal, supabase }) => {
      log.info("batch");
      for (const { envelope, attempt, payload } of messages) {
        told.push([envelope.id, attempt, payload.n]);
      }
      told.push(signal.aborted, typeof supabase.rpc);
      await dispatch(next, "next");
    }),
    next,
  ]);
  await bus.dispatchAll(payloads(2));
  assertEquals((await work()).handled, 3);
  assertEquals(told, [["1", 1, 0], ["2", 1, 1], false, "function", "next"]);
  const [line] = lines.filter(({ event }) => event === "batch");
  assertEquals([line?.type, line?.messages], ["B", 2]);
});

const answers: [string, BatchAnswer, string[]][] = [
  ["nothing", undefined, ["handled", "handled", "handled"]],
  ["an array", [undefined, new Error("x"), "handled"], ["handled", "exhausted", "handled"]],
  ["an unrecoverable error", [new UnrecoverableError("x"), , ,], [
    "unrecoverable",
    "handled",
    "handled",
  ]],
  ["a snooze", [undefined, undefined, snooze("1h")], ["handled", "handled", "snoozed"]],
  [
    "settled promises",
    [
      { status: "fulfilled", value: 7 },
      { status: "rejected", reason: "no" },
      { status: "fulfilled", value: snooze("1h") },
    ],
    ["handled", "exhausted", "snoozed"],
  ],
  ["a Map by id", new Map([["2", new Error("x")]]), ["handled", "exhausted", "handled"]],
  ["too few results", [undefined], ["exhausted", "exhausted", "exhausted"]],
  ["a result for a stranger", new Map([["9", new Error("x")]]), Array(3).fill("exhausted")],
  ["no result at all", 5 as unknown as BatchAnswer, Array(3).fill("exhausted")],
  ["results of another kind", [1, 2, 3] as unknown as BatchAnswer, Array(3).fill("exhausted")],
];

for (const [name, answer, expected] of answers) {
  Deno.test(`a batch handler that returns ${name}: ${expected.join(", ")}`, async () => {
    const { bus, memory, work } = workbench([define(() => answer)]);
    await bus.dispatchAll(payloads(3));
    await work();
    const became = ["1", "2", "3"].map((id) => {
      const letter = memory.failed.find(({ envelope }) => envelope.id === id);
      const isLeft = memory.messages.some((envelope) => envelope.id === id);
      return letter?.reason ?? (isLeft ? "snoozed" : "handled");
    });
    assertEquals(became, expected);
  });
}

Deno.test("the error of a wrong answer says what is wrong", async () => {
  const { bus, memory, work } = workbench([define(() => [undefined])]);
  await bus.dispatchAll(payloads(3));
  await work();
  const [letter] = memory.failed;
  assertEquals(letter?.envelope.errors[0]?.message, "handleBatch: gave 1 results for 3 messages");
});

Deno.test("a batch handler that throws fails each message by its own retry count", async () => {
  let now = Date.UTC(2026, 0, 1);
  const memory = new InMemoryTransport({ now: () => now });
  const attempts: number[][] = [];
  const { bus, work } = workbench([
    define((messages) => {
      attempts.push(messages.map(({ attempt }) => attempt));
      throw new Error("down");
    }, { retry: { maxRetries: 1, delay: "1h" } }),
  ], { memory });
  await bus.dispatchAll(payloads(1));
  await work({ budgetMs: 600 });
  now += 3_600_000;
  await bus.dispatchAll(payloads(1));
  assertEquals(await work({ budgetMs: 600 }), { claimed: 2, handled: 0, retried: 1, failed: 1 });
  assertEquals(attempts.map((batch) => batch.toSorted()), [[1], [1, 2]]);
  assertEquals(memory.failed.map(({ envelope, reason }) => [envelope.id, reason]), [
    ["1", "exhausted"],
  ]);
});

Deno.test("a payload that no longer fits is a dead letter by itself, the others are handled", async () => {
  const seen: number[][] = [];
  const { memory, work } = workbench([
    define((messages) => void seen.push(numbers(messages))),
  ]);
  await memory.send([
    { type: "B", payload: { n: 1 } },
    { type: "B", payload: { n: "two" } },
    { type: "B", payload: { n: 3 } },
  ]);
  assertEquals(await work(), { claimed: 3, handled: 2, retried: 0, failed: 1 });
  assertEquals([seen, memory.failed[0]?.reason], [[[1, 3]], "invalid"]);
});

Deno.test("a batch that takes longer than the timeout is told, and all its messages have failed", async () => {
  let told: unknown;
  const { bus, memory, work } = workbench([
    define((_messages, { signal }) => {
      signal.addEventListener("abort", () => told = signal.reason);
      return new Promise(() => {});
    }, { timeout: 20, stopGrace: 20 }),
  ]);
  await bus.dispatchAll(payloads(3));
  assertEquals((await work()).failed, 3);
  assertEquals((told as Error).name, "HandlerTimeoutError");
  assertEquals(memory.failed.map(({ envelope }) => envelope.errors[0]?.class), [
    "HandlerTimeoutError",
    "HandlerTimeoutError",
    "HandlerTimeoutError",
  ]);
});

Deno.test("one message of a batch that is cancelled is told, the others are handled", async () => {
  let batch: AbortSignal | undefined;
  const { bus, memory, work } = workbench([
    define(async (messages, { signal }) => {
      batch = signal;
      const [, second] = messages;
      await memory.cancel({ ids: ["2"] });
      await new Promise((resolve) => second?.signal.addEventListener("abort", resolve));
    }),
  ]);
  await bus.dispatchAll(payloads(3));
  assertEquals(await work({ leaseMs: 200 }), { claimed: 3, handled: 2, retried: 0, failed: 1 });
  assertEquals([batch?.aborted, memory.failed[0]?.reason], [false, "cancelled"]);
});

Deno.test("a batch of which all messages are cancelled is told", async () => {
  let told: unknown;
  const { bus, memory, work } = workbench([
    define(async (_messages, { signal }) => {
      signal.addEventListener("abort", () => told = signal.reason);
      await memory.cancel({ type: "B" });
      return new Promise(() => {});
    }, { stopGrace: 20 }),
  ]);
  await bus.dispatchAll(payloads(3));
  assertEquals((await work({ leaseMs: 200 })).failed, 3);
  assertEquals((told as Error).name, "CancelledError");
});

Deno.test("messages from a crash come one by one", async () => {
  const sizes: number[] = [];
  const { bus, memory, work } = workbench([
    define((messages) => void sizes.push(messages.length)),
  ]);
  await bus.dispatchAll(payloads(3));
  await memory.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 0 });
  assertEquals((await work()).handled, 3);
  assertEquals(sizes, [1, 1, 1]);
});

Deno.test("middleware stands around each message of a batch", async () => {
  const seen: string[] = [];
  const { bus, memory, work } = workbench(
    [define((messages) => {
      seen.push(`batch of ${numbers(messages)}`);
      return messages.map(({ payload }) => payload.n === 2 ? new Error("x") : undefined);
    })],
    {
      middleware: [{
        handle: async ({ envelope, attempt }: HandlerContext, next) => {
          seen.push(`${envelope.id} in ${attempt}`);
          if (envelope.id === "2") throw new UnrecoverableError("refused");
          if (envelope.id === "4") return;
          try {
            await next();
            seen.push(`${envelope.id} out`);
          } catch (error) {
            seen.push(`${envelope.id} failed`);
            throw error;
          }
        },
      }],
    },
  );
  await bus.dispatchAll(payloads(4));
  assertEquals(await work(), { claimed: 4, handled: 2, retried: 0, failed: 2 });
  assertEquals(seen, [
    "1 in 1",
    "2 in 1",
    "3 in 1",
    "4 in 1",
    "batch of 0,2",
    "1 out",
    "3 failed",
  ]);
  assertEquals(memory.failed.map(({ envelope, reason }) => [envelope.id, reason]).sort(), [
    ["2", "unrecoverable"],
    ["3", "exhausted"],
  ]);
});
