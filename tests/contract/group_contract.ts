/** Promises of every transport: groups. */

import { assertEquals } from "@std/assert";
import { handled } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import {
  claim,
  claimOf,
  inGroup,
  payloads,
  settle,
  settlementsOf,
  type TransportUnderTest,
} from "./under_test.ts";
import { promises } from "./promises.ts";

/** Registers the suite for one transport. */
export function testGroups(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise(
    "a group gives one message at a time, in the order of dispatch",
    async ({ transport }) => {
      await transport.send([inGroup("g", 1), inGroup("g", 2), inGroup("g", 3)]);
      for (const expected of [1, 2, 3]) {
        const given = await claim(transport);
        assertEquals(payloads(given), [expected]);
        assertEquals(payloads(await claim(transport)), []);
        await settle(transport, given.messages);
      }
      assertEquals((await claim(transport)).nextDueMs, null);
    },
  );

  promise("messages dispatched one by one keep their order within the group", async (t) => {
    for (const payload of [1, 2, 3]) await t.transport.send([inGroup("g", payload)]);
    for (const expected of [1, 2, 3]) {
      const given = await claim(t.transport);
      assertEquals(payloads(given), [expected]);
      await settle(t.transport, given.messages);
    }
  });

  promise("neither priority nor an earlier due time overtakes within a group", async (t) => {
    await t.transport.send([
      inGroup("g", 1, { delayMs: 1_000 }),
      inGroup("g", 2, { priority: 9 }),
      inGroup("h", 3),
    ]);
    assertEquals(payloads(await claim(t.transport)), [3]);
    await t.advance(1_000);
    const first = await claim(t.transport);
    assertEquals(payloads(first), [1]);
    await settle(t.transport, first.messages);
    assertEquals(payloads(await claim(t.transport)), [2]);
  });

  promise("each group gives its first message in one claim", async ({ transport }) => {
    await transport.send(["a", "b", "c"].flatMap((key) => [inGroup(key, key), inGroup(key, 2)]));
    assertEquals(payloads(await claim(transport)), ["a", "b", "c"]);
  });

  promise("a retrying message blocks its own group and no other", async (t) => {
    await t.transport.send([inGroup("g", 1), inGroup("g", 2), inGroup("h", 3), inGroup("h", 4)]);
    const { messages } = await claim(t.transport);
    const retry = { kind: "retry", delayMs: 5_000, retryCount: 1, errors: [] } as const;
    await settle(t.transport, messages.filter(({ groupKey }) => groupKey === "g"), retry);
    await settle(t.transport, messages.filter(({ groupKey }) => groupKey === "h"));
    assertEquals(payloads(await claim(t.transport)), [4]);
    await t.advance(5_000);
    assertEquals(payloads(await claim(t.transport)), [1]);
  });

  for (const kind of ["released", "snoozed"] as const) {
    promise(`a message that is ${kind} keeps its place in its group`, async ({ transport }) => {
      await transport.send([inGroup("g", 1), inGroup("g", 2)]);
      const { messages } = await claim(transport);
      await settle(transport, messages, { kind, delayMs: 0 });
      assertEquals(payloads(await claim(transport)), [1]);
    });
  }

  promise("a dead message lets the next of its group go", async ({ transport }) => {
    await transport.send([inGroup("g", 1), inGroup("g", 2)]);
    const { messages } = await claim(transport);
    await settle(transport, messages, { kind: "dead", reason: "unrecoverable", errors: [] });
    assertEquals(payloads(await claim(transport)), [2]);
  });

  promise("a cancelled message lets the next of its group go", async ({ transport }) => {
    const [first = ""] = await transport.send([inGroup("g", 1), inGroup("g", 2)]);
    await transport.cancel({ ids: [first] });
    assertEquals(payloads(await claim(transport)), [2]);
  });

  promise(
    "a group whose worker died continues with the message that was in the crash",
    async (t) => {
      const [first] = await t.transport.send([inGroup("g", 1), inGroup("g", 2)]);
      await claim(t.transport);
      await t.advance(60_001);
      const swept = await claim(t.transport);
      assertEquals([payloads(swept), swept.crashed.map(({ id }) => id)], [[], [first]]);
      await settle(t.transport, swept.crashed, {
        kind: "retry",
        delayMs: 0,
        retryCount: 0,
        quarantined: true,
        errors: [],
      });
      assertEquals(payloads(await claim(t.transport)), []);
      const alone = await claim(t.transport, { quarantined: true });
      assertEquals(payloads(alone), [1]);
      await settle(t.transport, alone.messages);
      assertEquals(payloads(await claim(t.transport)), [2]);
    },
  );

  promise("settling and claiming in one call gives the next of the group", async (t) => {
    await t.transport.send([inGroup("g", 1), inGroup("g", 2), inGroup("g", 3)]);
    let given = await claim(t.transport, { maxMessages: 1 });
    for (const expected of [2, 3]) {
      given = await t.transport.settleAndClaim(
        settlementsOf(given.messages, handled),
        claimOf({ maxMessages: 1, lastKeys: given.lastKeys }),
      );
      assertEquals(payloads(given), [expected]);
    }
  });

  promise("a group that may run two at once never runs three", async (t) => {
    await t.setQueue("default", { groupConcurrency: 2 });
    await t.transport.send([1, 2, 3, 4].map((payload) => inGroup("g", payload)));
    const two = await claim(t.transport);
    assertEquals([payloads(two), payloads(await claim(t.transport))], [[1, 2], []]);
    await settle(t.transport, two.messages.slice(0, 1));
    assertEquals(payloads(await claim(t.transport)), [3]);
  });

  promise("one key in two queues is two groups", async ({ transport }) => {
    await transport.send([inGroup("g", 1), inGroup("g", 2, { queue: "other" })]);
    assertEquals(payloads(await claim(transport)).toSorted(), [1, 2]);
  });
}
