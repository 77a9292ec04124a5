/** From any moment to the next occurrence, and to the latest one that has come. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  countOccurrences,
  firstOfLatest,
  latestOccurrence,
  nextOccurrence,
  type Timing,
} from "../../../supabase/functions/_shared/symphony/scheduler/timing.ts";
import { expression, zone } from "./fixtures/cron-arbitraries.ts";

const open = { from: -Infinity, until: Infinity };
const at = (text: string) => Date.parse(text);

const timing: fc.Arbitrary<Timing> = fc.oneof(
  fc.record({ cron: expression, timezone: zone })
    .map(({ cron, timezone }) => ({ ...open, type: "cron" as const, cron, timezone })),
  fc.record({ intervalMs: fc.integer({ min: 1_000, max: 1e9 }), anchor: fc.integer({ min: 0 }) })
    .map((interval) => ({ ...open, type: "interval" as const, ...interval })),
);

Deno.test("the latest occurrence is the one that stepping from one to the next ends at", () => {
  fc.assert(
    fc.property(
      timing,
      fc.integer({ min: at("2026-01-01T00:00Z"), max: at("2027-01-01T00:00Z") }),
      fc.integer({ min: 0, max: 10 * 86_400_000 }),
      (timing, after, span) => {
        let first: number | null;
        try {
          first = nextOccurrence(timing, after);
        } catch {
          return; // An expression of the fuzz that never fires.
        }
        const now = after + span;
        if (first === null || first > now) return;
        let latest = first;
        for (let steps = 0; steps < 2_000; steps++) {
          const next = nextOccurrence(timing, latest);
          if (next === null || next > now) {
            return assertEquals(latestOccurrence(timing, first, now), latest);
          }
          latest = next;
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("occurrences are counted without stepping, and found by their number from the end", () => {
  fc.assert(
    fc.property(
      timing,
      fc.integer({ min: at("2026-01-01T00:00Z"), max: at("2027-01-01T00:00Z") }),
      fc.integer({ min: 0, max: 40 * 86_400_000 }),
      fc.integer({ min: 1, max: 50 }),
      (timing, after, span, n) => {
        let next: number | null;
        try {
          next = nextOccurrence(timing, after);
        } catch {
          return; // An expression of the fuzz that never fires.
        }
        const now = after + span;
        const all: number[] = [];
        for (; next !== null && next <= now; next = nextOccurrence(timing, next)) {
          if (all.push(next) > 2_000) return;
        }
        const [first] = all;
        if (first === undefined) return;
        assertEquals(countOccurrences(timing, first, now), all.length);
        assertEquals(firstOfLatest(timing, first, now, n), all.at(-n) ?? first);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("the latest of a century of minutes is found in a few steps", () => {
  let steps = 0;
  const counted: Timing = {
    ...open,
    type: "interval",
    anchor: 0,
    get intervalMs() {
      steps++;
      return 60_000;
    },
  };
  assertEquals(latestOccurrence(counted, 0, 60_000 * 50_000_000 + 1), 60_000 * 50_000_000);
  assertEquals(steps < 200, true);
});

Deno.test("an interval stays on its grid, whatever moment it is asked from", () => {
  const timing: Timing = { ...open, type: "interval", intervalMs: 7_000, anchor: 1_000 };
  assertEquals(nextOccurrence(timing, 1_000), 8_000);
  assertEquals(nextOccurrence(timing, 7_999), 8_000);
  assertEquals(nextOccurrence(timing, 8_000), 15_000);
  assertEquals(nextOccurrence(timing, 70_003_456), 70_008_000);
});

Deno.test("an interval begins at its anchor and not before", () => {
  const timing: Timing = { ...open, type: "interval", intervalMs: 7_000, anchor: 100_000 };
  assertEquals(nextOccurrence(timing, 0), 100_000);
});

Deno.test("an occurrence on startAt or on endAt belongs to the schedule", () => {
  const timing: Timing = {
    type: "cron",
    cron: "0 * * * *",
    timezone: "UTC",
    from: at("2026-01-01T10:00Z"),
    until: at("2026-01-01T12:00Z"),
  };
  assertEquals(nextOccurrence(timing, at("2025-01-01T00:00Z")), at("2026-01-01T10:00Z"));
  assertEquals(nextOccurrence(timing, at("2026-01-01T11:00Z")), at("2026-01-01T12:00Z"));
  assertEquals(nextOccurrence(timing, at("2026-01-01T12:00Z")), null);
});

Deno.test("a single occurrence is never found again", () => {
  const timing: Timing = { ...open, type: "once", at: 5_000 };
  assertEquals([-Infinity, 4_999, 5_000].map((after) => nextOccurrence(timing, after)), [
    5_000,
    5_000,
    null,
  ]);
});

Deno.test("nothing is planned beyond the year 9999", () => {
  const last = at("9999-12-31T23:59:30Z");
  const minutely: Timing = { ...open, type: "cron", cron: "* * * * *", timezone: "UTC" };
  assertEquals(nextOccurrence(minutely, last), null);
  const interval: Timing = { ...open, type: "interval", intervalMs: 60_000, anchor: last };
  assertEquals(nextOccurrence(interval, last), null);
});
