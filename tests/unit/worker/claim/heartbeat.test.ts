/** Leases of running handlers: kept by heartbeats, and lost without them. */

import { assert, assertEquals } from "@std/assert";
import { changed, failing } from "../../../support/changed_transport.ts";
import { define, defineLate, payloads, untilTold } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import { TransportError } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { startHeartbeat } from "../../../../supabase/functions/_shared/symphony/worker/claim/heartbeat.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a handler whose lease is lost is told", async () => {
  let told: unknown;
  const { bus, work, lines } = workbench([
    define((_payload, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(told = signal.reason))
      )
    ),
  ], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      extendLeases: (leases) =>
        Promise.resolve({ lost: leases.flatMap(({ ids }) => ids), cancelled: [] }),
    }),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ leaseMs: 150, budgetMs: 600 });
  assertEquals((told as Error).message, "the lease was lost");
  assert(lines.some(({ event }) => event === "lease_lost"));
});

Deno.test("a worker whose heartbeats do not arrive stops its handlers when the lease is over", async () => {
  const told: unknown[] = [];
  const startedAt = performance.now();
  let stoppedAt = 0;
  const { bus, memory, work, lines } = workbench([
    defineLate((_payload, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          stoppedAt ||= performance.now() - startedAt;
          told.push(signal.reason);
          reject(signal.reason);
        })
      )
    ),
  ], {
    wrap: (memory) =>
      changed(memory, {
        extendLeases: () =>
          Promise.reject(new TransportError("heartbeat", "the database is away", true)),
      }),
  });
  await bus.dispatchAll(payloads(3));
  const report = await work({ concurrency: 2, leaseMs: 300, budgetMs: 900 });
  assertEquals(told.length >= 2, true);
  assertEquals((told[0] as Error).name, "LeaseLostError");
  assert(stoppedAt >= 300, `stopped after ${stoppedAt} ms`);
  assert(lines.some(({ event }) => event === "leases_over"));
  assertEquals([report.handled, memory.messages.length], [0, 3]);
});

Deno.test("a lease that the database refuses to extend is lost alone", async () => {
  const runs = new Map<unknown, number>();
  const { bus, work, lines } = workbench([
    defineLate(async (payload, ctx) => {
      runs.set(payload, (runs.get(payload) ?? 0) + 1);
      if (payload === 7) await untilTold(payload, ctx);
      // Longer than its lease lasts by itself.
      else await sleep(1_000);
    }),
  ], {
    wrap: (memory) =>
      changed(memory, {
        extendLeases: (leases, leaseMs) => {
          const bad = memory.messages.find(({ payload }) => payload === 7)?.id;
          return leases.some(({ ids }) => ids.some((id) => id === bad))
            ? Promise.reject(new TransportError("heartbeat", "that row is broken", false))
            : memory.extendLeases(leases, leaseMs);
        },
      }),
  });
  await bus.dispatchAll(payloads(12));
  const report = await work({ concurrency: 12, leaseMs: 600, budgetMs: 2_000, maxMessages: 12 });
  assertEquals(report.handled, 11);
  assertEquals([...runs.values()].every((count) => count === 1), true);
  assert(lines.some(({ event }) => event === "heartbeat_refused"));
  assertEquals(lines.some(({ event }) => event === "leases_over"), false);
});

/** A passing fault of one row, raised by a trigger of the project's own, as SQL hands it on. */
const forNow = () =>
  new TransportError("heartbeat", "not now", true, {
    cause: { code: "PT503", details: "08006" },
    fault: "passing",
  });

/** Beats for these ids, each under a token of its own, until `calls` calls were made or `until` resolves. */
async function beats(
  ids: readonly string[],
  refuse: (ids: readonly string[], beat: number) => boolean,
  isEnough: (heard: { kept: number; lost: string[]; calls: number[] }) => boolean,
) {
  const heard = { kept: 0, lost: [] as string[], calls: [] as number[], failed: 0 };
  const enough = Promise.withResolvers<void>();
  const told = () => isEnough(heard) && enough.resolve();
  const { memory } = workbench([]);
  const heartbeat = startHeartbeat({
    transport: changed(memory, {
      extendLeases: (leases) => {
        const some = leases.flatMap(({ ids }) => ids);
        if (some.length === ids.length) heard.calls.push(0);
        heard.calls.push((heard.calls.pop() ?? 0) + 1);
        return refuse(some, heard.calls.length)
          ? Promise.reject(forNow())
          : Promise.resolve({ lost: [], cancelled: [] });
      },
    }),
    leaseMs: () => 300,
    held: () => ids.map((id) => ({ id, leaseToken: id })),
    onKept: () => (heard.kept++, told()),
    onLost: (ids) => (heard.lost.push(...ids), told()),
    onCancelled: () => {},
    log: createLogger({
      write: (_, line) => {
        if (JSON.parse(line).event === "heartbeat_failed") heard.failed++;
        told();
      },
    }),
  });
  await enough.promise;
  heartbeat.stop();
  return heard;
}

const twenty = Array.from({ length: 20 }, (_, n) => `${n + 1}`);

Deno.test("a lease that a trigger refuses once for now is kept, with all others", async () => {
  const { lost } = await beats(
    twenty,
    (ids, beat) => beat === 1 && ids.includes("7"),
    ({ kept }) => kept === 3,
  );
  assertEquals(lost, []);
});

Deno.test("a lease that a trigger refuses in two heartbeats is lost alone", async () => {
  const { lost, kept } = await beats(
    twenty,
    (ids) => ids.includes("7"),
    ({ lost }) => lost.length > 0,
  );
  assertEquals([lost, kept], [["7"], 2]);
});

Deno.test("a heartbeat of which a trigger refuses every part fails after a dozen calls, and no lease is lost by it", async () => {
  const { lost, kept, calls } = await beats(
    Array.from({ length: 200 }, (_, n) => `${n + 1}`),
    (_ids, beat) => beat === 1,
    ({ kept }) => kept === 1,
  );
  assertEquals([lost, kept, calls[0], calls[1]], [[], 1, 12, 1]);
});

Deno.test("a heartbeat of an outcome that was written does not stop the message's next attempt", async () => {
  const { memory } = workbench([]);
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const held = ["1", "2"].map((id) => ({ id, leaseToken: "before" }));
  const heartbeat = startHeartbeat({
    transport: changed(memory, {
      extendLeases: () => {
        // It was claimed again while the call was on its way.
        held.push({ id: "1", leaseToken: "after" });
        return Promise.resolve({ lost: ["1", "2"], cancelled: [] });
      },
    }),
    leaseMs: () => 30,
    held: () => held,
    onKept: () => {},
    onLost: resolve,
    onCancelled: () => {},
    log: createLogger({ write: () => {} }),
  });
  assertEquals(await promise, ["2"]);
  heartbeat.stop();
});

Deno.test("heartbeats come in time for the shortest lease that a claim gave", async () => {
  const kept: number[] = [];
  const { bus, work } = workbench([defineLate(() => sleep(250))], {
    wrap: (memory) =>
      changed(memory, {
        claim: (claim) => ({ ...claim, leaseMs: 90 }),
        extendLeases: (leases, leaseMs) => {
          kept.push(leaseMs);
          return memory.extendLeases(leases, leaseMs);
        },
      }),
  });
  await bus.dispatchAll(payloads(1));
  assertEquals((await work({ leaseMs: 60_000 })).handled, 1);
  assert(kept.length >= 2, `${kept.length} heartbeats`);
  assertEquals(new Set(kept), new Set([90]));
});
