/** Times of schedules in the console: the day of the calendar, wall clocks, cron expressions in words. */

import { assertEquals } from "@std/assert";
import {
  dateAfter,
  dayOf,
  placeIn,
  timeAt,
} from "../../../console/pages/schedules/calendar-day.ts";
import { describeCron } from "../../../console/pages/schedules/schedule-words.ts";
import { dayWords, offsetsChange } from "../../../console/pages/schedules/zone-times.ts";

const NOW = Date.parse("2026-11-27T10:30:00Z");

Deno.test("a day without a date, or with a broken one, is today", () => {
  for (const date of [null, "", "soon", "2026-99-99"]) {
    const { date: shown, start, end } = dayOf(date, "utc", NOW);
    assertEquals([shown, new Date(start).toISOString(), end - start], [
      "2026-11-27",
      "2026-11-27T00:00:00.000Z",
      86_400_000,
    ]);
  }
});

Deno.test("days follow each other over the ends of months and years", () => {
  const day = dayOf("2026-12-31", "utc", NOW);
  assertEquals([dateAfter(day, 1), dateAfter(day, -1)], ["2027-01-01", "2026-12-30"]);
  assertEquals(dateAfter(dayOf("2028-03-01", "utc", NOW), -1), "2028-02-29");
});

Deno.test("a moment has its time and its place in the day", () => {
  const day = dayOf("2026-11-27", "utc", NOW);
  assertEquals([timeAt(NOW, "utc"), timeAt(NOW + 5_000, "utc")], ["10:30", "10:30:05"]);
  assertEquals([placeIn(day, day.start), placeIn(day, NOW), placeIn(day, day.end)], [
    0,
    10.5 / 24,
    1,
  ]);
});

Deno.test("a wall clock's time has its day, and the offset from UTC", () => {
  assertEquals(dayWords("2026-11-27T09:00:00+09:00"), {
    day: "Fri 2026-11-27",
    time: "09:00",
    offset: "+09:00",
  });
  assertEquals(dayWords("2026-11-27T09:00:05+00:00"), {
    day: "Fri 2026-11-27",
    time: "09:00:05",
    offset: "UTC",
  });
});

Deno.test("a change of the clocks between two times is found", () => {
  assertEquals(offsetsChange(["2026-10-24T09:00:00+02:00", "2026-10-25T09:00:00+01:00"]), true);
  assertEquals(offsetsChange(["2026-10-26T09:00:00+01:00", "2026-10-27T09:00:00+01:00"]), false);
});

Deno.test("cron expressions and their nicknames have a sentence, others have none", async () => {
  assertEquals(await describeCron("0 9 * * 1-5"), "At 09:00, Monday through Friday");
  assertEquals(await describeCron("@daily"), "At 00:00");
  assertEquals(await describeCron("* * * * *"), "Every minute");
  assertEquals([await describeCron("99 * * * *"), await describeCron("daily")], [null, null]);
});
