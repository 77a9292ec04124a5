/** Counts for the time series: their buckets, minutes and bounds, and what becomes of them. */

import { assertEquals, assertRejects } from "@std/assert";
import { overriding } from "../../../support/changed_transport.ts";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import {
  bucketOf,
  BUCKETS,
  longestOf,
  type SeriesPoint,
} from "../../../../supabase/functions/_shared/symphony/message/series-point.ts";
import { TransportError } from "../../../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { SeriesCounter } from "../../../../supabase/functions/_shared/symphony/worker/series/series-counter.ts";

const NOON = Date.parse("2026-01-01T12:00:00Z");

/** A counter whose clock is set, and what it has written. */
function counting(record = (_points: readonly SeriesPoint[]) => Promise.resolve()) {
  const clock = { now: 1_000 };
  const written: SeriesPoint[] = [];
  const lines: string[] = [];
  const counter = new SeriesCounter({
    transport: {
      recordSeries: (points) => {
        written.push(...points);
        return record(points);
      },
    },
    log: createLogger({ level: "warn", write: (line: string) => void lines.push(line) }),
  });
  counter.synchronize(NOON, clock.now);
  return { clock, counter, written, lines };
}

const message = (over = {}) => ({
  queue: "default",
  type: "T",
  dueAtMs: 1_000,
  ...over,
});

Deno.test("a bucket ends at a power of two, which still belongs to it", () => {
  assertEquals([0, 0.2, 1].map(bucketOf), [0, 0, 0]);
  assertEquals([1.1, 2, 2.1, 4, 5, 8].map(bucketOf), [1, 1, 2, 2, 3, 3]);
  for (let bucket = 1; bucket < BUCKETS - 1; bucket++) {
    assertEquals(bucketOf(longestOf(bucket)), bucket);
    assertEquals(bucketOf(longestOf(bucket) + 0.01), bucket + 1);
  }
});

Deno.test("the last bucket takes every longer time, and a time that is no number counts as none", () => {
  assertEquals(bucketOf(2 ** 26), BUCKETS - 2);
  assertEquals([2 ** 26 + 1, 2 ** 40, Infinity].map(bucketOf), Array(3).fill(BUCKETS - 1));
  assertEquals(longestOf(BUCKETS - 1), Infinity);
  assertEquals([NaN, -5].map(bucketOf), [0, 0]);
});

Deno.test("an attempt counts with its wait by the store's clock and its run, an outcome by its kind", () => {
  const { clock, counter } = counting();
  clock.now = 1_110;
  counter.ran(message(), { kind: "handled" }, 1_030, clock.now);
  counter.ran(message(), { kind: "snoozed" }, 1_000, clock.now);
  counter.ended(message(), { kind: "handled" });
  for (const kind of ["retry", "dead", "released", "snoozed", "parked"] as const) {
    counter.ended(message(), { kind });
  }
  // The worker ended before the handler did: no attempt, and no retry.
  counter.ran(message(), { kind: "retry", interrupted: true }, 1_000, clock.now);
  counter.ended(message(), { kind: "retry", interrupted: true });
  assertEquals(counter.take(), [{
    at: "2026-01-01T12:00:00.000Z",
    ...{ queue: "default", type: "T", handled: 1, retried: 1, failed: 1 },
    // 30 ms and 80 ms.
    ...{ latency: [0, 0, 0, 0, 0, 1], latencyMs: 30 },
    ...{ runs: [0, 0, 0, 0, 0, 0, 0, 1], runMs: 80 },
  }]);
  assertEquals(counter.take(), []);
});

Deno.test("an outcome that was not written is taken back", () => {
  const { counter } = counting();
  counter.ended(message(), { kind: "handled" });
  counter.ended(message(), { kind: "handled" });
  counter.ended(message(), { kind: "handled" }, -1);
  counter.ended(message(), { kind: "released" }, -1);
  assertEquals(counter.take().map(({ handled }) => handled), [1]);
});

Deno.test("each minute, queue and type has a point of its own", () => {
  const { clock, counter } = counting();
  counter.ran(message(), { kind: "handled" }, 1_000, clock.now);
  counter.ran(message({ type: "U" }), { kind: "handled" }, 1_000, clock.now);
  counter.ran(message({ queue: "mail" }), { kind: "handled" }, 1_000, clock.now);
  counter.ran(message(), { kind: "handled" }, 1_000, clock.now);
  clock.now += 60_000;
  counter.ran(message(), { kind: "handled" }, clock.now, clock.now);
  assertEquals(
    counter.take().map(({ at, queue, type, runs }) => [at.slice(14, 16), queue, type, runs[0]]),
    [["00", "default", "T", 2], ["00", "default", "U", 1], ["00", "mail", "T", 1], [
      "01",
      "default",
      "T",
      1,
    ]],
  );
});

Deno.test("a message that is due since long ago, or in the future, has a time that can be added", () => {
  const { counter } = counting();
  counter.ran(message({ dueAtMs: -(2 ** 40) }), { kind: "handled" }, 1_000, 1_000);
  counter.ran(message({ dueAtMs: 2 ** 40 }), { kind: "handled" }, 1_000, 1_000);
  const [point] = counter.take();
  assertEquals([point?.latency[0], point?.latency[BUCKETS - 1], point?.latencyMs], [1, 1, 2 ** 31]);
});

Deno.test("types without end share one point", () => {
  const { counter } = counting();
  for (let n = 0; n < 5_000; n++) counter.ended(message({ type: `T${n}` }), { kind: "handled" });
  const points = counter.take();
  assertEquals(points.length, 2_001);
  assertEquals(points.at(-1)?.type, "(others)");
  assertEquals(points.at(-1)?.handled, 3_000);
});

Deno.test("counts that cannot be written are lost, with a line in the log, and fail nothing", async () => {
  const { counter, written, lines } = counting(() => Promise.reject(new Error("no database")));
  await counter.write();
  assertEquals([written.length, lines.length], [0, 0]);
  counter.ended(message(), { kind: "handled" });
  await counter.write();
  await counter.write();
  assertEquals([written.length, lines.length], [1, 1]);
});

Deno.test("outcomes that a worker holds when it breaks off are not counted, for their messages come again", async () => {
  const counter = new SeriesCounter({ transport: {}, log: createLogger({ level: "silent" }) });
  const tried = new Set<string>();
  const lost = () => Promise.reject(new TransportError("settle", "the database is away", true));
  const away = (settlements: readonly Settlement[]) => {
    for (const { id } of settlements) tried.add(id);
    return lost();
  };
  // Two calls are under way with one outcome each. The third outcome waits behind them.
  const { bus, work } = workbench([
    define(async (payload) => {
      while (tried.size < Number(payload)) await new Promise((resolve) => setTimeout(resolve, 5));
    }),
  ], {
    wrap: (memory) =>
      overriding(memory, { settle: away, settleAndClaim: away, extendLeases: lost }),
  });
  await bus.dispatchAll([0, 1, 2].map((payload) => ({ type: "T", payload })));
  await assertRejects(() => work({ leaseMs: 800, series: counter }), TransportError);
  assertEquals(counter.take().map(({ handled }) => handled), [0]);
});
