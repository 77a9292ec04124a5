/** Messages whose leases are lost: what waits leaves its room, and what runs its outcome. */

import { assertEquals } from "@std/assert";
import { changed } from "../../support/changed_transport.ts";
import { defineLate, payloads } from "../../support/definitions.ts";
import { envelopeAt } from "../../support/envelope.ts";
import { logTo } from "../../support/kept_log.ts";
import { workbench } from "../../support/worker.ts";
import { Change } from "../../../supabase/functions/_shared/symphony/worker/change.ts";
import { Claimer } from "../../../supabase/functions/_shared/symphony/worker/claim/claim.ts";
import {
  HeldLeases,
  type HeldLeasesParts,
} from "../../../supabase/functions/_shared/symphony/worker/held-leases.ts";

Deno.test("a message that is lost before its start leaves its room to others", async () => {
  const options = { concurrency: 1, batchSize: 100, leaseMs: 30, endsAt: Infinity };
  const claimer = new Claimer({ ...options, maxBytes: 1_000 });
  const changed = new Change();
  const waiting = envelopeAt(new Date(0), { bytes: 900 });
  claimer.buffer.add([waiting], 0);
  claimer.bytes.add([waiting]);
  assertEquals(claimer.bytes.room, 100);
  const leases = new HeldLeases({
    transport: { extendLeases: () => Promise.resolve({ lost: [waiting.id], cancelled: [] }) },
    slots: { size: 0, envelopes: () => [].values(), stop: () => changed.notify() },
    settler: { buffer: { settlements: () => [].values() } },
    ...{ leaseMs: 30, claimer, changed, log: logTo([]) },
  } as unknown as HeldLeasesParts);
  await changed.next(performance.now() + 60_000);
  changed.close();
  leases.close();
  assertEquals([claimer.buffer.size, claimer.bytes.room], [0, 250]);
});

Deno.test("a handler that works on without its lease keeps its slot, and no heartbeat names its message", async () => {
  const ended = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<"settled" | "kept">();
  let beats = 0;
  const { bus, work } = workbench([defineLate(() => ended.promise)], {
    wrap: (memory) =>
      changed(memory, {
        settle: () => seen.resolve("settled"),
        extendLeases: (leases) => {
          // Outcomes that wait to be written are kept for 100 ms, some three heartbeats.
          if (++beats === 20) seen.resolve("kept");
          return Promise.resolve({ lost: leases.flatMap(({ ids }) => ids), cancelled: [] });
        },
      }),
  });
  await bus.dispatchAll(payloads(1));
  const working = work({ leaseMs: 90, budgetMs: 3_000, maxMs: 3_000 });
  assertEquals(await seen.promise, "settled");
  ended.resolve();
  await working;
});
