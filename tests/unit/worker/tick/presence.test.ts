/** The presence of a tick in the database. */

import { assertEquals } from "@std/assert";
import type {
  StartedTick,
  Ticks,
} from "../../../../supabase/functions/_shared/symphony/database/ticks.ts";
import { emptyReport } from "../../../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import { DueSchedules } from "../../../../supabase/functions/_shared/symphony/worker/tick/due-schedules.ts";
import { Presence } from "../../../../supabase/functions/_shared/symphony/worker/tick/presence.ts";
import { logTo } from "../../../support/kept_log.ts";

const report = { claimed: 1, handled: 1, retried: 0, failed: 0 };
const agreed = { agreed: true, due: false, messagesInMs: null, schedulesInMs: null };

/** Whether a tick ends itself after an offer with this answer. */
async function endsAfter(given: typeof report | null, answer: typeof agreed): Promise<boolean> {
  let isEnded = false;
  const ticks = {
    heartbeat: () => Promise.resolve(),
    offerIdle: () => Promise.resolve(answer),
    end: () => Promise.resolve(void (isEnded = true)),
  } as unknown as Ticks;
  const schedules = new DueSchedules(false, 1_000, {
    runSchedules: () => Promise.resolve({ report: emptyReport(), nextDueMs: null }),
    ...{ mustSync: () => false, log: logTo([]) },
  });
  const tick = { id: "1", fleet: 1 } as StartedTick;
  const presence = new Presence(ticks, tick, schedules, logTo([]));
  await presence.offerIdle({ report: given, lingerMs: 0, leftMs: 1_000 });
  await presence.end(report);
  return isEnded;
}

Deno.test("a tick that the database has ended with its report does not end again", async () => {
  assertEquals(await endsAfter(report, agreed), false);
});

Deno.test("a tick that is to look again, or whose handlers still run, is ended by itself", async () => {
  assertEquals(await endsAfter(report, { ...agreed, messagesInMs: 5_000 as never }), true);
  assertEquals(await endsAfter(null, agreed), true);
  assertEquals(await endsAfter(report, { ...agreed, agreed: false }), true);
});
