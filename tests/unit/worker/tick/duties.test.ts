/** The duties of a run to its tick. */

import { assertEquals } from "@std/assert";
import { Change } from "../../../../supabase/functions/_shared/symphony/worker/change.ts";
import { ClaimPlanner } from "../../../../supabase/functions/_shared/symphony/worker/claim/claim-planner.ts";
import { TickDuties } from "../../../../supabase/functions/_shared/symphony/worker/tick/duties.ts";
import { never } from "../../../support/definitions.ts";
import { logTo } from "../../../support/kept_log.ts";

Deno.test("a run that ends while it processes schedules asks for another tick to take over", async () => {
  const aside = Promise.withResolvers<boolean>();
  const tick = {
    offerIdle: () => never,
    wake: () => Promise.resolve(),
    standAside: (stalled: boolean) => (aside.resolve(stalled), Promise.resolve(true)),
    backlog: () => {},
  };
  const duties = new TickDuties({
    ...{ tick, schedules: { dueNow: true, process: () => never }, log: logTo([]) },
    hasRoom: () => true,
    planner: new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity }),
    ...{ changed: new Change(), endsAt: Infinity },
  });
  const standing = {
    ...{ now: performance.now(), calling: false, idle: true, stalledMs: 0 },
    report: { claimed: 0, handled: 0, retried: 0, failed: 0 },
  };
  duties.turn({ ...standing, stopping: false });
  assertEquals(duties.isBusy, true);
  duties.turn({ ...standing, stopping: true });
  assertEquals(await aside.promise, false);
});
