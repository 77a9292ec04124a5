/** Promises of every transport: each outcome is written once, under the lease of its claim. */

import { assertEquals, assertNotEquals } from "@std/assert";
import type { Capabilities } from "../../supabase/functions/_shared/symphony/index.ts";
import { handled, released } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { promises } from "./promises.ts";
import {
  claimOf,
  failure,
  LEASE_MS,
  settlementsOf,
  type TransportUnderTest,
} from "./under_test.ts";

/** Registers the suite for one transport. */
export function testSettling(
  name: string,
  open: () => Promise<TransportUnderTest>,
  promised?: Capabilities,
): void {
  const promise = promises(name, open, promised);

  promise("a handled message is gone", async ({ transport }) => {
    await transport.send([{ type: "T", payload: 1 }]);
    const { messages } = await transport.claim(claimOf());
    assertEquals(await transport.settle(settlementsOf(messages, handled)), { stale: [] });
    const again = await transport.claim(claimOf());
    assertEquals([again.messages, again.nextDueMs], [[], null]);
  });

  promise("a released message comes back at once, and no attempt is charged", async (t) => {
    await t.transport.send([{ type: "T", payload: 1 }]);
    const { messages } = await t.transport.claim(claimOf());
    await t.transport.settle(settlementsOf(messages, released));
    assertEquals((await t.transport.claim(claimOf())).messages[0]?.attempts, 1);
  }, { lease: "per-claim" });

  promise(
    "a snoozed message waits out its delay, and nothing is charged or recorded",
    async (t) => {
      const [id] = await t.transport.send([{ type: "T", payload: 1 }]);
      const first = await t.transport.claim(claimOf());
      await t.transport.settle(settlementsOf(first.messages, {
        kind: "snoozed",
        delayMs: 5_000,
        stamps: { handledBy: ["audit"] },
      }));
      assertEquals((await t.transport.claim(claimOf())).messages, []);
      await t.advance(5_000);
      const { messages: [second] } = await t.transport.claim(claimOf());
      assertEquals(
        [second?.id, second?.attempts, second?.retryCount, second?.stamps],
        [id, 1, 0, { handledBy: ["audit"] }],
      );
      assertEquals(second?.snoozes, 1);
    },
  );

  promise(
    "an interrupted message counts its interruptions, and neither a retry nor an attempt",
    async (t) => {
      await t.transport.send([{ type: "T", payload: 1 }]);
      for (const interruptions of [0, 1, 2]) {
        const { messages } = await t.transport.claim(claimOf());
        assertEquals(
          messages.map((one) => [one.interruptions, one.retryCount, one.attempts]),
          [[interruptions, 0, 1]],
        );
        await t.transport.settle(settlementsOf(messages, {
          kind: "retry",
          interrupted: true,
          delayMs: 0,
          retryCount: 0,
          errors: [failure],
        }));
      }
      const { messages } = await t.transport.claim(claimOf());
      const dead = { kind: "dead", reason: "interrupted", errors: [failure] } as const;
      await t.transport.settle(settlementsOf(messages, dead));
      // Its history shows each interruption.
      assertEquals(
        await t.failed().then((letters) => letters.map(({ reason, errors }) => [reason, errors])),
        [
          ["interrupted", Array(4).fill(failure)],
        ],
      );
    },
  );

  for (
    const [ending, outcome] of [
      ["a snooze", { kind: "snoozed", delayMs: 0 }],
      ["a failure", { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] }],
    ] as const
  ) {
    promise(`interruptions are counted in a row, until ${ending} ends an attempt`, async (t) => {
      await t.transport.send([{ type: "T", payload: 1 }]);
      const interrupted = { kind: "retry", delayMs: 0, retryCount: 0, errors: [failure] } as const;
      const counts: unknown[] = [];
      for (const next of [{ ...interrupted, interrupted: true }, outcome, released]) {
        const { messages } = await t.transport.claim(claimOf());
        counts.push(...messages.map(({ interruptions }) => interruptions));
        await t.transport.settle(settlementsOf(messages, next));
      }
      assertEquals(counts, [0, 1, 0]);
    });
  }

  promise("a message whose lease is another's cannot be snoozed", async (t) => {
    const [id = ""] = await t.transport.send([{ type: "T", payload: 1 }]);
    await t.transport.claim(claimOf());
    const old = [{ id, leaseToken: crypto.randomUUID() }];
    const snoozed = { kind: "snoozed", delayMs: 0 } as const;
    assertEquals(await t.transport.settle(settlementsOf(old, snoozed)), { stale: [id] });
    assertEquals((await t.transport.claim(claimOf())).messages, []);
  });

  promise("a retry keeps the id and the history, and waits out its delay", async (t) => {
    const [id] = await t.transport.send([{ type: "T", payload: 1 }]);
    const first = await t.transport.claim(claimOf());
    await t.transport.settle(settlementsOf(first.messages, {
      kind: "retry",
      delayMs: 5_000,
      retryCount: 1,
      stamps: { handledBy: ["audit"] },
      errors: [failure],
    }));
    assertEquals((await t.transport.claim(claimOf())).messages, []);
    await t.advance(5_000);
    const { messages: [second] } = await t.transport.claim(claimOf());
    assertEquals(
      [second?.id, second?.attempts, second?.retryCount, second?.stamps],
      [id, 2, 1, { handledBy: ["audit"] }],
    );
  });

  promise("a dead message moves to the dead letters with every error", async (t) => {
    const [id] = await t.transport.send([{ type: "T", payload: 1 }]);
    const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
    await t.transport.settle(settlementsOf((await t.transport.claim(claimOf())).messages, retry));
    const last = { ...failure, attempt: 2, message: "still no route" };
    await t.transport.settle(settlementsOf((await t.transport.claim(claimOf())).messages, {
      kind: "dead",
      reason: "exhausted",
      errors: [last],
    }));
    assertEquals(await t.failed(), [
      { id, reason: "exhausted", attempts: 2, errors: [failure, last] },
    ]);
    assertEquals((await t.transport.claim(claimOf())).messages, []);
  });

  promise("a settlement under an old token changes nothing and is named stale", async (t) => {
    const [id = ""] = await t.transport.send([{ type: "T", payload: 1 }]);
    const old = await t.transport.claim(claimOf());
    await t.advance(LEASE_MS + 1);
    const swept = await t.transport.claim(claimOf());
    assertEquals(swept.crashed.map(({ id }) => id), [id]);
    assertNotEquals(swept.crashed[0]?.leaseToken, old.messages[0]?.leaseToken);

    assertEquals(await t.transport.settle(settlementsOf(old.messages, handled)), { stale: [id] });
    assertEquals(await t.transport.settle(settlementsOf(swept.crashed, handled)), { stale: [] });
  }, { lease: "per-claim" });
}
