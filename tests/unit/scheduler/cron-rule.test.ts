// The cron rule, one behaviour a test: day fields, and what happens when the clock changes.
import { assertEquals, assertThrows } from "@std/assert";
import { getNextCronTime } from "../../../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";

/** Asserts the successive runs after an instant, written as "2026-03-08T07:00" (UTC). */
function assertRuns(expression: string, zone: string, after: string, expected: string[]): void {
  const runs: Date[] = [];
  for (const _ of expected) {
    runs.push(getNextCronTime(expression, runs.at(-1) ?? new Date(`${after}Z`), zone));
  }
  assertEquals(runs.map((run) => run.toISOString()), expected.map((run) => toIso(run)));
}

function toIso(run: string): string {
  return new Date(`${run}Z`).toISOString();
}

Deno.test("without a zone an expression is read in UTC", () => {
  const next = getNextCronTime("30 6 * * *", new Date("2026-01-01T06:30:00Z"));
  assertEquals(next, new Date("2026-01-02T06:30:00Z"));
});

Deno.test("a run is strictly after the given instant, to the millisecond", () => {
  assertRuns("34 12 * * *", "UTC", "2026-06-15T12:33:59.999", ["2026-06-15T12:34"]);
  assertRuns("34 12 * * *", "UTC", "2026-06-15T12:34:00.000", ["2026-06-16T12:34"]);
});

Deno.test("two restricted day fields match when either does", () => {
  assertRuns("0 0 31 * 0", "UTC", "2026-01-20T00:00", ["2026-01-25T00:00", "2026-01-31T00:00"]);
});

Deno.test("a day field that starts with a star has to match as well", () => {
  assertRuns("0 0 */5 * 5", "UTC", "2026-01-01T00:00", ["2026-01-16T00:00", "2026-02-06T00:00"]);
  assertRuns("0 0 13 * */5", "UTC", "2026-01-01T00:00", ["2026-02-13T00:00", "2026-03-13T00:00"]);
  assertRuns("0 0 *,5 * 1", "UTC", "2026-01-01T00:00", ["2026-01-05T00:00", "2026-01-12T00:00"]);
});

Deno.test("a star further on in a day field leaves it restricted", () => {
  assertRuns("0 0 5,* * 1", "UTC", "2026-01-01T00:00", ["2026-01-02T00:00", "2026-01-03T00:00"]);
});

Deno.test("Sunday is 0, 7 and sun, also at the end of a range", () => {
  for (const sunday of ["0", "7", "sun", "SUN", "0,7", "7-7", "*/7", "0-7/7"]) {
    assertRuns(`0 0 * * ${sunday}`, "UTC", "2026-01-01T00:00", ["2026-01-04T00:00"]);
  }
  for (const weekend of ["sat-sun", "6-7", "Sat-7", "6,0"]) {
    const expected = ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-10T00:00"];
    assertRuns(`0 0 * * ${weekend}`, "UTC", "2026-01-01T00:00", expected);
  }
});

Deno.test("February 29 is found across a century without one", () => {
  assertRuns("0 0 29 2 *", "UTC", "2096-03-01T00:00", ["2104-02-29T00:00"]);
});

Deno.test("February 29 on a weekday is found 40 years ahead", () => {
  assertRuns("0 0 29 2 */7", "UTC", "2088-03-01T00:00", ["2128-02-29T00:00"]);
});

Deno.test("nicknames are read in any case", () => {
  assertRuns("@Daily", "Asia/Tokyo", "2026-05-20T10:10", ["2026-05-20T15:00"]);
  assertRuns("@WEEKLY", "UTC", "2026-05-20T10:10", ["2026-05-24T00:00"]);
});

Deno.test("zone names are read in any case", () => {
  assertRuns("0 9 * * *", "america/new_york", "2026-07-01T00:00", ["2026-07-01T13:00"]);
});

Deno.test("a fixed time in a gap runs once, at the first instant after it", () => {
  const expected = ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"];
  assertRuns("30 2 * * *", "America/New_York", "2026-03-07T00:00", expected);
});

Deno.test("several fixed times in one gap, and one at its end, make a single run", () => {
  const expected = ["2026-03-08T07:00", "2026-03-08T07:15", "2026-03-09T06:00"];
  assertRuns("0,15 2,3 * * *", "America/New_York", "2026-03-08T06:00", expected);
});

Deno.test("a fixed time in a gap is not made up for when asked from the end of the gap", () => {
  assertRuns("30 2 * * *", "America/New_York", "2026-03-08T07:00", ["2026-03-09T06:30"]);
});

Deno.test("a job that follows real time skips the gap", () => {
  assertRuns("*/30 2 * * *", "America/New_York", "2026-03-08T06:00", ["2026-03-09T06:00"]);
  assertRuns("0 */2 * * *", "America/New_York", "2026-03-08T06:00", ["2026-03-08T08:00"]);
});

Deno.test("a step without a star has fixed times", () => {
  const expected = ["2026-03-08T07:00", "2026-03-09T06:00"];
  assertRuns("0-59/20 2 * * *", "America/New_York", "2026-03-08T06:00", expected);
});

Deno.test("a fixed time in a repeated hour runs in the first pass only", () => {
  const expected = ["2026-11-01T05:30", "2026-11-02T06:30"];
  assertRuns("30 1 * * *", "America/New_York", "2026-11-01T00:00", expected);
  assertRuns("30 1 * * *", "America/New_York", "2026-11-01T06:10", ["2026-11-02T06:30"]);
});

Deno.test("a job that follows real time runs in both passes of a repeated hour", () => {
  const expected = ["2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30", "2026-11-02T06:00"];
  assertRuns("*/30 1 * * *", "America/New_York", "2026-11-01T05:00", expected);
});

Deno.test("@hourly follows real time, so no hour is lost or doubled", () => {
  const expected = ["2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00"];
  assertRuns("@hourly", "America/New_York", "2026-11-01T04:30", expected);
});

Deno.test("@daily has a fixed time, so a midnight in a gap is made up for", () => {
  const expected = ["2026-09-05T04:00", "2026-09-06T04:00", "2026-09-07T03:00"];
  assertRuns("@daily", "America/Santiago", "2026-09-05T00:00", expected);
});

Deno.test("a gap across midnight makes up for a time of the day before", () => {
  const expected = ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"];
  assertRuns("30 23 * * *", "America/Nuuk", "2026-03-27T12:00", expected);
  assertRuns("30 23 28 3 *", "America/Scoresbysund", "2026-03-28T12:00", ["2026-03-29T01:00"]);
});

Deno.test("an hour repeated on the date before midnight runs fixed times once", () => {
  const expected = ["2026-10-29T20:30", "2026-10-30T21:30"];
  assertRuns("30 23 * * *", "Africa/Cairo", "2026-10-29T12:00", expected);
});

Deno.test("a change of half an hour moves only the times within it", () => {
  const expected = ["2026-10-03T15:15", "2026-10-03T15:30", "2026-10-03T15:45"];
  assertRuns("15,45 1-2 * * *", "Australia/Lord_Howe", "2026-10-03T15:00", expected);
  const repeated = ["2026-04-04T14:45", "2026-04-05T15:15"];
  assertRuns("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:00", repeated);
});

Deno.test("a change of exactly 3 hours is made up for", () => {
  const expected = ["2016-10-21T16:00", "2016-10-22T14:30"];
  assertRuns("30 1 * * *", "Antarctica/Casey", "2016-10-21T12:00", expected);
});

Deno.test("a date skipped by a change of more than 3 hours is not made up for", () => {
  const expected = ["2011-12-29T22:00", "2011-12-30T22:00"];
  assertRuns("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00", expected);
  assertRuns("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00", ["2012-12-29T22:00"]);
});

Deno.test("a repetition of more than 3 hours runs fixed times again", () => {
  const expected = ["1994-01-31T13:30", "1994-01-31T20:30"];
  assertRuns("30 20 * * *", "Antarctica/Vostok", "1994-01-31T00:00", expected);
});

Deno.test("a lasting change of the offset is treated like any other", () => {
  const expected = ["2018-05-03T15:15", "2018-05-04T15:00", "2018-05-05T14:45"];
  assertRuns("45 23 * * *", "Asia/Pyongyang", "2018-05-03T12:00", expected);
});

Deno.test("the clock changes of Ramadan are an ordinary pair of changes", () => {
  const back = ["2026-02-15T01:30", "2026-02-16T02:30"];
  assertRuns("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", back);
  const forward = ["2026-03-22T02:00", "2026-03-23T01:30"];
  assertRuns("30 2 * * *", "Africa/El_Aaiun", "2026-03-21T12:00", forward);
});

Deno.test("runs are at whole minutes of a wall clock whose offset has seconds", () => {
  const expected = ["1972-01-06T01:14:30", "1972-01-07T00:44:30", "1972-01-08T00:30"];
  assertRuns("30 0 * * *", "Africa/Monrovia", "1972-01-05T12:00", expected);
});

Deno.test("a time that lies in a gap every year never fires in that zone", () => {
  // The second Sunday of March is the day on which New York has no such hour.
  assertThrows(
    () => getNextCronTime("*/30 2 8-14 3 */7", new Date("2026-01-01"), "America/New_York"),
    RangeError,
    'cron: "*/30 2 8-14 3 */7" never fires in America/New_York',
  );
});
