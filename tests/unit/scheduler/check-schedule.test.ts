/** Options of schedules: wrong options are refused by name, before anything is written. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkSchedule } from "../../../supabase/functions/_shared/symphony/scheduler/check-schedule.ts";
import type { ScheduleOptions } from "../../../supabase/functions/_shared/symphony/index.ts";

const cron = { type: "cron", config: { cron: "0 9 * * *" } };
const interval = { type: "interval", config: { interval: "5m" } };
const once = { type: "once", config: { at: new Date("2030-01-01") } };

/** Options as a caller without types may give them. */
const check = (options: unknown) => checkSchedule(options as ScheduleOptions);

const refused: [string, unknown, string][] = [
  ["no options", undefined, "options:"],
  ["an unknown type", { type: "weekly", config: {} }, "type:"],
  ["no config", { type: "cron" }, "config:"],
  ["a config of another type", { type: "cron", config: { interval: 5 } }, "config.interval:"],
  ["no cron expression", { type: "cron", config: {} }, "config.cron:"],
  [
    "a cron expression of four fields",
    { type: "cron", config: { cron: "0 9 * *" } },
    "config.cron:",
  ],
  ["a minute of 60", { type: "cron", config: { cron: "60 * * * *" } }, "config.cron:"],
  ["a date that never comes", { type: "cron", config: { cron: "0 0 30 2 *" } }, "config.cron:"],
  ["an unknown time zone", { ...cron, timezone: "Mars/Olympus" }, "timezone:"],
  ["an offset as time zone", { ...cron, timezone: "+02:00" }, "timezone:"],
  ["an empty time zone", { ...cron, timezone: "" }, "timezone:"],
  ["an abbreviation as time zone", { ...cron, timezone: "BST" }, "timezone:"],
  ["less than a second", { type: "interval", config: { interval: "999ms" } }, "config.interval:"],
  ["no limit to what is made up", { ...cron, catchUpLimit: 1e9 }, "catchUpLimit:"],
  ["an unknown whilePaused", { ...cron, whilePaused: "drop" }, "whilePaused:"],
  ["an interval of 0", { type: "interval", config: { interval: 0 } }, "config.interval:"],
  ["a negative interval", { type: "interval", config: { interval: -1 } }, "config.interval:"],
  ["half a millisecond", { type: "interval", config: { interval: 0.5 } }, "config.interval:"],
  ["an endless interval", { type: "interval", config: { interval: Infinity } }, "config.interval:"],
  ["an interval in words", { type: "interval", config: { interval: "daily" } }, "config.interval:"],
  ["no moment", { type: "once", config: {} }, "config.at:"],
  ["an invalid Date", { type: "once", config: { at: new Date("soon") } }, "config.at:"],
  ["a moment as text", { type: "once", config: { at: "2030-01-01T00:00:00Z" } }, "config.at:"],
  ["a moment in the year 10000", { type: "once", config: { at: new Date(3e14) } }, "config.at:"],
  ["maxRuns 0", { ...cron, maxRuns: 0 }, "maxRuns:"],
  ["half a run", { ...cron, maxRuns: 1.5 }, "maxRuns:"],
  ["more runs than can be counted", { ...cron, maxRuns: 2 ** 31 }, "maxRuns:"],
  ["maxRuns null", { ...cron, maxRuns: null }, "maxRuns:"],
  ["a startAt that is no date", { ...cron, startAt: 5 }, "startAt:"],
  ["an invalid endAt", { ...cron, endAt: new Date(NaN) }, "endAt:"],
  ["an end before its start", { ...cron, startAt: new Date(2), endAt: new Date(1) }, "endAt:"],
  ["an unknown catchUp", { ...cron, catchUp: "some" }, "catchUp:"],
  ["an unknown overlap", { ...cron, overlap: "queue" }, "overlap:"],
  ["a negative jitter", { ...cron, jitter: -1 }, "jitter:"],
  ["an empty name", { ...cron, name: "" }, "name:"],
  ["a name of 201 characters", { ...cron, name: "x".repeat(201) }, "name:"],
  ["a name with a line break", { ...cron, name: "a\nb" }, "name:"],
  ["a queue with a space", { ...cron, queue: "a b" }, "queue:"],
  ["a priority out of range", { ...cron, priority: 1001 }, "priority:"],
  ["an empty groupKey", { ...cron, groupKey: "" }, "groupKey:"],
  ["a ttl of 0", { ...cron, ttl: 0 }, "ttl:"],
  ["a ttl within the jitter", { ...cron, ttl: "1m", jitter: "1m" }, "ttl:"],
  ["a catchUpLimit that limits nothing", { ...cron, catchUpLimit: 5 }, "catchUpLimit:"],
  [
    "a catchUpLimit that nothing is made up to",
    { ...cron, catchUp: "none", catchUpLimit: 5 },
    "catchUpLimit:",
  ],
  ["a time zone of an interval", { ...interval, timezone: "Europe/London" }, "timezone:"],
  ["a time zone of a moment", { ...once, timezone: "Asia/Tokyo" }, "timezone:"],
  ["several runs at one moment", { ...once, maxRuns: 5 }, "maxRuns:"],
  ["an overlap of its only run", { ...once, overlap: "skip" }, "overlap:"],
  ["an option that does not exist", { ...cron, timeZone: "UTC" }, "timeZone:"],
];
for (const [what, options, field] of refused) {
  Deno.test(`a schedule with ${what} is refused, naming ${field.slice(0, -1)}`, () => {
    const error = assertThrows(() => check(options), RangeError);
    assertEquals(error.message.slice(0, field.length), field);
  });
}

Deno.test("what a schedule leaves out has its default", () => {
  assertEquals(check(cron), {
    name: null,
    times: { type: "cron", cron: "0 9 * * *" },
    timezone: "UTC",
    maxRuns: null,
    startAt: null,
    endAt: null,
    catchUp: "latest",
    catchUpLimit: null,
    overlap: "allow",
    whilePaused: "enqueue",
    jitterMs: 0,
    queue: null,
    priority: null,
    groupKey: null,
    ttlMs: null,
  });
});

Deno.test("durations may be written with a unit", () => {
  const checked = check({
    type: "interval",
    config: { interval: "5m" },
    jitter: "30s",
    ttl: "1h",
  });
  assertEquals(checked.times, { type: "interval", intervalMs: 300_000 });
  assertEquals([checked.jitterMs, checked.ttlMs], [30_000, 3_600_000]);
});

Deno.test("options that say what holds anyway are no contradiction", () => {
  const usual = { timezone: "UTC", overlap: "allow", catchUp: "latest" };
  assertEquals(check({ ...interval, ...usual }).timezone, "UTC");
  assertEquals(check({ ...once, ...usual }).overlap, "allow");
  assertEquals(check({ ...cron, catchUp: "all", catchUpLimit: 5 }).catchUpLimit, 5);
});
