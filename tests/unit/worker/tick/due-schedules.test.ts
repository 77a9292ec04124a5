/** The schedules of a tick: what it does about those that it cannot take. */

import { assertEquals } from "@std/assert";
import {
  emptyReport,
  type SchedulesRun,
} from "../../../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import { DueSchedules } from "../../../../supabase/functions/_shared/symphony/worker/tick/due-schedules.ts";
import { logTo } from "../../../support/kept_log.ts";

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

for (const dispatched of [0, 100]) {
  Deno.test(`after an error the tick does not try again (${dispatched} messages dispatched before)`, async () => {
    const { due, looks } = dueSchedules([
      { report: { ...emptyReport(), dispatched, error: "no" }, nextDueMs: 0 },
      held,
    ]);
    assertEquals([await due.process(), due.areStuck, looks()], [dispatched, true, 1]);
  });
}
