/** The prefetch size: how many messages a worker holds, by its measurements. */

import { assertEquals } from "@std/assert";
import { PrefetchSize } from "../../../../supabase/functions/_shared/symphony/worker/claim/prefetch-size.ts";

const idle = { busy: 0, running: 0, waiting: 0, stalledMs: 0 };
const full = { busy: 10, running: 10, waiting: 0, stalledMs: 0 };

/** The prefetch size of 10 slots and at most 100 messages, after these measurements. */
function measured(messageMs: number, roundTripMs: number): PrefetchSize {
  const size = new PrefetchSize({ slots: 10, most: 100 });
  for (let n = 0; n < 50; n++) {
    size.started(1);
    size.done(messageMs, 1);
    size.roundTrip(roundTripMs);
  }
  return size;
}

Deno.test("before the first measurement, one message waits behind each slot", () => {
  assertEquals(new PrefetchSize({ slots: 10, most: 100 }).room(idle).room, 20);
  assertEquals(new PrefetchSize({ slots: 10, most: 15 }).room(idle).room, 15);
  assertEquals(new PrefetchSize({ slots: 10, most: 5 }).room(idle).room, 5);
});

Deno.test("one fast handler is enough for a full batch", () => {
  const size = new PrefetchSize({ slots: 10, most: 100 });
  size.done(0.05, 1);
  assertEquals(size.room(idle).room, 100);
});

Deno.test("handlers of seconds have next to nothing waiting behind them", () => {
  assertEquals(measured(5_000, 5).room(full), { room: 1, worthwhile: 1 });
});

Deno.test("behind handlers of 50 ms, enough messages wait for 100 ms", () => {
  assertEquals(measured(50, 5).room(full), { room: 20, worthwhile: 10 });
});

Deno.test("where round trips are long, the waiting messages last for two of them", () => {
  assertEquals(measured(100, 400).room(full).room, 80);
});

Deno.test("messages that already wait count, and the limit is never exceeded", () => {
  assertEquals(measured(50, 5).room({ ...full, waiting: 15 }).room, 5);
  assertEquals(measured(50, 5).room({ ...full, waiting: 90 }).room, 0);
  assertEquals(measured(0.01, 5).room({ ...full, waiting: 40 }).room, 50);
});

Deno.test("slots that are stuck count as slow, whatever was measured before", () => {
  assertEquals(measured(0.05, 5).room({ ...full, stalledMs: 2_000 }).room, 1);
});

Deno.test("a worker becomes slower and faster with its handlers", () => {
  const size = measured(0.05, 5);
  for (let n = 0; n < 5; n++) size.done(10_000, 1);
  assertEquals(size.room(full).room, 1);
  for (let n = 0; n < 60; n++) size.done(0.05, 1);
  assertEquals(size.room(full).room, 90);
});

Deno.test("where handlers take batches, a free slot has room for one", () => {
  const size = new PrefetchSize({ slots: 2, most: 200 });
  size.started(50);
  size.done(2_000, 10);
  assertEquals(size.room(idle).room, 101);
  assertEquals(size.room({ ...idle, busy: 1, running: 50 }).room, 51);
});
