/** Breath: handlers of a resident worker start one at a time. */

import { assertEquals } from "@std/assert";
import { createBreath } from "../../../../supabase/functions/_shared/symphony/worker/resident/breath.ts";

function breathing() {
  let now = 0;
  const slept: number[] = [];
  const breathe = createBreath((ms) => {
    slept.push(ms);
    // One turn of the loop, as a timer takes it.
    return new Promise((resolve) => setTimeout(resolve, 0));
  }, () => now);
  return { breathe, slept, work: (ms: number) => void (now += ms) };
}

Deno.test("after a handler that kept the loop busy, the next one waits for timers and sockets, the longer the busier it was", async () => {
  const { breathe, slept, work } = breathing();
  await Promise.all([100, 5_000, 60_000, 0].map((ms) => breathe().then(() => work(ms))));
  assertEquals(slept, [0, 20, 0, 100, 0, 200, 0]);
});

Deno.test("handlers that only wait start one turn of the loop after the other", async () => {
  const { breathe, slept, work } = breathing();
  await Promise.all([1, 2, 3].map(() => breathe().then(() => work(1))));
  assertEquals(slept, [0, 0, 0]);
});

Deno.test("a handler long after the one before starts at once", async () => {
  const { breathe, slept, work } = breathing();
  await breathe().then(() => work(5_000));
  await new Promise((resolve) => setTimeout(resolve, 0));
  work(60_000);
  await breathe();
  assertEquals(slept, [0, 0]);
});

Deno.test("handlers that only wait start without a timer, and timers have their turn between them", async () => {
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  const breathe = createBreath();
  let started = 0;
  while (fired === 0) await breathe().then(() => started++);
  clearInterval(timer);
  assertEquals(started > 0, true);
  const original = globalThis.setTimeout;
  // No timer ends.
  globalThis.setTimeout = (() => 0) as never;
  try {
    const other = createBreath();
    await Promise.all(Array.from({ length: 100 }, () => other()));
  } finally {
    globalThis.setTimeout = original;
  }
});
