/** When the stand-in for pg_cron runs a job. */

import { assertEquals } from "@std/assert";
import { dueRuns } from "../../../local/cron_due.ts";

const at = (time: string) => Date.parse(`2026-11-24T${time}Z`);

/** Runs due at `now` when the look before was at `before`. */
function due(schedule: string, before: string, now: string, pendingRuns = 0): number {
  const lastMinute = at(before) - at(before) % 60_000;
  return dueRuns(schedule, { now: at(now), lastMinute, lastStartAt: at(before), pendingRuns });
}

Deno.test("a cron job comes due when its minute begins, and once", () => {
  assertEquals(due("* * * * *", "10:00:58.100", "10:00:59.100"), 0);
  assertEquals(due("* * * * *", "10:00:59.100", "10:01:00.020"), 1);
  assertEquals(due("* * * * *", "10:01:00.020", "10:01:01.020"), 0);
  assertEquals(due("1 10 * * *", "10:00:59.100", "10:01:00.020"), 1);
  assertEquals(due("2 10 * * *", "10:00:59.100", "10:01:00.020"), 0);
});

Deno.test("a cron job makes up for up to five minutes, and for no more", () => {
  assertEquals(due("* * * * *", "10:00:30.000", "10:05:00.000"), 5);
  assertEquals(due("*/2 * * * *", "10:00:30.000", "10:05:00.000"), 2);
  assertEquals(due("* * * * *", "10:00:30.000", "10:06:00.000"), 1);
  assertEquals(due("3 * * * *", "10:00:30.000", "10:06:00.000"), 0);
});

Deno.test("a clock that is set back makes nothing due", () => {
  assertEquals(due("* * * * *", "10:05:00.000", "10:01:00.000"), 0);
});

Deno.test("a job of N seconds comes due N seconds after its last start, one run at a time", () => {
  assertEquals(due("10 seconds", "10:00:00.900", "10:00:09.950"), 0);
  assertEquals(due("10 seconds", "10:00:00.900", "10:00:10.100"), 1);
  assertEquals(due("10 seconds", "10:00:00.900", "10:02:00.000"), 1);
  assertEquals(due("1 second", "10:00:00.900", "10:00:09.900", 1), 0);
});

Deno.test("a date that never comes makes nothing due", () => {
  assertEquals(due("0 0 30 2 *", "10:00:59.100", "10:01:00.020"), 0);
});
