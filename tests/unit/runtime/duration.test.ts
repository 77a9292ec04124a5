/** Durations: what is taken, and what is refused. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  MAX_DURATION_MS,
  parseDuration,
} from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";

Deno.test("a number is taken as milliseconds", () => {
  assertEquals(parseDuration(0, "delay"), 0);
  assertEquals(parseDuration(1_500, "delay"), 1_500);
  assertEquals(Object.is(parseDuration(-0, "delay"), 0), true);
});

Deno.test("a text is taken as a number with its unit", () => {
  const cases = {
    "0ms": 0,
    "250ms": 250,
    "30s": 30_000,
    "10m": 600_000,
    "24h": 86_400_000,
    "7d": 604_800_000,
    "36525d": MAX_DURATION_MS,
  };
  for (const [text, ms] of Object.entries(cases)) assertEquals(parseDuration(text, "delay"), ms);
});

Deno.test("every whole number of a unit is that many times the unit", () => {
  const units = fc.constantFrom(
    ["ms", 1],
    ["s", 1_000],
    ["m", 60_000],
    ["h", 3_600_000],
    [
      "d",
      86_400_000,
    ] as const,
  );
  fc.assert(fc.property(fc.nat(36_525), units, (count, [unit, ms]) => {
    assertEquals(parseDuration(`${count}${unit}`, "delay"), count * Number(ms));
  }));
});

Deno.test("a text or number that is no duration is refused by a RangeError that names the field", () => {
  const wrong = [
    ...[-1, -0.5, 0.5, 1_000.5, NaN, Infinity, -Infinity, MAX_DURATION_MS + 1, Number.MAX_VALUE],
    ...["", "30", "s", "30 s", " 30s", "30s ", "-30s", "+30s", "1.5s", "1e3s", "0x10s", "30S"],
    ...[
      "30sec",
      "1h30m",
      "1w",
      "1y",
      "٣s",
      "30s\n",
      "NaNs",
      "Infinitys",
      "36526d",
      `${"9".repeat(400)}d`,
    ],
    ...[undefined, null, true, 10n, Symbol("s"), {}, [], ["30s"], new Date(), () => 1],
  ];
  for (const value of wrong) {
    const error = assertThrows(() => parseDuration(value, "EmailMessage: timeout"), RangeError);
    assertEquals(error.message.startsWith("EmailMessage: timeout: has to be "), true);
  }
});

Deno.test("digits without a unit are told that the unit is missing, and not that a number is expected", () => {
  const { message } = assertThrows(() => parseDuration("30", "delay"), RangeError);
  assertEquals(
    message,
    `delay: has to be text with a unit like '250ms', '30s', '10m', '24h', '7d'; got "30"`,
  );
});

Deno.test("any value is read as whole milliseconds up to 100 years, or throws a RangeError", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    try {
      const ms = parseDuration(value, "delay");
      assertEquals(Number.isInteger(ms) && ms >= 0 && ms <= MAX_DURATION_MS, true);
    } catch (error) {
      assertEquals((error as Error).name, "RangeError");
    }
  }));
});

Deno.test("the longest duration can be added to now, as a Date and in ISO 8601", () => {
  const later = new Date(Date.UTC(2026, 10, 23) + MAX_DURATION_MS);
  assertEquals(later.toISOString(), "2126-11-24T00:00:00.000Z");
});
