/** How long the client waits before it asks again. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  dueAtOf,
  lookDelay,
  MAX_LOOK_MS,
  MAX_RETRY_MS,
  retryDelay,
} from "../../../client/times.ts";

const moment = "2026-11-24T10:00:00.000000+00:00";
const due = { dueInMs: 0, quietMs: 0, requests: 1, isQuiet: false };

Deno.test("a request is repeated after twice the time before, or the time that the server asks for", () => {
  assertEquals([0, 1, 2].map((retry) => retryDelay(retry, undefined, 0)), [500, 1_000, 2_000]);
  assertEquals(retryDelay(9, 60_000, 0), 60_000);
  assertEquals(retryDelay(0, 0, 0.5), 0);
});

Deno.test("up to a half is added to each wait, so that clients do not return together", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
      const least = retryDelay(n, undefined, 0);
      const delayMs = retryDelay(n, undefined, random);
      return least >= 500 && least <= MAX_RETRY_MS && delayMs >= least && delayMs <= least * 1.5;
    }),
  );
});

Deno.test("a message that waits is looked at when it is due, but every half minute", () => {
  for (const status of ["pending", "retrying"]) {
    assertEquals(dueAtOf({ status, availableAt: moment }), Date.parse(moment));
    assertEquals(dueAtOf({ status, availableAt: null }), 0);
  }
  assertEquals(dueAtOf({ status: "processing", availableAt: moment }), 0);
  assertEquals(lookDelay({ ...due, dueInMs: 2_000, quietMs: -2_000 }), 2_000);
  assertEquals(lookDelay({ ...due, dueInMs: 86_400_000, quietMs: -86_400_000 }), MAX_LOOK_MS);
});

Deno.test("a message that is due or runs is looked at less often the longer nothing changes", () => {
  const seconds = [0, 1, 2, 10, 50, 100, 300, 3_600];
  assertEquals(seconds.map((s) => lookDelay({ ...due, quietMs: s * 1_000 }) / 1_000), [
    ...[0.5, 0.5, 1, 5, 5, 10, 30, 30],
  ]);
});

Deno.test("with live updates a message is looked at every half minute", () => {
  assertEquals(lookDelay({ ...due, isQuiet: true }), MAX_LOOK_MS);
});

Deno.test("a client that follows many messages asks about one request a second, and no less often than each half minute", () => {
  assertEquals(lookDelay({ ...due, requests: 10 }), 9_000);
  assertEquals(lookDelay({ ...due, requests: 100 }), MAX_LOOK_MS);
});
