/** The slots of a test run: which jobs run side by side. */

import { assertEquals, assertRejects } from "@std/assert";
import { MOST_OVERTAKING, runInSlots, type SlotJob } from "../../support/slots.ts";

/** Jobs that are named after what they take, and end when they are told. */
function jobsOf(...slots: number[]) {
  const started: number[] = [];
  const gates = slots.map(() => Promise.withResolvers<number>());
  const gate = (index: number) => {
    const found = gates[index];
    if (!found) throw new RangeError(`index: there is no job ${index}`);
    return found;
  };
  const jobs: SlotJob<number>[] = slots.map((slots, index) => ({
    slots,
    run: () => {
      started.push(index);
      return gate(index).promise;
    },
  }));
  const end = async (index: number) => {
    gate(index).resolve(index);
    // The next job starts some turns later.
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  return { started, gate, jobs, end };
}

Deno.test("as many jobs run side by side as there are slots, in their order", async () => {
  const { started, jobs, end } = jobsOf(1, 1, 1, 1);
  const results = runInSlots(2, jobs);
  assertEquals(started, [0, 1]);
  await end(1);
  assertEquals(started, [0, 1, 2]);
  await end(0);
  assertEquals(started, [0, 1, 2, 3]);
  await end(3);
  await end(2);
  assertEquals(await results, [0, 1, 2, 3]);
});

Deno.test("a job of two slots waits for both, and is overtaken by a few that need less", async () => {
  const few = Array.from({ length: MOST_OVERTAKING }, (_, index) => index + 3);
  const last = MOST_OVERTAKING + 3;
  const { started, jobs, end } = jobsOf(1, 1, 2, ...few.map(() => 1), 1);
  const results = runInSlots(2, jobs);
  await end(0);
  for (const index of few) {
    assertEquals(started.at(-1), index);
    await end(index);
  }
  assertEquals(started, [0, 1, ...few]);
  await end(1);
  assertEquals(started, [0, 1, ...few, 2]);
  await end(2);
  assertEquals(started.at(-1), last);
  await end(last);
  assertEquals(await results, jobs.map((_, index) => index));
});

Deno.test("a job that takes no slot starts in its turn, and keeps no other waiting", async () => {
  const { started, jobs, end } = jobsOf(0, 1, 0, 1);
  const results = runInSlots(1, jobs);
  assertEquals(started, [0, 1, 2]);
  await end(1);
  assertEquals(started, [0, 1, 2, 3]);
  for (const index of [0, 2, 3]) await end(index);
  assertEquals(await results, [0, 1, 2, 3]);
});

Deno.test("a job that needs more slots than there are runs with no other beside it", async () => {
  const { started, jobs, end } = jobsOf(1, 4, 1);
  const results = runInSlots(2, jobs);
  assertEquals(started, [0, 2]);
  await end(0);
  assertEquals(started, [0, 2]);
  await end(2);
  assertEquals(started, [0, 2, 1]);
  await end(1);
  assertEquals(await results, [0, 1, 2]);
});

Deno.test("a job that throws frees its slots, and the others end before its error is thrown", async () => {
  const { started, gate, jobs, end } = jobsOf(1, 1);
  const results = assertRejects(() => runInSlots(1, jobs), Error, "broken");
  gate(0).reject(new Error("broken"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(started, [0, 1]);
  await end(1);
  await results;
});

Deno.test("a run without jobs has no results", async () => {
  assertEquals(await runInSlots(2, []), []);
});
