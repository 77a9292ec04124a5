/** The claims of a run of schedules, and what is written of them. */

import { assertEquals } from "@std/assert";
import { TransportError } from "../../../supabase/functions/_shared/symphony/index.ts";
import type { Advance } from "../../../supabase/functions/_shared/symphony/scheduler/plan.ts";
import { processDue } from "../../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import type {
  AdvanceResult,
  ScheduleClaim,
  ScheduleClaimRequest,
  ScheduleStore,
} from "../../../supabase/functions/_shared/symphony/scheduler/store.ts";
import { logTo } from "../../support/kept_log.ts";
import { at, hourly, schedule } from "./fixtures/due-schedules.ts";

const NOW = at("05T10:00").getTime();
const nothing: ScheduleClaim = {
  ...{ schedules: [], now: NOW, nextAt: null, more: false, declarationsChanged: false },
};

/** Runs the schedules of a store. */
async function process(
  claim: (request: ScheduleClaimRequest) => ScheduleClaim,
  advance: (advances: readonly Advance[]) => AdvanceResult = () => {
    throw new Error("nothing is written");
  },
  hasRoom?: () => boolean,
): Promise<void> {
  const store = {
    claim: (request: ScheduleClaimRequest) => Promise.resolve(claim(request)),
    advance: async (_token: string, advances: readonly Advance[]) =>
      await Promise.resolve(advance(advances)),
  } as unknown as ScheduleStore;
  await processDue(100, {
    ...{ store, bus: undefined, log: logTo([]), leaseMs: 30_000, random: () => 0 },
    ...{ hasRoom, fingerprint: null, onCompared: () => Promise.resolve() },
  });
}

Deno.test("a run of several claims ends with what was due at its start", async () => {
  const asked: (number | null)[] = [];
  await process(({ until }) => {
    asked.push(until);
    return { ...nothing, now: 1_000 * asked.length, more: asked.length < 3 };
  });
  assertEquals(asked, [null, 1_000, 1_000]);
});

Deno.test("a run that has no room claims no more behind its first claim, though it has made no message", async () => {
  const due = { ...schedule(hourly, { catchUp: "all" }), stamps: {} };
  let claims = 0;
  await process(
    () => ({ ...nothing, schedules: ++claims < 100 ? [due] : [], more: claims < 100 }),
    () => ({ dispatched: 0, skipped: 1, stale: [] }),
    () => false,
  );
  assertEquals(claims, 1);
});

Deno.test("the occurrence that finds the outbox full is due again, and not the one after it", async () => {
  const due = { ...schedule(hourly), stamps: {} };
  const written: Advance[] = [];
  await process(
    () => ({ ...nothing, schedules: written.length === 0 ? [due] : [] }),
    (advances) => {
      const cause = { code: "PT503" };
      if (advances.some(({ runs }) => runs.length > 0)) {
        throw new TransportError("advance", "the outbox is full", true, { cause });
      }
      written.push(...advances);
      return { dispatched: 0, skipped: 0, stale: [] };
    },
  );
  assertEquals(
    written.map(({ plan, putOff }) => [plan.nextRunAt, plan.disabled, putOff?.ms]),
    [[NOW, null, 30_000]],
  );
});
