/** The claims of a run of schedules. */

import { assertEquals } from "@std/assert";
import { processDue } from "../../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import type { ScheduleStore } from "../../../supabase/functions/_shared/symphony/scheduler/store.ts";
import { logTo } from "../../support/kept_log.ts";

Deno.test("a run of several claims ends with what was due at its start", async () => {
  const asked: (number | null)[] = [];
  const store = {
    claim: ({ until }) => {
      asked.push(until);
      const now = 1_000 * asked.length;
      const more = asked.length < 3;
      return Promise.resolve({
        schedules: [],
        now,
        nextAt: null,
        more,
        declarationsChanged: false,
      });
    },
  } satisfies Pick<ScheduleStore, "claim"> as Pick<ScheduleStore, "claim"> as ScheduleStore;
  await processDue(100, {
    ...{ store, bus: undefined, log: logTo([]), leaseMs: 30_000, random: () => 0 },
    ...{ fingerprint: null, onCompared: () => Promise.resolve() },
  });
  assertEquals(asked, [null, 1_000, 1_000]);
});
