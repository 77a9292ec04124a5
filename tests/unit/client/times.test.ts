/** How long the client waits before it asks again. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { dueAtOf } from "../../../client/entry.ts";
import { MAX_POLL_MS, MAX_RETRY_MS, pollDelay, retryDelay } from "../../../client/times.ts";
import { state } from "../../support/followed.ts";

const moment = "2026-11-24T10:00:00.000000+00:00";

/** Takes this for chance. */
function withRandom<Result>(random: number, act: () => Result): Result {
  const before = Math.random;
  Math.random = () => random;
  try {
    return act();
  } finally {
    Math.random = before;
  }
}

Deno.test("a request is repeated after twice the time before, or the time that the server asks for", () => {
  withRandom(0, () => {
    assertEquals([0, 1, 2].map((retry) => retryDelay(retry, undefined)), [500, 1_000, 2_000]);
    assertEquals(retryDelay(9, 60_000), 60_000);
  });
  assertEquals(retryDelay(0, 0), 0);
});

Deno.test("up to a half is added to each wait, so that clients do not return together", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
      const least = withRandom(0, () => retryDelay(n, undefined));
      const delayMs = withRandom(random, () => retryDelay(n, undefined));
      return least >= 500 && least <= MAX_RETRY_MS && delayMs >= least && delayMs <= least * 1.5;
    }),
  );
});

Deno.test("a message that waits is looked at when it is due, but every half minute", () => {
  for (const status of ["pending", "retrying"] as const) {
    assertEquals(dueAtOf(state("1", { status, availableAt: moment })), Date.parse(moment));
    assertEquals(dueAtOf(state("1", { status, availableAt: null })), 0);
  }
  assertEquals(dueAtOf(state("1", { status: "processing", availableAt: moment })), 0);
  assertEquals(pollDelay(-2_000, 1), 2_000);
  assertEquals(pollDelay(-86_400_000, 1), MAX_POLL_MS);
});

Deno.test("a message that is due or runs is looked at less often the longer nothing changes", () => {
  const seconds = [0, 1, 2, 10, 50, 100, 300, 3_600];
  assertEquals(seconds.map((s) => pollDelay(s * 1_000, 1) / 1_000), [
    ...[0.5, 0.5, 1, 5, 5, 10, 30, 30],
  ]);
});

Deno.test("a client that follows many messages asks about one request a second, and no less often than each half minute", () => {
  assertEquals(pollDelay(0, 1_000), 10_000);
  assertEquals(pollDelay(0, 10_000), MAX_POLL_MS);
});
