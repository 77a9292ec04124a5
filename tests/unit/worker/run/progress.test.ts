/** Progress reports of handlers are checked, held back, and written before the outcome. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type Handler,
  snooze,
  type Transport,
  TransportError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";
import type { ProgressReport } from "../../../../supabase/functions/_shared/symphony/transport/receiver.ts";
import {
  checkProgress,
  ProgressReporter,
} from "../../../../supabase/functions/_shared/symphony/worker/run/progress.ts";
import { workbench } from "../../../support/worker.ts";

const log = createLogger({ level: "silent" });

/** A worker's bench whose progress is written down, call by call. */
function bench(handler: Handler<unknown>, report?: Transport["reportProgress"]) {
  const calls: (readonly ProgressReport[])[] = [];
  const memory = new InMemoryTransport();
  const transport = Object.assign(Object.create(memory), {
    reportProgress: (reports: readonly ProgressReport[]) => {
      calls.push(reports);
      return (report ?? memory.reportProgress).call(memory, reports);
    },
  });
  const definition = defineMessage({ type: "T", schema: z.unknown(), handler, keep: "1h" });
  const parts = workbench([definition], { memory });
  const progress = new ProgressReporter({ transport, log });
  return { ...parts, calls, work: () => parts.work({ progress }) };
}

for (const value of [-0.01, 1.01, NaN, Infinity, "0.5"] as number[]) {
  Deno.test(`a progress of ${value} is refused`, () => {
    assertThrows(() => checkProgress(value, undefined), RangeError, "progress: value: has to be");
  });
}

Deno.test("a note that is too long or cannot be stored is refused, and a longest one is not", () => {
  checkProgress(1, "ü".repeat(200));
  for (const note of ["x".repeat(201), "a\0b", "\ud800", 5 as unknown as string]) {
    assertThrows(() => checkProgress(1, note), RangeError, "progress: note: has to be text");
  }
});

Deno.test("a handler's wrong report is its own failure, with the field's name", async () => {
  const { bus, work, memory } = bench((_, { progress }) => progress(2));
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  const [{ envelope } = { envelope: null }] = memory.failed;
  assert(envelope?.errors[0]?.message.startsWith("progress: value: has to be from 0 to 1"));
});

Deno.test("reports of many messages at once are one call, with the latest of each", async () => {
  const { bus, work, calls } = bench(async (payload, { progress }) => {
    progress(0.1, "early");
    progress(0.2, `late ${payload}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  await work();
  assertEquals(calls.map((reports) => reports.map(({ value, note }) => [value, note])), [
    [[0.2, "late 1"], [0.2, "late 2"], [0.2, "late 3"]],
  ]);
});

Deno.test("a storm of reports is held back, and the last one is written before the failure is", async () => {
  const { bus, work, calls, memory } = bench(async (_, { progress }) => {
    for (let n = 1; n <= 50; n++) {
      progress(n / 100, `step ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error("no luck");
  });
  await bus.dispatchAll([{ type: "T", payload: 1, options: { ttl: "1d" } }]);
  await work();
  const attempts = memory.failed[0]?.envelope.attempts ?? 0;
  assert(calls.length <= 2 * attempts, `${calls.length} calls in ${attempts} attempts`);
  assertEquals([...memory.progress.values()], [{ value: 0.5, note: "step 50" }]);
});

Deno.test("what a handled message reported last goes with it, unwritten", async () => {
  const { bus, work, calls, memory } = bench((_, { progress }) => progress(1));
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals([calls, memory.progress.size, memory.kept.length], [[], 0, 1]);
});

Deno.test("a message that snoozes keeps its progress", async () => {
  const { bus, work, memory } = bench((_, { progress }) => {
    progress(0.5);
    return snooze("1h");
  });
  const [id = ""] = await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.progress.get(id), { value: 0.5, note: null });
});

Deno.test("progress that cannot be written stops no message", async () => {
  const refuse = () => Promise.reject(new TransportError("reportProgress", "gone", true));
  const { bus, work, memory } = bench(async (_, { progress }) => {
    progress(0.5);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }, refuse);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals([(await work()).handled, memory.messages.length], [1, 0]);
});
