/** Missed runs: which of them a tick makes up. */

import { assert, assertEquals } from "@std/assert";
import { ON_TIME_MS } from "../../../supabase/functions/_shared/symphony/scheduler/plan.ts";
import type { ScheduleTimes } from "../../../supabase/functions/_shared/symphony/index.ts";

import { at, hourly, next, plan, runs, schedule } from "./fixtures/due-schedules.ts";

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

Deno.test("catchUp 'none' makes no run after a day, and continues", () => {
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

Deno.test("catchUp 'none' found 90 minutes late runs the occurrence that is on time", () => {
  const minutely: ScheduleTimes = { type: "cron", config: { cron: "* * * * *" } };
  const planned = plan(schedule(minutely, { catchUp: "none" }), at("05T11:00:30"));
  assertEquals([runs(planned), next(planned)], [[at("05T11:00")], at("05T11:01")]);
  assertEquals(
    planned.missed?.reason,
    "missed: of 61 planned times, from 2026-01-05T10:00:00.000Z to 2026-01-05T11:00:00.000Z, " +
      "only the latest was run",
  );
  const interval: ScheduleTimes = { type: "interval", config: { interval: "7m" } };
  const state = { catchUp: "none", nextRunAt: at("05T10:00") } as const;
  assertEquals(runs(plan(schedule(interval, state), at("05T11:04:59"))), [at("05T11:03")]);
  assertEquals(runs(plan(schedule(interval, state), at("05T11:05:00.001"))), []);
});

Deno.test("catchUp 'all' makes up the latest 1,000, and records the others as one", () => {
  const minutely: ScheduleTimes = { type: "cron", config: { cron: "* * * * *" } };
  const late = schedule(minutely, { catchUp: "all" });
  const planned = plan(late, at("12T09:59:30"), 5_000);
  assertEquals([runs(planned).length, next(planned)], [1_000, at("12T10:00")]);
  assertEquals([runs(planned)[0], runs(planned)[999]], [at("11T17:20"), at("12T09:59")]);
  assertEquals(
    planned.missed?.reason,
    "missed: no run for 9080 planned times, from 2026-01-05T10:00:00.000Z on, " +
      "as catch_up_limit is 1000",
  );
  const batch = plan(late, at("12T09:59:30"), 10);
  assertEquals([runs(batch).length, next(batch)], [10, at("11T17:30")]);
  const rest = plan(
    schedule(minutely, { catchUp: "all", nextRunAt: next(batch) }),
    at("12T09:59:30"),
  );
  assertEquals([runs(rest)[0], rest.missed], [at("11T17:30"), null]);
});

Deno.test("catchUpLimit sets how many runs are made up", () => {
  const every: ScheduleTimes = { type: "interval", config: { interval: "1s" } };
  const state = { catchUp: "all", catchUpLimit: 3 } as const;
  const planned = plan(schedule(every, state), at("06T10:00"));
  assertEquals(runs(planned), [at("06T09:59:58"), at("06T09:59:59"), at("06T10:00")]);
  assert(planned.missed?.reason.startsWith("missed: no run for 86398 planned times"));
});
