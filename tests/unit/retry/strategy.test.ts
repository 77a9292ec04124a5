/** Exponential backoff: its delays, its limits, its options by message type. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MAX_DURATION_MS } from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";
import {
  ExponentialBackoffRetryStrategy,
  type RetryStrategy,
} from "../../../supabase/functions/_shared/symphony/retry/strategy.ts";

const HUGE_COUNTS = [62, 1_000, 1_074, 10_000, 1_000_000, Number.MAX_SAFE_INTEGER];

function delays(strategy: RetryStrategy, count: number, type?: string): number[] {
  return Array.from({ length: count }, (_, retryCount) => strategy.getDelay(retryCount, type));
}

Deno.test("the delays are those of Symfony's MultiplierRetryStrategy", () => {
  const table: [delay: number, multiplier: number, maxDelay: number, expected: number[]][] = [
    [1000, 1, 5000, [1000, 1000, 1000]],
    [1000, 2, 10_000, [1000, 2000, 4000, 8000, 10_000]],
    [1000, 2, 0, [1000, 2000, 4000, 8000, 16_000]],
    [1000, 3, 10_000, [1000, 3000, 9000]],
    [1000, 1, 500, [500]],
    [0, 2, 10_000, [0, 0]],
    [1000, 1.5555, 5000, [1000, 1556, 2420]],
    [1000, 1.1, 0, [1000, 1100, 1211]],
  ];
  for (const [delay, multiplier, maxDelay, expected] of table) {
    const strategy = new ExponentialBackoffRetryStrategy({ delay, multiplier, maxDelay });
    assertEquals(delays(strategy, expected.length), expected);
  }
});

Deno.test("a message is retried while its retry count is below maxRetries", () => {
  for (
    const [maxRetries, retryCount, expected] of [[3, 3, false], [0, 0, false], [3, 0, true], [
      3,
      2,
      true,
    ], [3, 4, false]] as const
  ) {
    assertEquals(
      new ExponentialBackoffRetryStrategy({ maxRetries }).shouldRetry(retryCount),
      expected,
    );
  }
});

Deno.test("without options there are 3 retries after 1, 2 and 4 seconds, capped at 30", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  assertEquals(delays(strategy, 6), [1000, 2000, 4000, 8000, 16_000, 30_000]);
  assertEquals([0, 1, 2, 3].map((n) => strategy.shouldRetry(n)), [true, true, true, false]);
});

Deno.test("durations are taken as text", () => {
  const strategy = new ExponentialBackoffRetryStrategy({ delay: "30s", maxDelay: "10m" });
  assertEquals(delays(strategy, 6), [30_000, 60_000, 120_000, 240_000, 480_000, 600_000]);
});

Deno.test("a delay never overflows, however high the retry count", () => {
  const options = [
    { delay: 1000, maxDelay: 0 },
    { delay: 1, multiplier: 1e308, maxDelay: 0, jitter: 1 },
    { delay: Number.MAX_SAFE_INTEGER, maxDelay: 0, jitter: 1 },
    { delay: Number.MAX_VALUE, maxDelay: Number.MAX_VALUE },
    { delay: 0, maxDelay: 0 },
  ];
  for (const option of options) {
    const strategy = new ExponentialBackoffRetryStrategy(option);
    for (const retryCount of [10, ...HUGE_COUNTS]) {
      const delay = strategy.getDelay(retryCount);
      assert(Number.isInteger(delay) && delay >= 0 && delay <= MAX_DURATION_MS, `${delay}`);
      assert(!Number.isNaN(new Date(Date.now() + delay).getTime()));
    }
  }
  assertEquals(
    new ExponentialBackoffRetryStrategy({ maxDelay: 0 }).getDelay(10_000),
    MAX_DURATION_MS,
  );
  assertEquals(new ExponentialBackoffRetryStrategy({ delay: 0 }).getDelay(10_000), 0);
});

Deno.test("a message type inherits what its options leave out", () => {
  const strategy = new ExponentialBackoffRetryStrategy({
    maxRetries: 3,
    delay: 1000,
    multiplier: 2.0,
    maxDelay: 30_000,
  });
  strategy.registerMessageType("EmailMessage", { maxRetries: 5, delay: 2000 });
  assertEquals(delays(strategy, 6, "EmailMessage"), [2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assertEquals(strategy.shouldRetry(4, "EmailMessage"), true);
  assertEquals(strategy.shouldRetry(5, "EmailMessage"), false);
  assertEquals(delays(strategy, 2, "OtherMessage"), [1000, 2000]);
  assertEquals(strategy.shouldRetry(3), false);
});

Deno.test("each option can be given to a message type alone", () => {
  const strategy = new ExponentialBackoffRetryStrategy({ random: () => 0 });
  strategy.registerMessageType("a", { multiplier: 3 });
  strategy.registerMessageType("b", { maxDelay: "1s" });
  strategy.registerMessageType("c", { jitter: 0.5 });
  strategy.registerMessageType("d", { maxRetries: 0 });
  assertEquals(delays(strategy, 3, "a"), [1000, 3000, 9000]);
  assertEquals(delays(strategy, 3, "b"), [1000, 1000, 1000]);
  assertEquals(delays(strategy, 3, "c"), [500, 1000, 2000]);
  assertEquals(strategy.shouldRetry(0, "d"), false);
});

Deno.test("registering a type again starts over from the strategy's own options", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  strategy.registerMessageType("a", { delay: 5000 });
  strategy.registerMessageType("a", { multiplier: 1 });
  assertEquals(delays(strategy, 2, "a"), [1000, 1000]);
});

Deno.test("an options object that changes later changes nothing", () => {
  const options = { delay: 1000 };
  const strategy = new ExponentialBackoffRetryStrategy(options);
  strategy.registerMessageType("a", options);
  options.delay = 9000;
  assertEquals([strategy.getDelay(0), strategy.getDelay(0, "a")], [1000, 1000]);
});

Deno.test("a type may be named like a property of every object", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  for (const type of ["__proto__", "constructor", "toString"]) {
    assertEquals(strategy.getDelay(0, type), 1000);
    strategy.registerMessageType(type, { delay: 7 });
    assertEquals(strategy.getDelay(0, type), 7);
  }
});

const WRONG_OPTIONS: Record<string, unknown[]> = {
  maxRetries: [-1, 1.5, NaN, Infinity, "3", null, 2 ** 53],
  delay: [-1, 0.5, NaN, Infinity, "1", "1y", null, {}, 10n],
  multiplier: [0, 0.99, -2, NaN, Infinity, "2", null],
  maxDelay: [-1, 0.5, NaN, -Infinity, "x", null],
  jitter: [-0.1, 1.01, NaN, Infinity, "0.1", null],
  maxRetry: [3],
};

Deno.test("a wrong option is refused by a RangeError that names it", () => {
  for (const [name, values] of Object.entries(WRONG_OPTIONS)) {
    for (const value of values) {
      const options = { [name]: value };
      assertThrows(() => new ExponentialBackoffRetryStrategy(options), RangeError, `${name}: `);
    }
  }
  const wrongRandom = { random: 0.5 } as unknown as { random: () => number };
  assertThrows(() => new ExponentialBackoffRetryStrategy(wrongRandom), RangeError, "random: ");
  for (const options of [null, 3, "x"]) {
    assertThrows(
      () => new ExponentialBackoffRetryStrategy(options as unknown as object),
      RangeError,
      "options: ",
    );
  }
});

Deno.test("a wrong option of a message type is refused by name and leaves the type as it was", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  strategy.registerMessageType("Email", { delay: 5 });
  for (const [name, values] of Object.entries({ ...WRONG_OPTIONS, random: [Math.random] })) {
    for (const value of values) {
      const register = () => strategy.registerMessageType("Email", { [name]: value });
      assertThrows(register, RangeError, `Email: ${name}: `);
    }
  }
  assertThrows(() => strategy.registerMessageType("", {}), RangeError, "type: ");
  assertThrows(
    () => strategy.registerMessageType("Email", null as unknown as object),
    RangeError,
    "options: ",
  );
  assertEquals(strategy.getDelay(0, "Email"), 5);
});

Deno.test("a retry count that is no whole number from 0 is refused", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  for (const wrong of [-1, 0.5, NaN, Infinity, "1", undefined, null]) {
    assertThrows(() => strategy.getDelay(wrong as number), RangeError, "retryCount: ");
    assertThrows(() => strategy.shouldRetry(wrong as number), RangeError, "retryCount: ");
  }
});

/** The ends of the range that jitter draws from. */
function range(options: object, retryCount: number): [number, number] {
  const drawing = (drawn: number) =>
    new ExponentialBackoffRetryStrategy({ ...options, random: () => drawn }).getDelay(retryCount);
  assertEquals(drawing(1), drawing(1 - Number.EPSILON / 2));
  return [drawing(0), drawing(1)];
}

Deno.test("jitter spreads a delay by that part of it up and down", () => {
  for (let tenths = 0; tenths <= 10; tenths++) {
    const options = { delay: 1000, multiplier: 1, maxDelay: 0, jitter: tenths / 10 };
    assertEquals(range(options, 0), [1000 - tenths * 100, 1000 + tenths * 100]);
  }
  assertEquals(range({ delay: 3, jitter: 0.5 }, 0), [2, 4]);
  assertEquals(range({ delay: 1, jitter: 0.9 }, 0), [1, 1]);
});

Deno.test("at the cap jitter spreads downwards only", () => {
  assertEquals(range({ delay: 1000, maxDelay: 30_000, jitter: 0.2 }, 10), [24_000, 30_000]);
  assertEquals(range({ delay: 1000, maxDelay: 30_000, jitter: 1 }, 10_000), [0, 30_000]);
  assertEquals(range({ delay: 28_000, maxDelay: 30_000, jitter: 0.5 }, 0), [14_000, 30_000]);
});

Deno.test("a queue full of capped retries does not come back in one herd", () => {
  for (const delay of [30_000, 29_000, 45_000]) {
    const strategy = new ExponentialBackoffRetryStrategy({ delay, maxDelay: 30_000, jitter: 0.2 });
    const drawn = Array.from({ length: 1_000 }, () => strategy.getDelay(0));
    const atTheCap = drawn.filter((ms) => ms === 30_000).length;
    assert(atTheCap < 20, `${atTheCap} of 1,000 wait for the cap itself`);
  }
});

Deno.test("every delay of the range is drawn equally often", () => {
  const steps = 700;
  let draw = 0;
  const random = () => (draw++ + 0.5) / steps;
  const strategy = new ExponentialBackoffRetryStrategy({ delay: 10, jitter: 0.3, random });
  const counts = Map.groupBy(Array.from({ length: steps }, () => strategy.getDelay(0)), (ms) => ms);
  assertEquals([...counts.keys()].sort((a, b) => a - b), [7, 8, 9, 10, 11, 12, 13]);
  for (const drawn of counts.values()) assertEquals(drawn.length, 100);
});

Deno.test("a random source that gives no number from 0 to 1 is refused", () => {
  for (const wrong of [NaN, -0.1, 1.1, Infinity, "0.5"]) {
    const random = () => wrong as number;
    const strategy = new ExponentialBackoffRetryStrategy({ jitter: 0.5, random });
    assertThrows(() => strategy.getDelay(0), RangeError, "random: ");
  }
});

const anyOptions = fc.record({
  maxRetries: fc.nat(),
  delay: fc.oneof(fc.nat(100_000), fc.nat(Number.MAX_SAFE_INTEGER)),
  multiplier: fc.oneof(
    fc.double({ min: 1, max: 10, noNaN: true }),
    fc.double({ min: 1, max: Number.MAX_VALUE, noNaN: true }),
  ),
  maxDelay: fc.oneof(fc.nat(100_000), fc.nat(Number.MAX_SAFE_INTEGER)),
}, { requiredKeys: [] });

const anyCount = fc.oneof(fc.nat(20), fc.nat(10_000), fc.nat(Number.MAX_SAFE_INTEGER));

Deno.test("a retry delay is whole, not negative, and never exceeds maxDelay", () => {
  const jitter = fc.double({ min: 0, max: 1, noNaN: true });
  const drawn = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(anyOptions, anyCount, jitter, drawn, (options, retryCount, jitter, drawn) => {
      const strategy = new ExponentialBackoffRetryStrategy({
        ...options,
        jitter,
        random: () => drawn,
      });
      const plain = new ExponentialBackoffRetryStrategy(options).getDelay(retryCount);
      const delay = strategy.getDelay(retryCount);
      assert(Number.isInteger(delay));
      assert(delay >= Math.floor(plain * (1 - jitter)));
      assert(delay <= Math.min((options.maxDelay ?? 30_000) || MAX_DURATION_MS, MAX_DURATION_MS));
      assert(delay <= Math.ceil(plain * (1 + jitter)));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("without jitter a delay is the formula's, and never shorter than the one before", () => {
  fc.assert(
    fc.property(anyOptions, anyCount, (options, retryCount) => {
      const strategy = new ExponentialBackoffRetryStrategy(options);
      const { delay = 1000, multiplier = 2, maxDelay = 30_000 } = options;
      const cap = Math.min(maxDelay || MAX_DURATION_MS, MAX_DURATION_MS);
      const grown = delay === 0 ? 0 : delay * multiplier ** retryCount;
      assertEquals(strategy.getDelay(retryCount), Math.ceil(Math.min(grown, cap)));
      if (retryCount > 0) {
        assert(strategy.getDelay(retryCount - 1) <= strategy.getDelay(retryCount));
      }
    }),
    { numRuns: 2_000 },
  );
});
