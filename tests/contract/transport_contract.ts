/** What every transport promises. Run against each of them by the files beside this one. */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type {
  AttemptError,
  Stamps,
} from "../../supabase/functions/_shared/symphony/message/envelope.ts";
import { type Transport, TransportError } from "../../supabase/functions/_shared/symphony/index.ts";
import {
  handled,
  released,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { QueueSettings } from "../../supabase/functions/_shared/symphony/testing.ts";
import type { ClaimRequest } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { promises } from "./promises.ts";

/** A transport to be tested, empty, with a clock that the test moves. */
export interface TransportUnderTest {
  readonly transport: Transport;
  /** Moves the clock that decides what is due. */
  advance(ms: number): Promise<void>;
  /** Dead letters, oldest first. */
  failed(): Promise<{ id: string; reason: string; errors: AttemptError[]; attempts: number }[]>;
  /** Changes settings of a queue. */
  setQueue(name: string, settings: QueueSettings): Promise<void>;
  close(): Promise<void>;
}

const LEASE_MS = 60_000;

/** A claim of up to 100 messages, under a fresh token. */
export const claimOf = (request: Partial<ClaimRequest> = {}): ClaimRequest => ({
  token: crypto.randomUUID(),
  maxMessages: 100,
  leaseMs: LEASE_MS,
  ...request,
});

const failure: AttemptError = {
  message: "no route",
  class: "Error",
  attempt: 1,
  at: "2026-01-01T00:00:00.000Z",
  durationMs: 5,
};

/** Registers the suite for one transport. */
export function testTransport(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a message that was sent is claimed as it was sent", async ({ transport }) => {
    const payload = { to: "a@example.org", nested: { list: [1, null, "x"], empty: {} } };
    const [id] = await transport.send([
      { type: "T", payload, queue: "mail", priority: 7, groupKey: "g", stamps: { redriven: 2 } },
    ]);
    const { messages } = await transport.claim(claimOf());
    assertEquals(messages.length, 1);
    const [envelope] = messages;
    assertEquals(
      { ...envelope, availableAt: 0, createdAt: 0, leaseToken: 0, bytes: 0 },
      {
        id,
        type: "T",
        payload,
        queue: "mail",
        priority: 7,
        availableAt: 0,
        createdAt: 0,
        expiresAt: null,
        expired: false,
        retryCount: 0,
        snoozes: 0,
        interruptions: 0,
        attempts: 1,
        groupKey: "g",
        stamps: { redriven: 2 },
        quarantined: false,
        leaseToken: 0,
        bytes: 0,
      },
    );
  });

  promise("what is done to a message after it was sent, or claimed, changes nothing", async (t) => {
    const availableAt = new Date(2020, 0);
    const payload = { list: [1] };
    const stamps = { mine: { list: [1] } };
    await t.transport.send([{ type: "T", payload, stamps, availableAt, ttlMs: 1e13 }]);
    const change = (message: { payload: unknown; stamps?: unknown; availableAt: Date }) => {
      message.availableAt.setTime(0);
      for (const part of [message.payload, Object(message.stamps).mine]) part.list.push(2);
    };
    change({ payload, stamps, availableAt });
    for (const time of [1, 2]) {
      const { messages } = await t.transport.claim(claimOf());
      const [one] = messages;
      if (!one) throw new Error(`it was not there for the claim ${time}`);
      assertEquals(
        [one.payload, one.stamps, one.availableAt.getTime()],
        [{ list: [1] }, { mine: { list: [1] } }, new Date(2020, 0).getTime()],
      );
      change(one);
      one.createdAt.setTime(0);
      one.expiresAt?.setTime(0);
      await t.transport.settle(settlementsOf(messages, released));
    }
  });

  promise("stamps of the bus that are not what they have to be are left out", async (t) => {
    const stamps = { handledBy: ["a", 5], redriven: "x", user: 7, mine: 1 } as unknown as Stamps;
    await t.transport.send([{ type: "T", payload: 1, stamps }]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map((one) => one.stamps), [{ handledBy: ["a"], mine: 1 }]);
  });

  for (const text of ["\0", "\ud800"]) {
    promise(`a text with ${JSON.stringify(text)} is refused, and nothing is written`, async (t) => {
      const message = { type: "T", payload: 1 };
      for (
        const wrong of [
          { ...message, payload: { a: [`x${text}`] } },
          { ...message, payload: { [`x${text}`]: 1 } },
          { ...message, stamps: { mine: `${text}x` } },
          { ...message, type: text },
          { ...message, queue: `q${text}` },
          { ...message, groupKey: `g${text}` },
          { ...message, idempotencyKey: `k${text}` },
        ]
      ) {
        const sent = t.transport.send([message, wrong]);
        const error = await assertRejects(() => sent, TransportError);
        assertEquals([error.retryable, error.fault], [false, "data"]);
      }
      const harmless = { ...message, payload: "\\u0000 \\ud800" };
      await t.transport.send([harmless]);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(messages.map(({ payload }) => payload), [harmless.payload]);
      const dead = { kind: "dead", reason: "exhausted" } as const;
      const errors = [{ ...failure, message: text }];
      const settled = t.transport.settle(settlementsOf(messages, { ...dead, errors }));
      await assertRejects(() => settled, TransportError);
      assertEquals(await t.failed(), []);
    });
  }

  promise("send answers the ids in the order of the messages", async ({ transport }) => {
    const ids = await transport.send([1, 2, 3, 4].map((n) => ({ type: "T", payload: n })));
    const { messages } = await transport.claim(claimOf());
    const byId = new Map(messages.map(({ id, payload }) => [id, payload]));
    assertEquals(ids.map((id) => byId.get(id)), [1, 2, 3, 4]);
  });

  promise("a claim is ordered by priority, then due time, then id", async (t) => {
    await t.transport.send([
      { type: "T", payload: "low", priority: -5 },
      { type: "T", payload: "later", delayMs: 2_000 },
      { type: "T", payload: "sooner", delayMs: 1_000 },
      { type: "T", payload: "first" },
      { type: "T", payload: "second" },
      { type: "T", payload: "high", priority: 5, delayMs: 3_000 },
    ]);
    await t.advance(5_000);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ payload }) => payload), [
      "high",
      "first",
      "second",
      "sooner",
      "later",
      "low",
    ]);
  });

  promise("a message is not claimed before it is due, and nextDueMs tells when", async (t) => {
    await t.transport.send([{ type: "T", payload: 1, delayMs: 30_000 }]);
    const early = await t.transport.claim(claimOf());
    assertEquals(early.messages, []);
    assertEquals((early.nextDueMs ?? 0) > 20_000 && (early.nextDueMs ?? 0) <= 30_000, true);
    await t.advance(30_000);
    assertEquals((await t.transport.claim(claimOf())).messages.length, 1);
  });

  promise("where nothing waits, nextDueMs is null", async ({ transport }) => {
    assertEquals((await transport.claim(claimOf())).nextDueMs, null);
  });

  promise("two claims never give the same message", async ({ transport }) => {
    await transport.send(Array.from({ length: 20 }, (_, n) => ({ type: "T", payload: n })));
    const claims = await Promise.all(
      [1, 2, 3, 4].map(() => transport.claim(claimOf({ maxMessages: 5 }))),
    );
    const ids = claims.flatMap(({ messages }) => messages.map(({ id }) => id));
    assertEquals(new Set(ids).size, ids.length);
  });

  promise("a claim keeps to the queues it names", async ({ transport }) => {
    await transport.send([
      { type: "T", payload: 1, queue: "a" },
      { type: "T", payload: 2, queue: "b" },
    ]);
    const { messages } = await transport.claim(claimOf({ queues: ["b"] }));
    assertEquals(messages.map(({ payload }) => payload), [2]);
  });

  promise("a drain that goes on behind its last keys gives every message once", async (t) => {
    const sent = await t.transport.send(
      Array.from({ length: 25 }, (_, n) => ({ type: "T", payload: n, queue: n % 2 ? "a" : "b" })),
    );
    const seen: string[] = [];
    let lastKeys;
    for (let round = 0; round < 10; round++) {
      const claim = await t.transport.claim(
        claimOf({ maxMessages: 6, ...(lastKeys && { lastKeys }) }),
      );
      seen.push(...claim.messages.map(({ id }) => id));
      lastKeys = claim.lastKeys;
    }
    assertEquals(seen.toSorted(), sent.toSorted());
  });

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
  });

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

  promise("a claim gives no more bytes than it is asked for, but one message", async (t) => {
    const payload = "x".repeat(1_000_000);
    await t.transport.send(Array.from({ length: 5 }, () => ({ type: "T", payload })));
    const counts: unknown[] = [];
    for (const maxBytes of [2_500_000, 0, 8_000_000]) {
      const { messages, more } = await t.transport.claim(claimOf({ maxBytes }));
      counts.push([messages.length, more]);
    }
    assertEquals(counts, [[2, true], [1, true], [2, false]]);
  });

  promise("messages that are too large together are refused, and none is written", async (t) => {
    const message = { type: "T", payload: "x".repeat(8_000_000) };
    const send = () => t.transport.send(Array(9).fill(message));
    const error = await assertRejects(send, RangeError);
    assert(/^messages: have 72\d{6} bytes together; /.test(error.message), error.message);
    assertEquals((await t.transport.claim(claimOf())).messages, []);
  });

  promise("what is larger than a worker can take is refused, with the field's name", async (t) => {
    const text = "x".repeat(9_000_000);
    const large = [{ type: "T", payload: { text } }, { type: "T", payload: 1, stamps: { text } }];
    for (const [field, message] of [["payload", large[0]], ["stamps", large[1]]] as const) {
      const small = { type: "T", payload: 1 };
      const error = await assertRejects(
        () => t.transport.send(message ? [small, message] : []),
        RangeError,
      );
      assert(error.message.startsWith(`${field}: has `), error.message);
    }
    assertEquals((await t.transport.claim(claimOf())).messages, []);
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
  });

  promise("a lease that ran out is handed out as crashed, and no attempt is charged", async (t) => {
    await t.transport.send([{ type: "T", payload: 1 }]);
    await t.transport.claim(claimOf());
    await t.advance(LEASE_MS + 1);
    assertEquals((await t.transport.claim(claimOf({ sweep: false }))).crashed, []);
    const { messages, crashed } = await t.transport.claim(claimOf());
    assertEquals([messages.length, crashed.length, crashed[0]?.attempts], [0, 1, 1]);
  });

  promise(
    "a message that has to run alone is given only when asked for, one at a time",
    async (t) => {
      await t.transport.send([1, 2].map((n) => ({ type: "T", payload: n })));
      const { messages } = await t.transport.claim(claimOf());
      await t.transport.settle(settlementsOf(messages, {
        kind: "retry",
        delayMs: 0,
        retryCount: 0,
        quarantined: true,
        errors: [],
      }));
      const ordinary = await t.transport.claim(claimOf());
      assertEquals([ordinary.messages.length, ordinary.quarantinedDue], [0, true]);
      const alone = await t.transport.claim(claimOf({ quarantined: true }));
      assertEquals([alone.messages.length, alone.messages[0]?.quarantined, alone.quarantinedDue], [
        1,
        true,
        true,
      ]);
    },
  );

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

  promise("settling and claiming in one call does both", async ({ transport }) => {
    await transport.send([{ type: "T", payload: 1 }, { type: "T", payload: 2 }]);
    const { messages } = await transport.claim(claimOf({ maxMessages: 1 }));
    const both = await transport.settleAndClaim(settlementsOf(messages, handled), claimOf());
    assertEquals([both.stale, both.messages.map(({ payload }) => payload)], [[], [2]]);
  });

  promise("a claim that is repeated gives the same messages, charged once", async (t) => {
    await t.transport.send([1, 2, 3].map((n) => ({ type: "T", payload: n })));
    const request = claimOf({ maxMessages: 2 });
    const first = await t.transport.claim(request);
    const again = await t.transport.claim({ ...request, repeated: true });
    assertEquals(again.messages.map(({ id }) => id), first.messages.map(({ id }) => id));
    assertEquals(again.messages.map(({ attempts }) => attempts), [1, 1]);
  });

  promise(
    "an idempotency key answers the first id for 24 hours, also once it is done",
    async (t) => {
      const message = { type: "T", payload: 1, idempotencyKey: "order-1" };
      const [first] = await t.transport.send([message]);
      const { messages } = await t.transport.claim(claimOf());
      await t.transport.settle(settlementsOf(messages, handled));
      assertEquals(await t.transport.send([message, message]), [first, first]);
      assertEquals((await t.transport.claim(claimOf())).messages, []);
      const [other] = await t.transport.send([{ ...message, idempotencyScope: "user" }]);
      assertNotEquals(other, first);
      await t.advance(24 * 60 * 60 * 1000 + 1);
      assertNotEquals((await t.transport.send([message]))[0], first);
    },
  );

  const once = { type: "T", payload: 1, dedupeKey: "k" };
  const finish: [string, Settlement["outcome"]][] = [
    ["handled", handled],
    ["dead", { kind: "dead", reason: "exhausted", errors: [] }],
  ];
  for (const [end, outcome] of finish) {
    promise(`a dedupe key answers the first id until the message is ${end}`, async (t) => {
      const [first] = await t.transport.send([once]);
      assertEquals(await t.transport.send([once, { ...once, payload: 2 }]), [first, first]);
      const claimed = await t.transport.claim(claimOf());
      assertEquals(claimed.messages.map(({ id, payload }) => [id, payload]), [[first, 1]]);
      const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
      await t.transport.settle(settlementsOf(claimed.messages, retry));
      assertEquals(await t.transport.send([once]), [first]);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(await t.transport.send([once]), [first]);
      await t.transport.settle(settlementsOf(messages, outcome));
      assertNotEquals(await t.transport.send([once]), [first]);
    });
  }

  promise("a cancel frees the dedupe key", async (t) => {
    const ids = await t.transport.send([once]);
    await t.transport.cancel({ ids });
    assertNotEquals(await t.transport.send([once]), ids);
  });

  for (const dedupe of ["until-started", "until-finished"] as const) {
    promise(
      `a message that has expired while it waited holds no dedupe key ${dedupe}`,
      async (t) => {
        const message = { ...once, dedupe, ttlMs: 60_000 } as const;
        const [first] = await t.transport.send([message]);
        await t.advance(30_000);
        assertEquals(await t.transport.send([message]), [first]);
        await t.advance(30_000);
        const [second] = await t.transport.send([message]);
        assertNotEquals(second, first);
        assertEquals(await t.transport.send([message]), [second]);
        // A worker that is about to bury it does not hold the key for it, either.
        await t.advance(60_000);
        const { messages } = await t.transport.claim(claimOf());
        assert(messages.every(({ expired }) => expired));
        assertEquals(messages.map(({ id }) => id).sort(), [first, second].sort());
        const [third] = await t.transport.send([message]);
        assertEquals(new Set([first, second, third]).size, 3);
      },
    );
  }

  promise("a dedupe key that is held until the start is free once it is claimed", async (t) => {
    const message = { ...once, dedupe: "until-started" } as const;
    const [first] = await t.transport.send([message, message]);
    assertEquals(await t.transport.send([message]), [first]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ id }) => id), [first]);
    const [second] = await t.transport.send([message]);
    assertNotEquals(second, first);
    // The first one's retry does not take the key again.
    const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
    await t.transport.settle(settlementsOf(messages, retry));
    assertEquals(await t.transport.send([message]), [second]);
  });

  promise("a dedupe key with a window is held that long, whatever becomes of it", async (t) => {
    const message = { ...once, dedupe: { windowMs: 60_000 } };
    const [first] = await t.transport.send([message, message]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.length, 1);
    await t.transport.settle(settlementsOf(messages, handled));
    assertEquals(await t.transport.send([message]), [first]);
    await t.advance(60_001);
    assertNotEquals(await t.transport.send([message]), [first]);
  });

  promise("dedupe keys of two types, and idempotency keys, are apart", async ({ transport }) => {
    const ids = await transport.send([
      once,
      { ...once, type: "U" },
      { ...once, dedupe: { windowMs: 60_000 } },
      { type: "T", payload: 1, idempotencyKey: "k" },
      { type: "T", payload: 1 },
    ]);
    assertEquals(new Set(ids).size, 5);
    assertEquals((await transport.claim(claimOf())).messages.length, 5);
  });

  promise("one key within one call makes one message, in its place", async ({ transport }) => {
    const other = { type: "T", payload: 2 };
    const [a, b, c, d] = await transport.send([other, once, other, once]);
    assertEquals([b === d, new Set([a, b, c]).size], [true, 3]);
    assertEquals((await transport.claim(claimOf())).messages.length, 3);
  });

  promise("a message older than its ttl is claimed as expired", async (t) => {
    await t.transport.send([{ type: "T", payload: 1, ttlMs: 1_000 }]);
    await t.advance(1_001);
    assertEquals((await t.transport.claim(claimOf())).messages[0]?.expired, true);
  });

  promise("sending nothing answers nothing", async ({ transport }) => {
    assertEquals(await transport.send([]), []);
  });
}

/** Settlements that write one outcome for all of these messages. */
export function settlementsOf(
  messages: readonly { id: string; leaseToken: string; groupKey?: string | null }[],
  outcome: Settlement["outcome"],
): Settlement[] {
  return messages.map(({ id, leaseToken, groupKey }) => ({
    id,
    leaseToken,
    grouped: typeof groupKey === "string",
    outcome,
  }));
}
