/** Calls to the database that fail: what a worker repeats, and what it gives up. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { failing } from "../../../support/changed_transport.ts";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import { TransportError } from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("a claim and a settle whose responses are lost are repeated, and nothing runs twice", async () => {
  const lost = new Set(["claim", "settle"]);
  const seen: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => seen.push(payload))], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          when === "after" && lost.delete(operation)
            ? new TransportError(operation, "connection reset", true)
            : undefined,
      ),
  });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  assertEquals(await work(), { claimed: 3, handled: 3, retried: 0, failed: 0 });
  assertEquals([seen, memory.messages, lost.size], [[1, 2, 3], [], 0]);
});

Deno.test("a settle is repeated while the lease holds; after that the message is delivered again", async () => {
  let away = true;
  const runs: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => runs.push(payload))], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          away && when === "before" && operation !== "claim"
            ? new TransportError(operation, "the database is away", true)
            : undefined,
      ),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await assertRejects(() => work({ leaseMs: 300 }), TransportError, "the database is away");
  assertEquals(memory.messages.length, 1);
  away = false;
  assertEquals((await work({ budgetMs: 3_000 })).handled, 1);
  assertEquals([runs, memory.messages], [[1, 1], []]);
});

Deno.test("a settlement that the database refuses does not hold back the others", async () => {
  const { bus, memory, work, lines } = workbench([define(() => {})], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      settle: (settlements) =>
        settlements.some(({ id }) => id === "2")
          ? Promise.reject(new TransportError("settle", "refused", false))
          : memory.settle(settlements),
      settleAndClaim: () => Promise.reject(new TransportError("settle", "refused", false)),
    }),
  });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  assertEquals((await work()).handled, 2);
  assertEquals(memory.messages.map(({ id }) => id), ["2"]);
  assert(lines.some(({ event, id }) => event === "settle_refused" && id === "2"));
});
