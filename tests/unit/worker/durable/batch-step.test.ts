/** `ctx.dispatchBatch`: a batch that every run of the handler continues. */

import { assertEquals } from "@std/assert";
import type { HandlerContext } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";

const QUICK = { retry: { maxRetries: 3, delay: 1 } };

/** Members of the type Row, which run later. @param failAfter the number of members after which reading them fails */
function* rows(count: number, failAfter = Infinity) {
  for (let n = 1; n <= count; n++) {
    if (n > failAfter) throw new Error("the file is gone");
    yield { type: "Row", payload: n, options: { delay: "1d" } } as const;
  }
}

/** Runs one message with this handler until it is finished. */
async function run(handler: (ctx: HandlerContext) => Promise<unknown>) {
  const bench = workbench([
    define((_payload, ctx) => handler(ctx), QUICK),
    define(() => {}, { type: "Row" }),
  ]);
  await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  await bench.work({ budgetMs: 30_000 });
  const members = bench.memory.messages.filter(({ type }) => type === "Row");
  return { ...bench, payloads: members.map(({ payload }) => payload), members };
}

Deno.test("a run that fails between two chunks is continued by the next, and later runs find the batch", async () => {
  const ids: string[] = [];
  const { payloads, members, memory } = await run(async (ctx) => {
    const failAfter = ctx.attempt === 1 ? 1_500 : Infinity;
    ids.push(await ctx.dispatchBatch(rows(2_500, failAfter), { name: "import" }));
    if (ctx.attempt === 2) throw new Error("no luck");
  });
  assertEquals(memory.handled.length, 1);
  assertEquals(payloads, Array.from({ length: 2_500 }, (_, n) => n + 1));
  assertEquals(ids.length, 2);
  assertEquals(new Set(members.map(({ stamps }) => stamps.batch?.id)), new Set(ids));
});

Deno.test("a loop makes a batch in each round, and keys tell batches apart that are made at once", async () => {
  const ids: string[] = [];
  const { payloads } = await run(async (ctx) => {
    for (const n of [1, 2]) ids.push(await ctx.dispatchBatch(rows(n), { name: "round" }));
    ids.push(
      ...await Promise.all(["a", "b"].map((key) => ctx.dispatchBatch(rows(3), { name: "k", key }))),
    );
  });
  assertEquals([new Set(ids).size, payloads.length], [4, 9]);
});

Deno.test("a message that has failed leaves what its batch has written", async () => {
  const { payloads, memory } = await run((ctx) =>
    ctx.dispatchBatch(rows(2_500, 1_500), { name: "import" })
  );
  assertEquals(memory.failed[0]?.reason, "exhausted");
  assertEquals(payloads.length, 1_000);
});

Deno.test("a handler that is stopped writes no further chunk", async () => {
  async function* slowly(signal: AbortSignal) {
    yield* rows(1_001);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield* rows(2_000);
  }
  const bench = workbench([
    define((_payload, ctx) => ctx.dispatchBatch(slowly(ctx.signal), { name: "import" }), {
      ...{ timeout: 50, retry: { maxRetries: 0 } },
    }),
    define(() => {}, { type: "Row" }),
  ]);
  await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  await bench.work({ budgetMs: 30_000 });
  const written = bench.memory.messages.filter(({ type }) => type === "Row");
  assertEquals([bench.memory.failed.length, written.length], [1, 1_000]);
});

const wrong: [string, (ctx: HandlerContext) => unknown, string][] = [
  [
    "an idempotencyKey",
    (ctx) => ctx.dispatchBatch([], { name: "n", idempotencyKey: "k" } as { name: string }),
    "ctx.dispatchBatch: idempotencyKey: no such option",
  ],
  [
    "no name",
    (ctx) => ctx.dispatchBatch([], {} as { name: string }),
    "ctx.dispatchBatch: name: has to be 1 to 255 characters",
  ],
  [
    "a timeout that is none",
    (ctx) => ctx.dispatchBatch([], { name: "n", timeout: 0 }),
    'ctx.step "n": timeout: has to be more than 0',
  ],
  [
    "a call inside a step",
    (ctx) => ctx.step("outer", () => ctx.dispatchBatch([], { name: "n" })),
    'ctx.dispatchBatch: cannot be called inside the function of step "outer"',
  ],
];
for (const [title, call, expected] of wrong) {
  Deno.test(`a batch with ${title} is refused`, async () => {
    const { memory } = await run(async (ctx) => void await call(ctx));
    const message = memory.failed[0]?.envelope.errors[0]?.message ?? "";
    assertEquals(message.slice(0, expected.length), expected);
  });
}
