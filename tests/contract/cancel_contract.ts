/** Promises of every transport: cancels of messages that wait and of messages that run. */

import { assertEquals, assertRejects } from "@std/assert";
import type { AttemptError } from "../../supabase/functions/_shared/symphony/message/envelope.ts";
import {
  handled,
  released,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { promises } from "./promises.ts";
import {
  claimOf,
  failure,
  LEASE_MS,
  settlementsOf,
  type TransportUnderTest,
} from "./under_test.ts";

/** Registers the suite for one transport. */
export function testCancels(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a cancelled message that waits is a dead letter at once", async (t) => {
    const [id = ""] = await t.transport.send([
      { type: "T", payload: 1 },
      { type: "T", payload: 2 },
    ]);
    assertEquals(await t.transport.cancel({ ids: [id] }), { cancelled: 1, running: 0 });
    assertEquals(await t.failed(), [{ id, reason: "cancelled", attempts: 0, errors: [] }]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ payload }) => payload), [2]);
    assertEquals(await t.transport.cancel({ ids: [id] }), { cancelled: 0, running: 0 });
  });

  promise("a cancel takes what all of its fields mean", async (t) => {
    const ids = await t.transport.send([
      { type: "A", payload: 1, queue: "x" },
      { type: "A", payload: 2, queue: "y" },
      { type: "B", payload: 3, queue: "x" },
    ]);
    assertEquals((await t.transport.cancel({ type: "A", queue: "x" })).cancelled, 1);
    assertEquals((await t.failed()).map(({ id }) => id), [ids[0]]);
    assertEquals((await t.transport.cancel({ ids, queue: "x" })).cancelled, 1);
    assertEquals((await t.transport.cancel({ type: "A" })).cancelled, 1);
  });

  promise("a cancel that means everything is refused unless it says so", async ({ transport }) => {
    const ids = await transport.send([1, 2].map((payload) => ({ type: "T", payload })));
    const missing = null as unknown as string[];
    for (
      const [filter, named] of [
        [{}, "filter: give at least one of ids, type, queue"],
        [{ all: false }, "filter: give at least one of"],
        [{ ids: missing }, "ids: is null"],
        [{ ids: missing, type: "T" }, "ids: is null"],
        [{ type: "" }, "type: is empty"],
        [{ ids: ids[0] as unknown as string[] }, "ids: have to be a list of ids"],
        [{ ids: ["all"] }, "ids: have to be ids as text"],
        [{ type: 5 as unknown as string }, "type: has to be a text"],
        [{ all: "no" as unknown as boolean }, "all: has to be true or false"],
        [{ all: true, ids }, "all: goes with no other filter (ids was given)"],
      ] as const
    ) {
      await assertRejects(() => transport.cancel(filter), RangeError, named);
    }
    assertEquals(await transport.cancel({ ids: [] }), { cancelled: 0, running: 0 });
    assertEquals(await transport.cancel({ all: true }), { cancelled: 2, running: 0 });
  });

  promise("a heartbeat names messages that were cancelled while they ran", async (t) => {
    const ids = await t.transport.send([1, 2].map((payload) => ({ type: "T", payload })));
    const request = claimOf();
    const { messages } = await t.transport.claim(request);
    const [first = ""] = ids;
    assertEquals(await t.transport.cancel({ ids: [first] }), { cancelled: 0, running: 1 });
    assertEquals(await t.failed(), []);
    const leases = [{ token: request.token, ids }];
    assertEquals(await t.transport.extendLeases(leases, LEASE_MS), {
      lost: [],
      cancelled: [first],
    });
    const dead = { kind: "dead", reason: "cancelled", errors: [failure] } as const;
    const cancelled = messages.filter(({ id }) => id === first);
    assertEquals(await t.transport.settle(settlementsOf(cancelled, dead)), { stale: [] });
    assertEquals(await t.failed(), [
      { id: first, reason: "cancelled", attempts: 1, errors: [failure] },
    ]);
  });

  promise("a message that was cancelled too late is handled", async (t) => {
    const ids = await t.transport.send([{ type: "T", payload: 1 }]);
    const { messages } = await t.transport.claim(claimOf());
    await t.transport.cancel({ ids });
    assertEquals(await t.transport.settle(settlementsOf(messages, handled)), { stale: [] });
    assertEquals(await t.failed(), []);
  });

  const again: [string, Settlement["outcome"], AttemptError[]][] = [
    ["retried", { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] }, [failure]],
    ["snoozed", { kind: "snoozed", delayMs: 0 }, []],
    ["given back", released, []],
  ];
  for (const [what, outcome, errors] of again) {
    promise(`a cancelled message that is ${what} does not come again`, async (t) => {
      const [id = ""] = await t.transport.send([{ type: "T", payload: 1 }]);
      const { messages } = await t.transport.claim(claimOf());
      await t.transport.cancel({ ids: [id] });
      assertEquals(await t.transport.settle(settlementsOf(messages, outcome)), { stale: [id] });
      assertEquals(await t.failed(), [{ id, reason: "cancelled", attempts: 1, errors }]);
      assertEquals((await t.transport.claim(claimOf())).messages, []);
    });
  }

  promise("a message whose lease ran out is cancelled at once", async (t) => {
    const [id = ""] = await t.transport.send([{ type: "T", payload: 1 }]);
    const { messages } = await t.transport.claim(claimOf());
    await t.advance(LEASE_MS + 1);
    assertEquals(await t.transport.cancel({ ids: [id] }), { cancelled: 1, running: 0 });
    assertEquals(await t.transport.settle(settlementsOf(messages, handled)), { stale: [id] });
    assertEquals((await t.failed()).map(({ reason }) => reason), ["cancelled"]);
  });

  promise("a cancelled message whose worker died does not come again", async (t) => {
    const ids = await t.transport.send([{ type: "T", payload: 1 }]);
    await t.transport.claim(claimOf());
    await t.transport.cancel({ ids });
    await t.advance(LEASE_MS + 1);
    const { messages, crashed } = await t.transport.claim(claimOf());
    assertEquals([messages.length, crashed.length], [0, 1]);
    const retry = {
      kind: "retry",
      delayMs: 0,
      retryCount: 0,
      quarantined: true,
      errors: [],
    } as const;
    await t.transport.settle(settlementsOf(crashed, retry));
    assertEquals((await t.failed()).map(({ reason }) => reason), ["cancelled"]);
  });

  promise("a claim that is repeated does not give what was cancelled meanwhile", async (t) => {
    const ids = await t.transport.send([1, 2].map((payload) => ({ type: "T", payload })));
    const request = claimOf();
    await t.transport.claim(request);
    await t.transport.cancel({ ids: ids.slice(0, 1) });
    const { messages } = await t.transport.claim({ ...request, repeated: true });
    assertEquals(messages.map(({ id }) => id), ids.slice(1));
  });
}
