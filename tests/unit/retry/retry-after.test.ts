/** Retry-After headers: the forms that RFC 9110 has, and nothing else. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_DURATION_MS } from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";
import { parseRetryAfter } from "../../../supabase/functions/_shared/symphony/retry/http.ts";

const now = new Date("2026-11-23T12:00:00Z");

Deno.test("seconds are taken, up to 100 years", () => {
  assertEquals(parseRetryAfter("0", now), 0);
  assertEquals(parseRetryAfter(" 120 ", now), 120_000);
  assertEquals(parseRetryAfter("007", now), 7_000);
  assertEquals(parseRetryAfter("9".repeat(400), now), MAX_DURATION_MS);
});

Deno.test("the three forms of an HTTP date are taken", () => {
  for (
    const text of [
      "Mon, 23 Nov 2026 12:00:30 GMT",
      "Monday, 23-Nov-26 12:00:30 GMT",
      "Mon Nov 23 12:00:30 2026",
    ]
  ) {
    assertEquals(parseRetryAfter(text, now), 30_000);
  }
  assertEquals(parseRetryAfter("Tue Dec  1 12:00:00 2026", now), 8 * 86_400_000);
  assertEquals(
    parseRetryAfter("Mon, 23 Nov 2026 12:00:00 GMT", new Date(now.getTime() - 250)),
    250,
  );
});

Deno.test("a date in the past is no delay", () => {
  assertEquals(parseRetryAfter("Mon, 23 Nov 2026 11:59:59 GMT", now), 0);
  assertEquals(parseRetryAfter("Sunday, 06-Nov-94 08:49:37 GMT", now), 0);
  assertEquals(parseRetryAfter("Sun Nov  6 08:49:37 1994", now), 0);
});

Deno.test("a date far ahead is taken for 100 years", () => {
  assertEquals(parseRetryAfter("Fri, 31 Dec 9999 23:59:59 GMT", now), MAX_DURATION_MS);
});

Deno.test("a Retry-After that is neither seconds nor a date is ignored", () => {
  const garbage = [
    "",
    " ",
    "soon",
    "-1",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "120, 60",
    "120s",
    "NaN",
    "٣",
  ];
  garbage.push("2026-11-23T12:00:30Z", "Mon, 23 Nov 2026", "23 Nov 2026 12:00:30 GMT");
  garbage.push("Mon, 23 Nov 2026 12:00:30 CET", "Mon, 23 Xyz 2026 12:00:30 GMT");
  garbage.push("Mon, 23 Nov 2026 25:00:00 GMT", "Mon, 23 Nov 2026 12:60:00 GMT", "soon 5");
  for (const text of garbage) assertEquals(parseRetryAfter(text, now), undefined, text);
  assertEquals(parseRetryAfter(null, now), undefined);
});

Deno.test("every date that a Date writes is read back to the second", () => {
  const dates = fc.date({
    min: now,
    max: new Date(now.getTime() + MAX_DURATION_MS),
    noInvalidDate: true,
  });
  fc.assert(fc.property(dates, (date) => {
    const wholeSeconds = date.getTime() - date.getMilliseconds();
    const expected = Math.max(0, wholeSeconds - now.getTime());
    assertEquals(parseRetryAfter(date.toUTCString(), now), expected);
  }));
});

Deno.test("whatever the header says, the delay is whole and within bounds, or there is none", () => {
  const header = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."0123456789 :,-GMTNovDec") }),
  );
  fc.assert(fc.property(header, (text) => {
    const ms = parseRetryAfter(text, now);
    assert(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= MAX_DURATION_MS));
  }));
});
