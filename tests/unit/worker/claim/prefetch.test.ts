/** How many messages a worker claims and holds. */

import { assert, assertEquals } from "@std/assert";
import { changed } from "../../../support/changed_transport.ts";
import { defineLate, payloads, untilTold } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** While it runs, time passes by the number of looks at it: a busy machine makes nothing slow. */
async function untimed(run: () => Promise<void>): Promise<void> {
  const { now } = performance;
  let time = now.call(performance);
  performance.now = () => (time += 0.001);
  try {
    await run();
  } finally {
    performance.now = now;
  }
}

Deno.test("a drain of fast messages claims full batches after its first claim", async () => {
  const claims: number[] = [];
  const { bus, work } = workbench([defineLate(() => {})], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => (claims.push(claim.messages.length), claim),
      }),
  });
  await bus.dispatchAll(payloads(300));
  await untimed(async () => {
    assertEquals((await work({ batchSize: 100, concurrency: 10 })).handled, 300);
  });
  const [first, second = 0] = claims;
  assertEquals(first, 20);
  // The worker holds 100 messages then, of the first claim those that have not run yet.
  assert(second >= 80, String(second));
});

for (const [batchSize, most] of [[600, 2], [3_000, 3]] as const) {
  Deno.test(`a worker that may hold ${batchSize} messages has up to ${most} calls on their way`, async () => {
    let calls = 0;
    let seen = 0;
    const { bus, work } = workbench([defineLate(() => {})], {
      wrap: (memory) => ({
        ...changed(memory, {}),
        settleAndClaim: async (settlements, request) => {
          seen = Math.max(seen, ++calls);
          await sleep(10);
          calls--;
          return await memory.settleAndClaim(settlements, request);
        },
      }),
    });
    await bus.dispatchAll(payloads(2 * batchSize));
    await untimed(async () => {
      assertEquals((await work({ batchSize, concurrency: 100 })).handled, 2 * batchSize);
    });
    assertEquals(seen, most);
  });
}

Deno.test("messages behind handlers that take long are given back for others", async () => {
  const stop = new AbortController();
  const { bus, memory, work } = workbench([
    defineLate(async (payload, ctx) => {
      // Fast at first, so that a full batch is claimed.
      if (Number(payload) >= 20) await (untilTold as (...args: unknown[]) => unknown)(payload, ctx);
    }),
  ]);
  await bus.dispatchAll(payloads(60));
  const working = work({
    batchSize: 60,
    concurrency: 2,
    budgetMs: 60_000,
    signal: stop.signal,
  });
  const free = () => memory.messages.filter(({ leaseToken }) => leaseToken === "").length;
  // Two run, and one waits behind them at most.
  const areGivenBack = () => memory.messages.length === 40 && free() >= 37;
  for (let waited = 0; !areGivenBack() && waited < 5_000; waited += 20) await sleep(20);
  assert(areGivenBack(), `${free()} of ${memory.messages.length} are free`);
  stop.abort();
  await working;
});

Deno.test("a claim tells how many handlers may start at once", async () => {
  const slots: (number | undefined)[] = [];
  const { bus, work } = workbench([defineLate(() => sleep(20))], {
    wrap: (memory) =>
      changed(memory, { claim: (claim, request) => (slots.push(request.slots), claim) }),
  });
  await bus.dispatchAll(payloads(8));
  await work({ concurrency: 4 });
  assertEquals(slots[0], 4);
  assert(slots.every((free) => free !== undefined && free >= 0 && free <= 4));
});

Deno.test("messages of a queue with a rate start before others, or are given back in time", async () => {
  const runs: unknown[] = [];
  const released: string[] = [];
  const { bus, memory, work } = workbench([
    defineLate(async (payload) => {
      runs.push(payload);
      await sleep(600);
    }),
  ], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => ({
          ...claim,
          messages: claim.messages.map((envelope) =>
            Number(envelope.payload) >= 2 ? { ...envelope, startWindowMs: 400 } : envelope
          ),
        }),
        settle: (settlements) =>
          released.push(
            ...settlements.filter(({ outcome }) => outcome.kind === "released").map(({ id }) => id),
          ),
      }),
  });
  await bus.dispatchAll(payloads(4));
  // Two slots for four messages: 2 and 3 hurry, and go first.
  await work({ concurrency: 2, budgetMs: 400 });
  assertEquals(runs, [2, 3]);
  assertEquals(memory.messages.map(({ payload }) => payload), [0, 1]);

  await bus.dispatchAll([{ type: "T", payload: 5 }, { type: "T", payload: 6 }]);
  await memory.cancel({ ids: memory.messages.slice(0, 2).map(({ id }) => id) });
  runs.length = 0;
  released.length = 0;
  const [, late] = memory.messages.map(({ id }) => id);
  // One slot: 6 cannot start in time, is given back, and claimed again.
  assertEquals((await work({ concurrency: 1 })).handled, 2);
  assertEquals([runs, released[0]], [[5, 6], late]);
});
