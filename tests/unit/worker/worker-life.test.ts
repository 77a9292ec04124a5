/** What a worker holds, and what it does when its time, its CPU or its leases come to an end. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type MessageOptions,
  type Transport,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";
import type { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../../supabase/functions/_shared/symphony/transport/transport.ts";
import { startHeartbeat } from "../../../supabase/functions/_shared/symphony/worker/claim/heartbeat.ts";
import { listen } from "../../../supabase/functions/_shared/symphony/worker/tick/shutdown.ts";
import { workbench } from "../../support/worker.ts";

type Handle = MessageOptions<z.ZodUnknown>["handler"];
const define = (handler: Handle) =>
  defineMessage({ type: "T", schema: z.unknown(), handler, retry: { delay: "1h" } });
const payloads = (count: number) =>
  Array.from({ length: count }, (_, payload) => ({ type: "T", payload }));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const untilTold: Handle = (_payload, { signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** The memory with some of its calls watched or changed. */
function changed(memory: InMemoryTransport, by: {
  readonly claim?: (claim: Claim, request: ClaimRequest) => Claim;
  readonly settle?: (settlements: readonly Settlement[]) => void;
  readonly extendLeases?: Transport["extendLeases"];
}): Transport {
  const { claim = (claim: Claim) => claim, settle = () => {} } = by;
  return {
    send: (messages) => memory.send(messages),
    claim: async (request) => claim(await memory.claim(request), request),
    settle: (settlements) => (settle(settlements), memory.settle(settlements)),
    settleAndClaim: async (settlements, request) => {
      settle(settlements);
      const answer = await memory.settleAndClaim(settlements, request);
      return { ...answer, ...claim(answer, request) };
    },
    extendLeases: by.extendLeases ?? ((leases, ms) => memory.extendLeases(leases, ms)),
    cancel: (filter) => memory.cancel(filter),
    reportProgress: (reports) => memory.reportProgress(reports),
  };
}

Deno.test("a drain of fast messages claims full batches after its first claim", async () => {
  const claims: number[] = [];
  const { bus, work } = workbench([define(() => {})], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => (claims.push(claim.messages.length), claim),
      }),
  });
  await bus.dispatchAll(payloads(300));
  assertEquals((await work({ batchSize: 100, concurrency: 10 })).handled, 300);
  assertEquals(claims.slice(0, 2), [20, 80]);
});

for (const [batchSize, most] of [[600, 2], [3_000, 3]] as const) {
  Deno.test(`a worker that may hold ${batchSize} messages has up to ${most} calls on their way`, async () => {
    let calls = 0;
    let seen = 0;
    const { bus, work } = workbench([define(() => {})], {
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
    assertEquals((await work({ batchSize, concurrency: 100 })).handled, 2 * batchSize);
    assertEquals(seen, most);
  });
}

Deno.test("messages behind handlers that take long are given back for others", async () => {
  const stop = new AbortController();
  const { bus, memory, work } = workbench([
    define(async (payload, ctx) => {
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

Deno.test("a worker out of CPU settles what it has done and gives back the rest", async () => {
  const { bus, memory, work, lines } = workbench([
    define(() => {
      const { process } = globalThis as unknown as { process: NodeJS.Process };
      const used = process.cpuUsage();
      while (process.cpuUsage(used).user < 30_000) crypto.randomUUID();
    }),
  ]);
  await bus.dispatchAll(payloads(50));
  const report = await work({ concurrency: 2, cpuMs: 100 });
  assert(report.handled >= 1 && report.handled <= 6, `handled ${report.handled}`);
  assertEquals(report.claimed, report.handled);
  assertEquals(memory.messages.map(({ attempts }) => attempts), Array(50 - report.handled).fill(0));
  assert(lines.some(({ event, spent }) => event === "budget_spent" && spent === "cpu"));
});

Deno.test("a worker starts no more messages than its budget of them", async () => {
  let runs = 0;
  const claims: number[] = [];
  const { bus, memory, work } = workbench([define(() => runs++)], {
    wrap: (memory) =>
      changed(memory, { claim: (c, { maxMessages }) => (claims.push(maxMessages), c) }),
  });
  await bus.dispatchAll(payloads(50));
  assertEquals((await work({ maxMessages: 17 })).handled, 17);
  assertEquals([runs, memory.messages.length], [17, 33]);
  assert(claims.every((most) => most <= 17));
});

Deno.test("handlers that still run at the hard end are stopped and their attempts written", async () => {
  const told: unknown[] = [];
  const { bus, memory, work } = workbench([
    define((_payload, { signal }) => {
      signal.addEventListener("abort", () => told.push(signal.reason));
      return new Promise(() => {});
    }),
  ]);
  await bus.dispatchAll(payloads(2));
  assertEquals(await work({ budgetMs: 20, maxMs: 60 }), {
    claimed: 2,
    handled: 0,
    retried: 2,
    failed: 0,
  });
  assertEquals(told.map((reason) => (reason as Error).name), Array(2).fill("WorkerStoppedError"));
  assertEquals(memory.messages.map(({ attempts, errors }) => [attempts, errors[0]?.class]), [
    [0, "WorkerStoppedError"],
    [0, "WorkerStoppedError"],
  ]);
});

Deno.test("handlers that are done between the budget's end and the hard end are handled", async () => {
  const { bus, work } = workbench([define(() => sleep(50))]);
  await bus.dispatchAll(payloads(2));
  assertEquals((await work({ budgetMs: 20, maxMs: 2_000 })).handled, 2);
});

const unload = (reason: string) => new CustomEvent("beforeunload", { detail: { reason } });

for (const reason of ["cpu", "memory", "termination", "early_drop"]) {
  Deno.test(`at a beforeunload for ${reason}, handlers are stopped and the rest is given back`, async () => {
    const target = new EventTarget();
    const { drain, stop } = listen(target);
    let running = 0;
    const { bus, memory, work } = workbench([
      define((payload, ctx) => {
        if (++running === 2) target.dispatchEvent(unload(reason));
        return (untilTold as (...args: unknown[]) => unknown)(payload, ctx);
      }),
    ]);
    await bus.dispatchAll(payloads(10));
    const report = await work({ concurrency: 2, drain, signal: stop });
    assertEquals(report, { claimed: 2, handled: 0, retried: 2, failed: 0 });
    const counted = memory.messages.map(({ attempts, interruptions }) => [attempts, interruptions]);
    assertEquals(counted, [[0, 1], [0, 1], ...Array(8).fill([0, 0])]);
  });
}

Deno.test("at a beforeunload for the end of the time, handlers have a grace before they are stopped", () => {
  const { setTimeout } = globalThis;
  const target = new EventTarget();
  const { drain, stop } = listen(target);
  let later = () => {};
  let graceMs: number | undefined;
  globalThis.setTimeout = ((callback: () => void, ms: number) => {
    later = callback;
    graceMs = ms;
    return 0;
  }) as unknown as typeof setTimeout;
  try {
    target.dispatchEvent(unload("wall_clock"));
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals([drain.aborted, stop.aborted, graceMs], [true, false, 10_000]);
  later();
  assert(stop.aborted);
  assertEquals((stop.reason as Error).message, "the worker has to end: wall_clock");
});

Deno.test("a worker that drains gives back what has not started, and its handlers may finish", async () => {
  const drain = new AbortController();
  const { bus, memory, work } = workbench([
    define(async () => {
      drain.abort();
      await sleep(20);
    }),
  ]);
  await bus.dispatchAll(payloads(3));
  const report = await work({ concurrency: 1, drain: drain.signal });
  assertEquals(report, { claimed: 1, handled: 1, retried: 0, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), [0, 0]);
});

Deno.test("a message that waits for another tick's, which runs alone, is given back at the end", async () => {
  const runs: unknown[] = [];
  const finish = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { bus, memory, work } = workbench([
    define(async (payload) => {
      runs.push(payload);
      started.resolve();
      await finish.promise;
    }),
  ]);
  await memory.send([{ type: "T", payload: "alone" }]);
  const [crashed] = (await memory.claim({ token: "a", maxMessages: 1, leaseMs: 60_000 })).messages;
  const { id = "", leaseToken = "" } = crashed ?? {};
  const retry = {
    kind: "retry",
    delayMs: 0,
    retryCount: 0,
    quarantined: true,
    errors: [],
  } as const;
  await memory.settle([{ id, leaseToken, outcome: retry }]);
  const first = work();
  await started.promise;

  await bus.dispatchAll([{ type: "T", payload: "waits" }]);
  const stop = new AbortController();
  const second = work({ signal: stop.signal });
  const waits = () => memory.messages.find(({ payload }) => payload === "waits");
  while (waits()?.leaseToken === "") await sleep(1);
  await sleep(1);
  stop.abort();
  finish.resolve();
  assertEquals([(await first).handled, (await second).claimed, runs], [1, 0, ["alone"]]);
  assertEquals(waits()?.attempts, 0);
});

Deno.test("a message that runs alone waits for a handler that an ended worker left behind", async () => {
  const order: unknown[] = [];
  const finish = Promise.withResolvers<void>();
  const { bus, memory, work } = workbench([
    define(async (payload) => {
      order.push(payload);
      if (payload === "deaf") await finish.promise.then(() => order.push("deaf ended"));
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: "deaf" }]);
  await work({ budgetMs: 20, maxMs: 40 });

  await memory.send([{ type: "T", payload: "alone" }]);
  const [crashed] = (await memory.claim({ token: "a", maxMessages: 1, leaseMs: 60_000 })).messages;
  assertEquals(crashed?.payload, "alone");
  const { id = "", leaseToken = "" } = crashed ?? {};
  const retry = {
    kind: "retry",
    delayMs: 0,
    retryCount: 0,
    quarantined: true,
    errors: [],
  } as const;
  await memory.settle([{ id, leaseToken, outcome: retry }]);
  const second = work();
  const alone = () => memory.messages.find(({ payload }) => payload === "alone");
  while (alone()?.leaseToken === "") await sleep(1);
  await sleep(5);
  finish.resolve();
  await second;
  assertEquals(order.slice(0, 3), ["deaf", "deaf ended", "alone"]);
});

Deno.test("a worker whose heartbeats do not arrive stops its handlers when the lease is over", async () => {
  const told: unknown[] = [];
  const startedAt = performance.now();
  let stoppedAt = 0;
  const { bus, memory, work, lines } = workbench([
    define((_payload, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          stoppedAt ||= performance.now() - startedAt;
          told.push(signal.reason);
          reject(signal.reason);
        })
      )
    ),
  ], {
    wrap: (memory) =>
      changed(memory, {
        extendLeases: () =>
          Promise.reject(new TransportError("heartbeat", "the database is away", true)),
      }),
  });
  await bus.dispatchAll(payloads(3));
  const report = await work({ concurrency: 2, leaseMs: 150, budgetMs: 400 });
  assertEquals(told.length >= 2, true);
  assertEquals((told[0] as Error).name, "LeaseLostError");
  assert(stoppedAt >= 150, `stopped after ${stoppedAt} ms`);
  assert(lines.some(({ event }) => event === "leases_over"));
  assertEquals([report.handled, memory.messages.length], [0, 3]);
});

Deno.test("a lease that the database refuses to extend is lost alone", async () => {
  const runs = new Map<unknown, number>();
  const { bus, work, lines } = workbench([
    define(async (payload, ctx) => {
      runs.set(payload, (runs.get(payload) ?? 0) + 1);
      if (payload === 7) await untilTold(payload, ctx);
      // Longer than its lease lasts by itself.
      else await sleep(400);
    }),
  ], {
    wrap: (memory) =>
      changed(memory, {
        extendLeases: (leases, leaseMs) => {
          const bad = memory.messages.find(({ payload }) => payload === 7)?.id;
          return leases.some(({ ids }) => ids.some((id) => id === bad))
            ? Promise.reject(new TransportError("heartbeat", "that row is broken", false))
            : memory.extendLeases(leases, leaseMs);
        },
      }),
  });
  await bus.dispatchAll(payloads(12));
  const report = await work({ concurrency: 12, leaseMs: 150, budgetMs: 1_000, maxMessages: 12 });
  assertEquals(report.handled, 11);
  assertEquals([...runs.values()].every((count) => count === 1), true);
  assert(lines.some(({ event }) => event === "heartbeat_refused"));
  assertEquals(lines.some(({ event }) => event === "leases_over"), false);
});

Deno.test("a heartbeat of an outcome that was written does not stop the message's next attempt", async () => {
  const { memory } = workbench([]);
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const held = ["1", "2"].map((id) => ({ id, leaseToken: "before" }));
  const heartbeat = startHeartbeat({
    transport: changed(memory, {
      extendLeases: () => {
        // It was claimed again while the call was on its way.
        held.push({ id: "1", leaseToken: "after" });
        return Promise.resolve({ lost: ["1", "2"], cancelled: [] });
      },
    }),
    leaseMs: () => 30,
    held: () => held,
    onKept: () => {},
    onLost: resolve,
    onCancelled: () => {},
    log: createLogger({ write: () => {} }),
  });
  assertEquals(await promise, ["2"]);
  heartbeat.stop();
});

Deno.test("heartbeats come in time for the shortest lease that a claim gave", async () => {
  const kept: number[] = [];
  const { bus, work } = workbench([define(() => sleep(250))], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => ({ ...claim, leaseMs: 90 }),
        extendLeases: (leases, leaseMs) => {
          kept.push(leaseMs);
          return memory.extendLeases(leases, leaseMs);
        },
      }),
  });
  await bus.dispatchAll(payloads(1));
  assertEquals((await work({ leaseMs: 60_000 })).handled, 1);
  assert(kept.length >= 2, `${kept.length} heartbeats`);
  assertEquals(new Set(kept), new Set([90]));
});

Deno.test("a claim tells how many handlers may start at once", async () => {
  const slots: (number | undefined)[] = [];
  const { bus, work } = workbench([define(() => sleep(20))], {
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
    define(async (payload) => {
      runs.push(payload);
      await sleep(120);
    }),
  ], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => ({
          ...claim,
          messages: claim.messages.map((envelope) =>
            Number(envelope.payload) >= 2 ? { ...envelope, startWindowMs: 60 } : envelope
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
  await work({ concurrency: 2, budgetMs: 60 });
  assertEquals(runs, [2, 3]);
  assertEquals(memory.messages.map(({ payload }) => payload), [0, 1]);

  await bus.dispatchAll([{ type: "T", payload: 5 }, { type: "T", payload: 6 }]);
  await memory.cancel({ ids: memory.messages.slice(0, 2).map(({ id }) => id) });
  runs.length = 0;
  released.length = 0;
  const [, late] = memory.messages.map(({ id }) => id);
  // One slot: 6 cannot start in time, is given back, and claimed anew.
  assertEquals((await work({ concurrency: 1 })).handled, 2);
  assertEquals([runs, released[0]], [[5, 6], late]);
});

Deno.test("the outcome of a message that belongs to a group says so", async () => {
  const grouped: unknown[] = [];
  const { bus, work } = workbench([define(() => {})], {
    wrap: (memory) =>
      changed(memory, { settle: (all) => grouped.push(...all.map(({ grouped }) => grouped)) }),
  });
  await bus.dispatchAll([
    { type: "T", payload: 1, options: { groupKey: "a" } },
    { type: "T", payload: 2 },
  ]);
  await work();
  assertEquals(grouped, [true, undefined]);
});
