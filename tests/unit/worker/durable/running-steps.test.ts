/** Steps that run for long are told with the progress of their messages. */

import { assertEquals } from "@std/assert";
import type { Handler } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";
import type { ProgressReport } from "../../../../supabase/functions/_shared/symphony/transport/receiver.ts";
import { RunningSteps } from "../../../../supabase/functions/_shared/symphony/worker/durable/running-steps.ts";
import { Task } from "../../../../supabase/functions/_shared/symphony/worker/run/task.ts";
import { ProgressReporter } from "../../../../supabase/functions/_shared/symphony/worker/run/progress.ts";
import { define } from "../../../support/definitions.ts";
import { envelopeAt } from "../../../support/envelope.ts";
import { workbench } from "../../../support/worker.ts";

/** A worker whose reports can be awaited. */
function bench(handler: Handler<unknown>) {
  const memory = new InMemoryTransport();
  const reports: ProgressReport[] = [];
  const waiting: { name: string; resolve: () => void }[] = [];
  const transport = Object.assign(Object.create(memory), {
    reportProgress: async (some: readonly ProgressReport[]) => {
      await memory.reportProgress(some);
      reports.push(...some);
      for (const { name, resolve } of waiting) {
        if (some.some(({ step }) => step?.name === name)) resolve();
      }
    },
  });
  const parts = workbench([define(handler)], { memory });
  const progress = new ProgressReporter({ transport, log: createLogger({ level: "silent" }) });
  /** Resolves when the step of this name is told. */
  const told = (name: string) =>
    new Promise<void>((resolve) => void waiting.push({ name, resolve }));
  return { ...parts, reports, told, work: () => parts.work({ progress }) };
}

const namesOf = (reports: readonly ProgressReport[]) => reports.map(({ step }) => step?.name);

Deno.test("a step that runs for a second is told once, and goes with its message", async () => {
  const { bus, work, reports, told, memory } = bench(async (_, ctx) => {
    await ctx.step("short", () => 1);
    await ctx.step("long", () => told("long"), { key: "k" });
  });
  const [id = ""] = await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals(reports.length, 1);
  const [{ leaseToken: _, step: { ranMs = 0, ...step } = {}, ...report } = {}] = reports;
  assertEquals(report, { id });
  assertEquals(step, { handler: "handler", name: "long", key: "k", nth: 1, kind: "step" });
  assertEquals(ranMs >= 1_000, true);
  assertEquals(memory.progress.size, 0);
});

Deno.test("of steps side by side the one that began first is told, and the next when it has ended", async () => {
  const { bus, work, reports, told } = bench(async (_, ctx) => {
    const second = told("second");
    await Promise.all([
      ctx.step("first", () => told("first")),
      ctx.step("second", () => second),
    ]);
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals(namesOf(reports), ["first", "second"]);
});

Deno.test("a step and the progress that is reported meanwhile are one report", async () => {
  const { bus, work, reports, told } = bench(async (_, ctx) => {
    ctx.progress(0.1);
    await ctx.step("long", async () => {
      const report = setInterval(() => ctx.progress(0.5, "half"), 10);
      await told("long").finally(() => clearInterval(report));
    });
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  const last = reports.at(-1);
  assertEquals([last?.value, last?.note, last?.step?.name], [0.5, "half", "long"]);
});

Deno.test("a step whose function ignores the end of its message is not told", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const steps = new RunningSteps((_, { name }) => resolve(name));
  const begin = (name: string, fn: () => Promise<unknown>) => {
    const task = new Task(envelopeAt(new Date()));
    const identity = { handler: "h", name, key: "", nth: 1 };
    return { task, ended: steps.during(task, { ...identity, kind: "step" }, fn) };
  };
  const never = new Promise(() => {});
  const { task } = begin("stuck", () => never);
  task.stop(new Error("late"));
  const { ended } = begin("told", () => promise);
  assertEquals(await ended, "told");
});
