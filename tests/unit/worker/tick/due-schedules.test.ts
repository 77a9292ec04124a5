/** The schedules of a tick: what it does about those that it cannot take. */

import { assert, assertEquals } from "@std/assert";
import {
  emptyReport,
  type SchedulesRun,
} from "../../../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import { DueSchedules } from "../../../../supabase/functions/_shared/symphony/worker/tick/due-schedules.ts";
import type { Scheduler } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { runSchedules } from "../../../../supabase/functions/_shared/symphony/scheduler/tick-schedules.ts";
import { define } from "../../../support/definitions.ts";
import { logTo } from "../../../support/kept_log.ts";
import { workbench } from "../../../support/worker.ts";

const held: SchedulesRun = { report: emptyReport(), nextDueMs: 0 };

/** The schedules of a tick whose looks end one after the other as given. */
function dueSchedules(runs: readonly SchedulesRun[], budgetMs = 50_000) {
  const left = [...runs];
  const runSchedules = () => Promise.resolve(left.shift() ?? held);
  const due = new DueSchedules(true, budgetMs, {
    runSchedules,
    mustSync: () => false,
    log: logTo([]),
  });
  return { due, looks: () => runs.length - left.length };
}

Deno.test("a due schedule whose row is locked for a moment is run by the same tick", async () => {
  const made = { report: { ...emptyReport(), processed: 1, dispatched: 1 }, nextDueMs: 60_000 };
  const { due } = dueSchedules([held, held, made]);
  assertEquals([await due.process(), due.areStuck, due.report.dispatched], [1, false, 1]);
});

Deno.test("a schedule that stays locked is left to the next minute's tick", async () => {
  const { due } = dueSchedules([], 600);
  assertEquals([await due.process(), due.areStuck], [0, true]);
});

Deno.test("schedules with thousands of missed runs leave half of a run's CPU to messages, and the rest due", async () => {
  const { work } = workbench([define(() => {})]);
  const batch = { ...emptyReport(), processed: 10, dispatched: 10 };
  let batches = 0;
  const scheduler = {
    process: async () => {
      // Without a bound by CPU, it would end here.
      if (++batches === 5_000) return { report: emptyReport(), nextDueMs: 0 };
      await new Promise((resolve) => setTimeout(resolve, 0));
      return { report: batch, nextDueMs: 0 };
    },
  } as unknown as Scheduler;
  const schedules = new DueSchedules(true, 600_000, {
    runSchedules: (limits, hasRoom) =>
      runSchedules(scheduler, { ...limits, batchSize: 10, log: logTo([]), hasRoom }),
    mustSync: () => false,
    log: logTo([]),
  });
  await work({ budgetMs: 600_000, cpuMs: 60, schedules });
  assert(batches < 5_000);
});

for (const dispatched of [0, 100]) {
  Deno.test(`after an error the tick does not try again (${dispatched} messages dispatched before)`, async () => {
    const { due, looks } = dueSchedules([
      { report: { ...emptyReport(), dispatched, error: "no" }, nextDueMs: 0 },
      held,
    ]);
    assertEquals([await due.process(), due.areStuck, looks()], [dispatched, true, 1]);
  });
}
