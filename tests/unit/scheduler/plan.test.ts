/** A tick's plan for a due schedule: missed runs, limits, ends, and rows that cannot be read. */

import { assert, assertEquals } from "@std/assert";
import { planRuns } from "../../../supabase/functions/_shared/symphony/scheduler/plan.ts";
import type {
  Schedule,
  ScheduleTimes,
} from "../../../supabase/functions/_shared/symphony/index.ts";

import { at, hourly, next, plan, runs, schedule } from "./fixtures/due-schedules.ts";

Deno.test("a run that is due is made, and the next one planned", () => {
  const planned = plan(schedule(hourly), at("05T10:00:00.400"));
  assertEquals([runs(planned), next(planned)], [[at("05T10:00")], at("05T11:00")]);
  assertEquals([planned.missed, planned.disabled], [null, null]);
});

const monthly: ScheduleTimes = { type: "cron", config: { cron: "0 9 5 * *" } };
const lastMonth = { lastRunAt: new Date("2025-12-05T09:00:00Z") };

Deno.test("a planned time an hour early is planned again, and nothing runs at it", () => {
  const early = schedule(monthly, { ...lastMonth, nextRunAt: at("05T08:00") });
  const planned = plan(early, at("05T08:00:01"));
  assertEquals([runs(planned), next(planned)], [[], at("05T09:00")]);
  assertEquals(planned.note, {
    at: at("05T08:00").getTime(),
    reason: "next_run_at: planned again, as the schedule does not give 2026-01-05T08:00:00.000Z; " +
      "it is 2026-01-05T09:00:00.000Z",
  });
});

Deno.test("of a planned time an hour late the right occurrence runs, once", () => {
  const late = schedule(monthly, { ...lastMonth, nextRunAt: at("05T10:00") });
  const planned = plan(late, at("05T10:00:01"));
  assertEquals(
    [runs(planned), next(planned)],
    [[at("05T09:00")], new Date("2026-02-05T09:00:00Z")],
  );
  assert(planned.note?.reason.startsWith("next_run_at: planned again"));
});

const unusable: [string, Date][] = [
  ["infinite", new Date(NaN)],
  ["long over", new Date("0001-01-01T09:00:00Z")],
  ["before the last run", new Date("2025-11-05T09:00:00Z")],
];
for (const [what, nextRunAt] of unusable) {
  Deno.test(`a planned time that is ${what} is planned again from the last run`, () => {
    const planned = plan(schedule(monthly, { ...lastMonth, nextRunAt }), at("05T08:00"));
    assertEquals([runs(planned), next(planned)], [[], at("05T09:00")]);
    assert(planned.note !== null);
    const due = plan(schedule(monthly, { ...lastMonth, nextRunAt }), at("05T09:00"));
    assertEquals(runs(due), [at("05T09:00")]);
  });
}

Deno.test("a last run or a change that an edit put out of reach ends no schedule", () => {
  const every: ScheduleTimes = { type: "interval", config: { interval: "10m" } };
  for (const edited of [new Date(NaN), new Date("9999-12-31T23:59:59Z"), at("07T00:00")]) {
    const last = plan(
      schedule(monthly, { lastRunAt: edited, nextRunAt: at("05T09:00") }),
      at("05T09:00"),
    );
    assertEquals([runs(last), last.disabled], [[at("05T09:00")], null]);
    const times = { lastRunAt: edited, updatedAt: edited, createdAt: edited, nextRunAt: null };
    assertEquals(next(plan(schedule(monthly, times), at("05T08:00"))), at("05T09:00"));
    assertEquals(next(plan(schedule(every, times), at("05T08:00"))), at("05T08:10"));
  }
});

Deno.test("a single run whose planned time was changed runs at its own, and never again", () => {
  const once: ScheduleTimes = { type: "once", config: { at: at("05T10:00") } };
  const early = plan(schedule(once, { nextRunAt: at("05T09:00") }), at("05T09:00"));
  assertEquals([runs(early), next(early), early.note !== null], [[], at("05T10:00"), true]);
  const late = plan(schedule(once, { nextRunAt: at("05T11:00") }), at("05T11:00"));
  assertEquals([runs(late), late.note !== null], [[at("05T10:00")], true]);
  for (const nextRunAt of [at("05T10:00"), at("05T12:00")]) {
    const done = plan(schedule(once, { nextRunAt, lastRunAt: at("05T10:00") }), at("05T12:00"));
    assertEquals([runs(done), done.disabled?.by], [[], "finished"]);
  }
});

Deno.test("an interval continues from the planned run, or from the last run if none is planned", () => {
  const every: ScheduleTimes = { type: "interval", config: { interval: "10m" } };
  const moved = plan(schedule(every, { nextRunAt: at("05T10:03") }), at("05T10:05"));
  assertEquals([runs(moved), next(moved)], [[at("05T10:03")], at("05T10:13")]);
  const lost = schedule(every, { nextRunAt: new Date(NaN), lastRunAt: at("05T09:58") });
  const planned = plan(lost, at("05T10:05"));
  assertEquals([runs(planned), next(planned)], [[], at("05T10:08")]);
  assert(planned.note !== null);
});

Deno.test("a schedule without a next run gets it, and is run if that has come", () => {
  const fresh = schedule(hourly, { nextRunAt: null, updatedAt: at("05T09:59:30") });
  const early = plan(fresh, at("05T09:59:50"));
  assertEquals([runs(early), next(early)], [[], at("05T10:00")]);
  const late = plan(fresh, at("05T10:00:20"));
  assertEquals([runs(late), next(late)], [[at("05T10:00")], at("05T11:00")]);
});

Deno.test("nothing is made up for the time before the schedule was made or enabled", () => {
  const enabled = schedule(hourly, { nextRunAt: null, updatedAt: at("05T09:59:30") });
  assertEquals(runs(plan(enabled, at("05T09:59:31"))), []);
});

Deno.test("a next run that is planned again never comes before a run that was made", () => {
  const turnedBack = schedule(hourly, {
    nextRunAt: null,
    lastRunAt: at("05T12:00"),
    updatedAt: at("05T10:30"),
  });
  const planned = plan(turnedBack, at("05T11:30"));
  assertEquals([runs(planned), next(planned)], [[], at("05T13:00")]);
});

Deno.test("an interval does not drift over 1,000 runs with late ticks", () => {
  let next = at("05T10:00").getTime();
  for (let run = 0; run < 1_000; run++) {
    const planned = plan(
      schedule({ type: "interval", config: { interval: 90_000 } }, { nextRunAt: new Date(next) }),
      new Date(next + (run * 7_919) % 90_000),
    );
    assertEquals(planned.runs.map(({ occurrence }) => occurrence), [next]);
    assertEquals(planned.nextRunAt, next + 90_000);
    next += 90_000;
  }
});

Deno.test("an interval stays in step with its last run when its next run is planned again", () => {
  const changed = schedule({ type: "interval", config: { interval: "10m" } }, {
    nextRunAt: null,
    lastRunAt: at("05T10:03"),
    updatedAt: at("05T11:00"),
  });
  assertEquals(next(plan(changed, at("05T11:00"))), at("05T11:03"));
});

Deno.test("an interval with startAt begins there", () => {
  const fresh = schedule({ type: "interval", config: { interval: "10m" } }, {
    nextRunAt: null,
    startAt: at("05T10:07"),
    updatedAt: at("05T09:00"),
  });
  assertEquals(next(plan(fresh, at("05T09:01"))), at("05T10:07"));
});

Deno.test("a single run is made, and the schedule is finished", () => {
  const once: ScheduleTimes = { type: "once", config: { at: at("05T10:00") } };
  const planned = plan(schedule(once), at("05T10:01"));
  assertEquals([runs(planned), next(planned), planned.disabled?.by], [
    [at("05T10:00")],
    null,
    "finished",
  ]);
});

Deno.test("a single run that was made is not made again", () => {
  const once: ScheduleTimes = { type: "once", config: { at: at("05T10:00") } };
  const done = schedule(once, { nextRunAt: null, lastRunAt: at("05T10:00") });
  const planned = plan(done, at("05T10:01"));
  assertEquals([runs(planned), planned.disabled?.by], [[], "finished"]);
});

Deno.test("no more runs are made than maxRuns leaves", () => {
  const state = { catchUp: "all", maxRuns: 5, runCount: 3 } as const;
  assertEquals(runs(plan(schedule(hourly, state), at("06T10:30"))).length, 2);
  const planned = plan(schedule(hourly, { ...state, runCount: 5 }), at("06T10:30"));
  assertEquals([runs(planned), planned.disabled], [[], {
    by: "finished",
    reason: "max_runs: it has run 5 times",
  }]);
});

Deno.test("after the last run before endAt the schedule is finished", () => {
  const ending = schedule(hourly, { endAt: at("05T11:30"), nextRunAt: at("05T11:00") });
  const planned = plan(ending, at("05T11:00"));
  assertEquals([runs(planned), next(planned)], [[at("05T11:00")], null]);
  assertEquals(planned.disabled, { by: "finished", reason: "end_at: no occurrence is left" });
});

Deno.test("jitter delays the message and not the plan, up to its bound", () => {
  const state = { jitter: 30_000, catchUp: "all" } as const;
  const draws = [0, 0.5, 0.999_999_9];
  const { runs, nextRunAt } = planRuns(schedule(hourly, state), {
    now: at("05T12:00").getTime(),
    limit: 100,
    random: () => draws.shift() ?? 0,
  });
  assertEquals(runs.map(({ delayMs }) => delayMs), [0, 15_000, 30_000]);
  assertEquals(nextRunAt, at("05T13:00").getTime());
});

const unreadable: [string, Schedule, string][] = [
  ["a cron expression typed wrong", schedule({ type: "cron", config: { cron: "0 9 *" } }), "cron:"],
  ["no cron expression", schedule({ type: "cron", config: { cron: "" } }), "cron:"],
  ["an unknown time zone", schedule(hourly, { timezone: "Mars/Olympus" }), "timezone:"],
  ["no interval", schedule({ type: "interval", config: { interval: 0 } }), "interval_ms:"],
  ["a negative interval", schedule({ type: "interval", config: { interval: -5 } }), "interval_ms:"],
  ["no moment", schedule({ type: "once", config: { at: new Date(NaN) } }), "run_at:"],
  [
    "too short an interval",
    schedule({ type: "interval", config: { interval: 999 } }),
    "interval_ms:",
  ],
  ["no limit to what is made up", schedule(hourly, { catchUpLimit: 0 }), "catch_up_limit:"],
  ["an infinite end", schedule(hourly, { endAt: new Date(NaN) }), "end_at:"],
];
for (const [what, row, field] of unreadable) {
  Deno.test(`a row with ${what} is disabled with a reason that names ${field.slice(0, -1)}`, () => {
    const { runs, nextRunAt, disabled } = plan(row, at("05T10:00"));
    assertEquals([runs, nextRunAt, disabled?.by], [[], null, "invalid"]);
    assert(disabled?.reason.startsWith(field), disabled?.reason);
  });
}
