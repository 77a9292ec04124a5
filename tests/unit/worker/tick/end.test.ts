/** The end of a run: its budget, its CPU, its time, and the platform's notice. */

import { assert, assertEquals } from "@std/assert";
import { changed } from "../../../support/changed_transport.ts";
import { define, defineLate, payloads, untilTold } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import { listen } from "../../../../supabase/functions/_shared/symphony/worker/tick/shutdown.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const unload = (reason: string) => new CustomEvent("beforeunload", { detail: { reason } });

Deno.test("at the end of its budget a worker gives back what it has not started", async () => {
  const { bus, memory, work } = workbench([
    define(() => new Promise((resolve) => setTimeout(resolve, 600))),
  ]);
  await bus.dispatchAll(Array.from({ length: 10 }, (_, payload) => ({ type: "T", payload })));
  const report = await work({ concurrency: 2, budgetMs: 500 });
  assertEquals(report, { claimed: 2, handled: 2, retried: 0, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), Array(8).fill(0));
});

Deno.test("a worker that is told to end starts nothing more and tells its handlers", async () => {
  const end = new AbortController();
  const { bus, memory, work } = workbench([define((_payload, { signal }) => {
    end.abort();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  })]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  const report = await work({ concurrency: 1, signal: end.signal });
  assertEquals(report, { claimed: 1, handled: 0, retried: 1, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), [0, 0, 0]);
  assertEquals(memory.messages.map(({ interruptions = 0 }) => interruptions), [1, 0, 0]);
});

Deno.test("a worker out of CPU settles what it has done and gives back the rest", async () => {
  const { bus, memory, work, lines } = workbench([
    defineLate(() => {
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
  const { bus, memory, work } = workbench([defineLate(() => runs++)], {
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
    defineLate((_payload, { signal }) => {
      signal.addEventListener("abort", () => told.push(signal.reason));
      return new Promise(() => {});
    }),
  ]);
  await bus.dispatchAll(payloads(2));
  assertEquals(await work({ budgetMs: 400, maxMs: 500 }), {
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
  const { bus, work } = workbench([defineLate(() => sleep(600))]);
  await bus.dispatchAll(payloads(2));
  assertEquals((await work({ budgetMs: 400, maxMs: 4_000 })).handled, 2);
});

for (const reason of ["cpu", "memory", "termination", "early_drop"]) {
  Deno.test(`at a beforeunload for ${reason}, handlers are stopped and the rest is given back`, async () => {
    const target = new EventTarget();
    const { drain, stop } = listen(target);
    let running = 0;
    const { bus, memory, work } = workbench([
      defineLate((payload, ctx) => {
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
    defineLate(async () => {
      drain.abort();
      await sleep(20);
    }),
  ]);
  await bus.dispatchAll(payloads(3));
  const report = await work({ concurrency: 1, drain: drain.signal });
  assertEquals(report, { claimed: 1, handled: 1, retried: 0, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), [0, 0]);
});
