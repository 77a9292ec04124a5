/** What a tick does with a due schedule: missed runs, limits, ends, and rows that cannot be read. */

import { assert, assertEquals } from "@std/assert";
import {
  ON_TIME_MS,
  type Plan,
  planRuns,
} from "../../supabase/functions/_shared/symphony/scheduler/plan.ts";
import type { Schedule, ScheduleTimes } from "../../supabase/functions/_shared/symphony/index.ts";

const at = (text: string) => new Date(`2026-01-${text}Z`);
const hourly: ScheduleTimes = { type: "cron", config: { cron: "0 * * * *" } };

function schedule(
  times: ScheduleTimes,
  state: Partial<Omit<Schedule, "type" | "config">> = {},
): Schedule {
  return {
    ...times,
    id: "1",
    name: null,
    message: { type: "Note", payload: {} },
    timezone: "UTC",
    nextRunAt: at("05T10:00"),
    lastRunAt: null,
    runCount: 0,
    maxRuns: null,
    startAt: null,
    endAt: null,
    catchUp: "latest",
    overlap: "allow",
    jitter: 0,
    queue: null,
    priority: null,
    groupKey: null,
    ttl: null,
    enabled: true,
    disabledBy: null,
    disabledReason: null,
    declared: false,
    createdAt: at("01T00:00"),
    updatedAt: at("01T00:00"),
    ...state,
  };
}

function plan(schedule: Schedule, now: Date, limit = 100): Plan {
  return planRuns(schedule, { now: now.getTime(), limit, random: () => 0 });
}

const runs = ({ runs }: Plan) => runs.map(({ occurrence }) => new Date(occurrence));
const next = ({ nextRunAt }: Plan) => nextRunAt === null ? null : new Date(nextRunAt);

Deno.test("a run that is due is made, and the next one planned", () => {
  const planned = plan(schedule(hourly), at("05T10:00:00.400"));
  assertEquals([runs(planned), next(planned)], [[at("05T10:00")], at("05T11:00")]);
  assertEquals([planned.missed, planned.disabled], [null, null]);
});

Deno.test("a tick ten minutes late runs the nominal time once", () => {
  const planned = plan(schedule(hourly), at("05T10:10"));
  assertEquals([runs(planned), next(planned)], [[at("05T10:00")], at("05T11:00")]);
});

Deno.test("catchUp 'latest' makes one run after a day, and says which were left out", () => {
  const planned = plan(schedule(hourly), at("06T10:30"));
  assertEquals([runs(planned), next(planned)], [[at("06T10:00")], at("06T11:00")]);
  assertEquals(planned.missed?.occurrence, at("05T10:00").getTime());
});

Deno.test("catchUp 'all' makes every run of a day", () => {
  const planned = plan(schedule(hourly, { catchUp: "all" }), at("06T10:30"));
  assertEquals([runs(planned).length, next(planned)], [25, at("06T11:00")]);
  assertEquals([runs(planned)[0], runs(planned)[24]], [at("05T10:00"), at("06T10:00")]);
});

Deno.test("catchUp 'all' stops at the limit, and the rest is due at once", () => {
  const planned = plan(schedule(hourly, { catchUp: "all" }), at("06T10:30"), 10);
  assertEquals([runs(planned).length, next(planned)], [10, at("05T20:00")]);
});

Deno.test("catchUp 'none' makes no run after a day, and goes on", () => {
  const planned = plan(schedule(hourly, { catchUp: "none" }), at("06T10:30"));
  assertEquals([runs(planned), next(planned)], [[], at("06T11:00")]);
  assertEquals(planned.missed?.occurrence, at("05T10:00").getTime());
});

Deno.test("catchUp 'none' takes a tick that is a little late for on time", () => {
  const daily = schedule({ type: "cron", config: { cron: "0 10 * * *" } }, { catchUp: "none" });
  const due = at("05T10:00").getTime();
  assertEquals(runs(plan(daily, new Date(due + ON_TIME_MS))), [at("05T10:00")]);
  assertEquals(runs(plan(daily, new Date(due + ON_TIME_MS + 1))), []);
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

Deno.test("a next run planned anew never comes before one that was made", () => {
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

Deno.test("an interval goes on in step with its last run when its next one is planned anew", () => {
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
  ["an infinite next run", schedule(hourly, { nextRunAt: new Date(NaN) }), "next_run_at:"],
  ["an infinite end", schedule(hourly, { endAt: new Date(NaN) }), "end_at:"],
];
for (const [what, row, field] of unreadable) {
  Deno.test(`a row with ${what} is disabled with a reason that names ${field.slice(0, -1)}`, () => {
    const { runs, nextRunAt, disabled } = plan(row, at("05T10:00"));
    assertEquals([runs, nextRunAt, disabled?.by], [[], null, "invalid"]);
    assert(disabled?.reason.startsWith(field), disabled?.reason);
  });
}
