/** Breath: handlers of a resident worker start one at a time. */

import { assertEquals } from "@std/assert";
import { createBreath } from "../../../../supabase/functions/_shared/symphony/worker/resident/breath.ts";

function breathing() {
  let now = 0;
  const slept: number[] = [];
  const breathe = createBreath((ms) => {
    slept.push(ms);
    return Promise.resolve();
  }, () => now);
  return { breathe, slept, work: (ms: number) => void (now += ms) };
}

Deno.test("after a handler that kept the loop busy, the next one waits for timers and sockets", async () => {
  const { breathe, slept, work } = breathing();
  const first = breathe().then(() => work(5_000));
  const second = breathe().then(() => work(5_000));
  await Promise.all([first, second]);
  assertEquals(slept, [0, 0, 20]);
});

Deno.test("handlers that only wait start one turn of the loop after the other", async () => {
  const { breathe, slept, work } = breathing();
  await Promise.all([1, 2, 3].map(() => breathe().then(() => work(1))));
  assertEquals(slept, [0, 0, 0]);
});
