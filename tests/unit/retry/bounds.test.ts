/** Delays of retries and snoozes pass one bound, and a Retry-After is spread upwards. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import {
  ExponentialBackoffRetryStrategy,
  HttpError,
  LinearBackoffRetryStrategy,
  type MessageOptions,
  RecoverableError,
  RetryManager,
  type RetryStrategy,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { snoozed } from "../../../supabase/functions/_shared/symphony/message/outcome.ts";

import { envelope, managing, now } from "./fixtures/managing.ts";

const refused = (retryAfter: string) =>
  new Response(null, { status: 429, headers: { "retry-after": retryAfter } });

Deno.test("a Retry-After is waited for at most a day, or as the type's maxRetryAfter says", () => {
  const delay = (retry: MessageOptions<z.ZodUnknown>["retry"]) =>
    managing(retry && { retry }).manager.determineRetryAction(envelope(), refused("9000000")).delay;
  const hour = 3_600_000;
  assertEquals(delay(undefined), 24 * hour);
  assertEquals(delay({ maxRetryAfter: "1h" }), hour);
  assertEquals(delay(new LinearBackoffRetryStrategy({ maxRetryAfter: "2h" })), 2 * hour);
  assertEquals(delay({ getDelay: () => 1, shouldRetry: () => true }), 24 * hour);
  assertEquals(
    managing().manager.determineRetryAction(
      envelope(),
      RecoverableError.fromResponse(refused("9000000"), { now }),
    ).delay,
    24 * hour,
  );
});

Deno.test("a RecoverableError's own delay is the handler's choice, and may be longer than a day", () => {
  const error = new RecoverableError("later", { retryDelay: "3d" });
  assertEquals(
    managing().manager.determineRetryAction(envelope(), error).delay,
    3 * 24 * 3_600_000,
  );
});

Deno.test("a Retry-After is spread upwards by the jitter, never earlier, and below its bound if it is beyond", () => {
  const { manager } = managing({ retry: { jitter: 0.2, maxRetryAfter: "34s" } });
  const delays = (asked: string) =>
    Array.from(
      { length: 500 },
      () => manager.determineRetryAction(envelope(), refused(asked)).delay,
    );
  for (const [asked, least, most] of [["30", 30_000, 36_000], ["34", 34_000, 40_800]] as const) {
    const spread = delays(asked);
    assertEquals(spread.filter((ms) => ms < least || ms > most), []);
    assert(new Set(spread).size > 100);
  }
  const bounded = delays("60");
  assert(bounded.every((ms) => ms >= 34_000 * 0.8 && ms <= 34_000));
  assert(new Set(bounded).size > 100);
});

Deno.test("an error that asks for no wait, or for more than a year, leaves it to the strategy", () => {
  const { manager } = managing();
  const delay = (error: unknown) => manager.determineRetryAction(envelope(), error).delay;
  const past = "Sun, 01 Mar 2026 11:59:00 GMT";
  for (const value of ["0", past]) {
    assertEquals(delay(HttpError.fromResponse(refused(value), { now })), 1_000, value);
  }
  // A time since 1970 in ms, and a hundred years.
  assertEquals(delay(new RecoverableError("x", { retryDelay: 1_771_404_540_000 })), 1_000);
  assertEquals(delay(new RecoverableError("x", { retryDelay: "36500d" })), 1_000);
  assertEquals(delay(new RecoverableError("x", { retryDelay: "365d" })), 365 * 86_400_000);
});

Deno.test("no delay of a strategy or a snooze is longer than a year", () => {
  const year = 365 * 86_400_000;
  const { manager } = managing({ retry: { delay: "36500d", maxDelay: 0 } });
  assertEquals(manager.determineRetryAction(envelope(), new Error("x")).delay, year);
  assertEquals([snoozed(1e15), snoozed(NaN), snoozed(0)].map(({ delayMs }) => delayMs), [
    year,
    100,
    100,
  ]);
});

Deno.test("a bus spreads a Retry-After upwards also for types without a jitter, never earlier", () => {
  const manager = new RetryManager({
    strategy: new ExponentialBackoffRetryStrategy(),
    retryAfterJitter: 0.1,
  });
  const delays = Array.from(
    { length: 500 },
    () => manager.determineRetryAction(envelope(), HttpError.fromResponse(refused("30"))).delay,
  );
  assert(delays.every((ms) => ms >= 30_000 && ms <= 33_000));
  assert(new Set(delays).size > 100);
});

Deno.test("messages asked to wait as long as maxRetryAfter, or nearly, are spread as far as others", () => {
  const manager = new RetryManager({
    strategy: new ExponentialBackoffRetryStrategy({ maxRetryAfter: "30s" }),
    retryAfterJitter: 0.1,
  });
  const delays = (after: string) =>
    Array.from(
      { length: 200 },
      () => manager.determineRetryAction(envelope(), HttpError.fromResponse(refused(after))).delay,
    );
  for (const asked of [20, 29, 30]) {
    const spread = delays(String(asked));
    assertEquals(spread.filter((ms) => ms < asked * 1_000 || ms > asked * 1_100), []);
    assert(new Set(spread).size > 50);
  }
  assertEquals(delays("31").filter((ms) => ms < 27_000 || ms > 30_000), []);
});

Deno.test("what a Retry-After asks beyond a bound comes back spread below it, also without a jitter", () => {
  const bounds: [RetryStrategy, number, number][] = [
    [new ExponentialBackoffRetryStrategy({ maxRetryAfter: "30s" }), 27_000, 30_000],
    [new LinearBackoffRetryStrategy({ maxRetryAfter: "30s" }), 27_000, 30_000],
    [
      { getDelay: () => 1, shouldRetry: () => true, getRetryAfter: (ms) => Math.min(ms, 20_000) },
      18_000,
      20_000,
    ],
    // And what a strategy makes longer, above it.
    [
      { getDelay: () => 1, shouldRetry: () => true, getRetryAfter: (ms) => ms + 1_000 },
      61_000,
      67_100,
    ],
  ];
  for (const [strategy, least, most] of bounds) {
    const manager = new RetryManager({ strategy, retryAfterJitter: 0.1 });
    const delays = Array.from(
      { length: 500 },
      () => manager.determineRetryAction(envelope(), HttpError.fromResponse(refused("60"))).delay,
    );
    assertEquals(delays.filter((ms) => ms < least || ms > most), []);
    assert(new Set(delays).size > 100);
  }
});

Deno.test("what comes again without end comes after 100 ms at the earliest", () => {
  const { manager } = managing({ retry: { delay: 0 } });
  const delay = (error: unknown) => manager.determineRetryAction(envelope(), error).delay;
  assertEquals(delay(new RecoverableError("x", { retryDelay: 0 })), 100);
  assertEquals(delay(new RecoverableError("x")), 100);
  assertEquals(delay(new Error("x")), 0);
  const endless = managing({ retry: { getDelay: () => 0, shouldRetry: () => true } }).manager;
  const later = endless.determineRetryAction(envelope({ retryCount: 50 }), new Error("x"));
  assertEquals(later.delay, 100);
});
