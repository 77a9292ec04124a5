/** Times, durations and numbers as the console writes them. */

import { assertEquals } from "@std/assert";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatRelative,
} from "../../../../console/components/relative-time.ts";

Deno.test("a duration has its two largest units", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [420.4, "420 ms"],
    [1_500, "1.5 s"],
    [59_000, "59 s"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [3_660_000, "1 h 1 min"],
    [90_061_000, "1 d 1 h"],
    [86_400_000 + 60_000, "1 d"],
    [-1_500, "−1.5 s"],
    [NaN, "–"],
  ];
  for (const [ms, words] of cases) assertEquals(formatDuration(ms), words);
});

Deno.test("a moment is so long ago, now, or ahead", () => {
  const now = 1_000_000_000_000;
  assertEquals(formatRelative(now - 999, now), "now");
  assertEquals(formatRelative(now - 65_000, now), "1 min ago");
  assertEquals(formatRelative(now + 7_300_000, now), "in 2 h");
});

Deno.test("a count that ends at 10,000 says that there may be more", () => {
  assertEquals(formatCount({ count: 10_000, capped: true }), "10,000+");
  assertEquals(formatCount({ count: 42, capped: false }), "42");
  assertEquals(formatNumber(12_345, { isShort: true }), "12.3K");
});
