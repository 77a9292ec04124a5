/** How long the client waits before it asks again. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  dueInMs,
  lookDelay,
  MAX_LOOK_MS,
  MAX_RETRY_MS,
  retryDelay,
} from "../../../client/times.ts";

const moment = "2026-11-24T10:00:00.000000+00:00";
const message = (status: "pending" | "processing" | "retrying", availableAt: string | null) => ({
  kind: "message" as const,
  id: "1",
  type: "Note",
  status,
  cancelling: false,
  reason: null,
  attempt: 1,
  createdAt: moment,
  availableAt,
  finishedAt: null,
  progress: null,
});

Deno.test("a request is repeated after twice the time before, less up to half of it", () => {
  assertEquals([0, 1, 2].map((retry) => retryDelay(retry, 0)), [500, 1_000, 2_000]);
  assertEquals([0, 1, 2].map((retry) => retryDelay(retry, 0.5)), [375, 750, 1_500]);
});

Deno.test("a repeat waits from a quarter of a second to ten seconds", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
      const delayMs = retryDelay(n, random);
      return delayMs >= 250 && delayMs <= MAX_RETRY_MS;
    }),
  );
});

Deno.test("a message that waits is looked at when it is due, but every half minute", () => {
  const now = Date.parse(moment) - 2_000;
  for (const status of ["pending", "retrying"] as const) {
    assertEquals(dueInMs(message(status, moment), now), 2_000);
    assertEquals(dueInMs(message(status, moment), now + 9_000), 0);
    assertEquals(dueInMs(message(status, null), now), 0);
  }
  assertEquals([lookDelay(2_000, 9), lookDelay(86_400_000, 0)], [2_000, MAX_LOOK_MS]);
});

Deno.test("a message that is due or runs is looked at less often while nothing changes", () => {
  assertEquals(dueInMs(message("processing", moment), 0), 0);
  const delays = Array.from({ length: 50 }, (_, looks) => lookDelay(0, looks));
  assertEquals(delays.slice(0, 3), [500, 750, 1_125]);
  assertEquals(delays.toSorted((a, b) => a - b), delays);
  assertEquals(delays.at(-1), 5_000);
});
