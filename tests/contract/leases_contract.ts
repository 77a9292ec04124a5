/** Promises of every transport: heartbeats that keep leases, and messages whose worker is gone. */

import { assertEquals } from "@std/assert";
import { promises } from "./promises.ts";
import {
  claimOf,
  failure,
  LEASE_MS,
  settlementsOf,
  type TransportUnderTest,
} from "./under_test.ts";

/** Registers the suite for one transport. */
export function testLeases(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a claim hands out no history, and of a crashed message no payload", async (t) => {
    await t.transport.send([{ type: "T", payload: "large" }]);
    const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
    await t.transport.settle(settlementsOf((await t.transport.claim(claimOf())).messages, retry));
    const { messages: [second] } = await t.transport.claim(claimOf());
    assertEquals([second?.payload, second && "errors" in second], ["large", false]);
    await t.advance(LEASE_MS + 1);
    const { crashed: [lost] } = await t.transport.claim(claimOf());
    assertEquals([lost?.payload, lost?.attempts, lost && "errors" in lost], [null, 2, false]);
  });

  promise("a sweep whose answer was lost is counted by the next", async (t) => {
    await t.transport.send([{ type: "T", payload: 1 }]);
    await t.transport.claim(claimOf());
    const attempts: unknown[] = [];
    for (let sweep = 0; sweep < 3; sweep++) {
      await t.advance(LEASE_MS + 1);
      attempts.push((await t.transport.claim(claimOf())).crashed[0]?.attempts);
    }
    assertEquals(attempts, [1, 2, 3]);
  });

  promise("a lease that ran out is handed out as crashed, and no attempt is charged", async (t) => {
    await t.transport.send([{ type: "T", payload: 1 }]);
    await t.transport.claim(claimOf());
    await t.advance(LEASE_MS + 1);
    assertEquals((await t.transport.claim(claimOf({ sweep: false }))).crashed, []);
    const { messages, crashed } = await t.transport.claim(claimOf());
    assertEquals([messages.length, crashed.length, crashed[0]?.attempts], [0, 1, 1]);
  });

  promise("a heartbeat keeps a lease, and names those that are lost", async (t) => {
    const [id = ""] = await t.transport.send([{ type: "T", payload: 1 }]);
    const request = claimOf();
    await t.transport.claim(request);
    await t.advance(LEASE_MS - 5_000);
    const leases = [{ token: request.token, ids: [id] }];
    assertEquals(await t.transport.extendLeases(leases, LEASE_MS), {
      lost: [],
      cancelled: [],
    });
    await t.advance(LEASE_MS - 5_000);
    assertEquals((await t.transport.claim(claimOf())).crashed, []);
    assertEquals(
      await t.transport.extendLeases([{ token: crypto.randomUUID(), ids: [id] }], LEASE_MS),
      { lost: [id], cancelled: [] },
    );
  });
}
