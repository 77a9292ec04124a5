/** Messages that run on workers, and were written into a queue of ticks: SQL knows no definitions. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";

const heavy = () => define(() => {}, { queue: "heavy", runsOn: "worker" });

Deno.test("a tick makes a dead letter of it that says into which queue it belongs", async () => {
  const { memory, work } = workbench([heavy()]);
  await memory.send([{ type: "T", payload: 1, queue: "default" }]);
  const report = await work({ isTick: true });
  assertEquals(report, { claimed: 1, handled: 0, retried: 0, failed: 1 });
  const [letter] = memory.failed;
  assertEquals(letter?.reason, "unrecoverable");
  assertStringIncludes(
    letter?.envelope.errors?.at(-1)?.message ?? JSON.stringify(letter),
    "queue: T runs on workers, which find it in the queue heavy (dispatched into default)",
  );
});

Deno.test("a tick runs it in its own queue, where an operator lets ticks serve that", async () => {
  const { memory, work } = workbench([heavy()]);
  await memory.send([{ type: "T", payload: 1, queue: "heavy" }]);
  assertEquals((await work({ isTick: true })).handled, 1);
});

Deno.test("a worker runs it in any queue", async () => {
  const { memory, work } = workbench([heavy()]);
  await memory.send([{ type: "T", payload: 1, queue: "other" }]);
  assertEquals((await work()).handled, 1);
});

Deno.test("a dispatch into another queue is refused", async () => {
  const { bus, memory } = workbench([heavy()]);
  const message = { type: "T", payload: 1, options: { queue: "default" } };
  await assertRejects(
    () => bus.dispatchAll([message]),
    RangeError,
    "queue: T runs on workers, which find it in heavy (got default)",
  );
  assertEquals(memory.messages, []);
});
