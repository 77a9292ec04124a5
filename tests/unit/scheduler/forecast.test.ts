/** The planned times of stored schedules within a day. */

import { assertEquals } from "@std/assert";
import { forecast } from "../../../supabase/functions/_shared/symphony/scheduler/forecast.ts";
import type { ListedSchedule } from "../../../supabase/functions/_shared/symphony/scheduler/schedule.ts";
import { hourly, schedule } from "./fixtures/due-schedules.ts";

const at = (text: string) => Date.parse(`2026-11-${text}:00Z`);
const NOW = at("27T10:30");
const TODAY = { from: at("27T00:00"), until: at("28T00:00"), now: NOW, n: 100 };

/** An hourly schedule whose next run is at 11:00. */
function stored(fields: Partial<ListedSchedule> = {}): ListedSchedule {
  return { ...schedule(hourly), nextRunAt: new Date(at("27T11:00")), ...fields } as ListedSchedule;
}

Deno.test("no time lies before now, or at the end", () => {
  const { occurrences, count } = forecast(stored(), TODAY);
  assertEquals([count, occurrences[0]?.getTime(), occurrences.at(-1)?.getTime()], [
    13,
    at("27T11:00"),
    at("27T23:00"),
  ]);
});

Deno.test("a forecast counts all occurrences, and lists the first few", () => {
  const { occurrences, count } = forecast(stored(), { ...TODAY, n: 2 });
  assertEquals([count, occurrences.length], [13, 2]);
});

Deno.test("a later day begins with its first time", () => {
  const tomorrow = { ...TODAY, from: at("28T00:00"), until: at("29T00:00") };
  assertEquals(forecast(stored(), tomorrow).occurrences[0]?.getTime(), at("28T00:00"));
  const interval = stored({ type: "interval", config: { interval: 5_400_000 } });
  assertEquals(forecast(interval, tomorrow).occurrences[0]?.getTime(), at("28T00:30"));
});

Deno.test("runs that are left are used up by the times before", () => {
  const tomorrow = { ...TODAY, from: at("28T00:00"), until: at("29T00:00") };
  const schedule = stored({ maxRuns: 20, runCount: 5 });
  assertEquals(forecast(schedule, TODAY).count, 13);
  assertEquals(forecast(schedule, tomorrow).count, 2);
  assertEquals(forecast(stored({ maxRuns: 20, runCount: 20 }), TODAY).count, 0);
});

Deno.test("planned times that were missed use up as many runs as the schedule makes up for", () => {
  // 48 planned times are overdue, and two runs are left.
  const overdue = { nextRunAt: new Date(at("25T11:00")), maxRuns: 2 };
  const count = (fields: Partial<ListedSchedule>) =>
    forecast(stored({ ...overdue, ...fields }), TODAY).count;
  assertEquals(count({}), 1);
  assertEquals(count({ catchUp: "none" }), 2);
  assertEquals(count({ catchUp: "all" }), 0);
  assertEquals(count({ catchUp: "all", catchUpLimit: 1 }), 1);
  // A tick that comes a moment late misses nothing.
  const onTime = { ...overdue, catchUp: "none", nextRunAt: new Date(at("27T10:00")) } as const;
  assertEquals(forecast(stored(onTime), { ...TODAY, now: at("27T10:00") + 500 }).count, 1);
});

Deno.test("an end, and a single run, are kept to", () => {
  assertEquals(forecast(stored({ endAt: new Date(at("27T12:30")) }), TODAY).count, 2);
  const once = { type: "once", config: { at: new Date(at("27T15:00")) } } as const;
  const schedule = stored({ ...once, nextRunAt: once.config.at });
  assertEquals(forecast(schedule, TODAY).occurrences, [once.config.at]);
  assertEquals(forecast(schedule, { ...TODAY, until: at("27T15:00") }).count, 0);
});

Deno.test("a schedule that cannot be read tells why, and stops no other", () => {
  const { occurrences, problem } = forecast(
    stored({ config: { cron: "99 * * * *" } } as never),
    TODAY,
  );
  assertEquals([occurrences, problem !== null], [[], true]);
});
