/** The strategies beside exponential backoff. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MAX_DURATION_MS } from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";
import {
  FixedDelaysRetryStrategy,
  FunctionRetryStrategy,
  LinearBackoffRetryStrategy,
} from "../../../supabase/functions/_shared/symphony/retry/alternatives.ts";
import type { RetryStrategy } from "../../../supabase/functions/_shared/symphony/retry/strategy.ts";

function delays(strategy: RetryStrategy, count: number): number[] {
  return Array.from({ length: count }, (_, retryCount) => strategy.getDelay(retryCount));
}

function retries(strategy: RetryStrategy): number {
  return [...Array(20).keys()].filter((retryCount) => strategy.shouldRetry(retryCount)).length;
}

Deno.test("linear backoff grows by the first delay, up to the cap", () => {
  const strategy = new LinearBackoffRetryStrategy({ delay: "10s", maxRetries: 5 });
  assertEquals(delays(strategy, 5), [10_000, 20_000, 30_000, 30_000, 30_000]);
  assertEquals(retries(strategy), 5);
  assertEquals(retries(new LinearBackoffRetryStrategy()), 3);
});

Deno.test("linear backoff grows by the increment where there is one", () => {
  const strategy = new LinearBackoffRetryStrategy({ delay: 1000, increment: 500, maxDelay: 0 });
  assertEquals(delays(strategy, 4), [1000, 1500, 2000, 2500]);
  assertEquals(strategy.getDelay(Number.MAX_SAFE_INTEGER), MAX_DURATION_MS);
});

Deno.test("linear backoff is spread by jitter, downwards at the cap", () => {
  const options = { delay: 1000, maxDelay: 2000, jitter: 0.5 };
  const lowest = new LinearBackoffRetryStrategy({ ...options, random: () => 0 });
  const highest = new LinearBackoffRetryStrategy({ ...options, random: () => 1 });
  assertEquals(delays(lowest, 3), [500, 1000, 1000]);
  assertEquals(delays(highest, 3), [1500, 2000, 2000]);
});

Deno.test("a list of delays is waited through, and then there is no retry", () => {
  const strategy = new FixedDelaysRetryStrategy(["1s", "1m", 3_600_000]);
  assertEquals(delays(strategy, 3), [1000, 60_000, 3_600_000]);
  assertEquals(retries(strategy), 3);
});

Deno.test("with more retries than delays the last delay is repeated", () => {
  const strategy = new FixedDelaysRetryStrategy([1, 2], { maxRetries: 4 });
  assertEquals(delays(strategy, 4), [1, 2, 2, 2]);
  assertEquals(retries(strategy), 4);
  assertEquals(retries(new FixedDelaysRetryStrategy([1, 2], { maxRetries: 1 })), 1);
});

Deno.test("a function's delay is taken, rounded up to whole milliseconds", () => {
  const strategy = new FunctionRetryStrategy(
    (retryCount, type) => type === "Slow" ? "1h" : 0.5 + retryCount,
    { maxRetries: 7 },
  );
  assertEquals(delays(strategy, 3), [1, 2, 3]);
  assertEquals(strategy.getDelay(0, "Slow"), 3_600_000);
  assertEquals(retries(strategy), 7);
  assertEquals(retries(new FunctionRetryStrategy(() => 1)), 3);
});

Deno.test("a function that gives no duration is named in a RangeError", () => {
  const wrong = [-1, -0.5, NaN, Infinity, "soon", undefined, null, {}, Promise.resolve(1)];
  for (const value of wrong) {
    const strategy = new FunctionRetryStrategy(() => value as number);
    assertThrows(() => strategy.getDelay(2, "Email"), RangeError, 'delayOf(2, "Email"): ');
  }
});

Deno.test("a wrong option is refused by a RangeError that names it", () => {
  const cases: [() => unknown, string][] = [
    [() => new LinearBackoffRetryStrategy({ delay: -1 }), "delay: "],
    [() => new LinearBackoffRetryStrategy({ increment: -1 }), "increment: "],
    [() => new LinearBackoffRetryStrategy({ increment: null as unknown as number }), "increment: "],
    [() => new LinearBackoffRetryStrategy({ multiplier: 2 } as object), "multiplier: "],
    [() => new LinearBackoffRetryStrategy({ random: 1 } as object), "random: "],
    [() => new FixedDelaysRetryStrategy([]), "delays: "],
    [() => new FixedDelaysRetryStrategy("1s" as unknown as []), "delays: "],
    [() => new FixedDelaysRetryStrategy(undefined as unknown as []), "delays: "],
    [() => new FixedDelaysRetryStrategy([1, -1]), "delays[1]: "],
    [() => new FixedDelaysRetryStrategy(Array(1)), "delays[0]: "],
    [() => new FixedDelaysRetryStrategy([1], { maxRetries: -1 }), "maxRetries: "],
    [() => new FixedDelaysRetryStrategy([1], { max: 1 } as object), "max: "],
    [() => new FunctionRetryStrategy(5 as unknown as () => number), "delayOf: "],
    [() => new FunctionRetryStrategy(() => 1, { maxRetries: 0.5 }), "maxRetries: "],
  ];
  for (const [construct, message] of cases) assertThrows(construct, RangeError, message);
});

Deno.test("each refuses a retry count that is no whole number from 0", () => {
  const strategies: RetryStrategy[] = [
    new LinearBackoffRetryStrategy(),
    new FixedDelaysRetryStrategy([1]),
    new FunctionRetryStrategy(() => 1),
  ];
  for (const strategy of strategies) {
    for (const wrong of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => strategy.getDelay(wrong), RangeError, "retryCount: ");
      assertThrows(() => strategy.shouldRetry(wrong), RangeError, "retryCount: ");
    }
  }
});

Deno.test("a linear delay never exceeds maxDelay and never shrinks without jitter", () => {
  const options = fc.record({ delay: fc.nat(), increment: fc.nat(), maxDelay: fc.nat() });
  fc.assert(fc.property(options, fc.nat(), (options, retryCount) => {
    const strategy = new LinearBackoffRetryStrategy(options);
    const [before, delay] = [strategy.getDelay(retryCount), strategy.getDelay(retryCount + 1)];
    assertEquals(before <= delay && delay <= (options.maxDelay || MAX_DURATION_MS), true);
  }));
});
