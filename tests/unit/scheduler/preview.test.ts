/** The next occurrences, before a schedule is made. */

import { assertEquals, assertThrows } from "@std/assert";
import { previewSchedule } from "../../../supabase/functions/_shared/symphony/index.ts";

const from = new Date("2026-03-07T00:00:00Z");
const iso = (dates: readonly Date[]) => dates.map((date) => date.toISOString());

Deno.test("a preview shows a fixed time across a spring clock change", () => {
  const options = {
    type: "cron",
    config: { cron: "30 2 * * *" },
    timezone: "America/New_York",
  } as const;
  assertEquals(iso(previewSchedule(options, 3, from)), [
    "2026-03-07T07:30:00.000Z",
    "2026-03-08T07:00:00.000Z",
    "2026-03-09T06:30:00.000Z",
  ]);
});

Deno.test("a preview of an interval counts from the moment it is asked for, or from startAt", () => {
  const options = { type: "interval", config: { interval: "6h" } } as const;
  assertEquals(iso(previewSchedule(options, 2, from)), [
    "2026-03-07T06:00:00.000Z",
    "2026-03-07T12:00:00.000Z",
  ]);
  const started = { ...options, startAt: new Date("2026-03-01T01:00:00Z") };
  assertEquals(iso(previewSchedule(started, 2, from)), [
    "2026-03-07T01:00:00.000Z",
    "2026-03-07T07:00:00.000Z",
  ]);
});

Deno.test("a preview ends with maxRuns and with endAt", () => {
  const options = { type: "cron", config: { cron: "@daily" } } as const;
  assertEquals(previewSchedule({ ...options, maxRuns: 2 }, 5, from).length, 2);
  const endAt = new Date("2026-03-09T00:00:00Z");
  assertEquals(iso(previewSchedule({ ...options, endAt }, 5, from)), [
    "2026-03-08T00:00:00.000Z",
    "2026-03-09T00:00:00.000Z",
  ]);
});

Deno.test("a preview of a single moment shows it, and nothing once it is past", () => {
  const options = (at: string) => ({ type: "once", config: { at: new Date(at) } }) as const;
  assertEquals(iso(previewSchedule(options("2026-03-08T00:00:00Z"), 5, from)), [
    "2026-03-08T00:00:00.000Z",
  ]);
  assertEquals(previewSchedule(options("2026-03-06T00:00:00Z"), 5, from), []);
});

Deno.test("a preview is refused for wrong options, a wrong number and a wrong moment", () => {
  const options = { type: "cron", config: { cron: "@daily" } } as const;
  const wrong: [() => unknown, string][] = [
    [() => previewSchedule({ type: "cron", config: { cron: "x" } }, 5, from), "config.cron"],
    [() => previewSchedule(options, 0, from), "n"],
    [() => previewSchedule(options, 1.5, from), "n"],
    [() => previewSchedule(options, 1_001, from), "n"],
    [() => previewSchedule(options, 5, new Date(NaN)), "from"],
  ];
  for (const [preview, field] of wrong) {
    const error = assertThrows(preview, RangeError);
    assertEquals(error.message.split(":")[0], field);
  }
});
