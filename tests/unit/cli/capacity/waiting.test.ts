/** How long messages wait for a slot: Erlang's C formula. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { meanWaitMs } from "../../../../cli/capacity/waiting.ts";

Deno.test("with one slot the wait is that of M/M/1: the load over the free share, times the handler", () => {
  assertAlmostEquals(meanWaitMs(0.5, 1, 100), 100, 1e-9);
  assertAlmostEquals(meanWaitMs(0.9, 1, 100), 900, 1e-9);
});

Deno.test("with two slots the wait is the known value of M/M/2", () => {
  // For a = 1 and c = 2, C = 1/3, and the wait is C h / (c - a).
  assertAlmostEquals(meanWaitMs(1, 2, 300), 100, 1e-9);
});

Deno.test("without messages none waits, and more than the slots can take waits for ever", () => {
  assertEquals(meanWaitMs(0, 10, 100), 0);
  assertEquals(meanWaitMs(10, 10, 100), Infinity);
});

Deno.test("thousands of slots overflow nothing", () => {
  const wait = meanWaitMs(70_000, 100_000, 1_000);
  assert(wait >= 0 && wait < 1, String(wait));
});
