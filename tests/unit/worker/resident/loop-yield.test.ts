/** Yields to the event loop: handlers of a resident worker start one at a time. */

import { assertEquals } from "@std/assert";
import { createLoopYield } from "../../../../supabase/functions/_shared/symphony/worker/resident/loop-yield.ts";

function yielding() {
  let now = 0;
  const slept: number[] = [];
  const yieldToLoop = createLoopYield((ms) => {
    slept.push(ms);
    // One turn of the loop, as a timer takes it.
    return new Promise((resolve) => setTimeout(resolve, 0));
  }, () => now);
  return { yieldToLoop, slept, work: (ms: number) => void (now += ms) };
}

Deno.test("after a handler that kept the loop busy, the next one waits for timers and sockets, the longer the busier it was", async () => {
  const { yieldToLoop, slept, work } = yielding();
  await Promise.all([100, 5_000, 60_000, 0].map((ms) => yieldToLoop().then(() => work(ms))));
  assertEquals(slept, [0, 20, 0, 100, 0, 200, 0]);
});

Deno.test("handlers that only wait start one turn of the loop after the other", async () => {
  const { yieldToLoop, slept, work } = yielding();
  await Promise.all([1, 2, 3].map(() => yieldToLoop().then(() => work(1))));
  assertEquals(slept, [0, 0, 0]);
});

Deno.test("a handler long after the one before starts at once", async () => {
  const { yieldToLoop, slept, work } = yielding();
  await yieldToLoop().then(() => work(5_000));
  await new Promise((resolve) => setTimeout(resolve, 0));
  work(60_000);
  await yieldToLoop();
  assertEquals(slept, [0, 0]);
});

Deno.test("handlers that only wait start without a timer, and timers have their turn between them", async () => {
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  const yieldToLoop = createLoopYield();
  let started = 0;
  while (fired === 0) await yieldToLoop().then(() => started++);
  clearInterval(timer);
  assertEquals(started > 0, true);
  const original = globalThis.setTimeout;
  // No timer ends.
  globalThis.setTimeout = (() => 0) as never;
  try {
    const other = createLoopYield();
    await Promise.all(Array.from({ length: 100 }, () => other()));
  } finally {
    globalThis.setTimeout = original;
  }
});
