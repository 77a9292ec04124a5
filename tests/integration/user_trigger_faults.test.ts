/** Passing faults that a project's own trigger raises for one row: the row waits or ends, and no other message is held up. */

import { assert, assertEquals } from "@std/assert";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";
import { AT_DELETE, withTrigger } from "../support/user_triggers.ts";

const CODES = ["08006", "53100", "PT503", "55P03", "57P03"] as const;

const three = ["a", "b", "c"].map((text) => ({ type: "Note", payload: { text } }));
const isB = "coalesce(new.payload, old.payload) ->> 'text' = 'b'";
/** Holds while another message waits or runs: the fault passes once the others are settled. */
const beforeTheOthers =
  "exists (select from public.messenger_messages m where m.id <> old.id and m.status <> 'pending')";

async function left(stack: TestStack) {
  return [
    ...await stack.sql`
      select payload ->> 'text' as text, status, stamps ->> 'ended' as ended from public.messenger_messages order by id`,
  ];
}

/** How often an event was logged, or left out where it was logged too often. */
function logged(lines: readonly string[], event: string): number {
  const leftOut = [
    ...lines.join().matchAll(new RegExp(`"${event}","level":"warn","count":(\\d+)`, "g")),
  ];
  const written = lines.filter((line) => line.includes(`"event":"${event}","maxMessages"`));
  return leftOut.reduce((total, [, count]) => total + Number(count), written.length);
}

testsOnStack({}, (test) => {
  for (const code of CODES) {
    test(`an outcome that a trigger refuses with ${code} for a while is written when the fault has passed`, async (stack) => {
      await stack.dispatch(three);
      const when = `${isB} and ${beforeTheOthers}`;
      await withTrigger(stack, ["messenger_messages", code, when], async () => {
        assertEquals((await stack.tick()).messages.handled, 3);
      }, AT_DELETE);
      assertEquals([await left(stack), (await stack.effects()).length], [[], 3]);
    });
  }

  test("a retry that a trigger refuses with 08006 for a while is written when the fault has passed", async (stack) => {
    const [, id] = await stack.dispatch(
      [0, 1, 0].map((failures) => ({ type: "Wobbly", payload: { failures, snoozes: 0 } })),
    );
    const when = `new.status = 'pending' and ${beforeTheOthers}`;
    await withTrigger(stack, ["messenger_messages", "08006", when], async () => {
      assertEquals((await stack.tick()).messages.retried, 1);
    });
    await eventually(async () => (await stack.tick(), await stack.count()), (left) => left === 0);
    const attempts = (await stack.effects()).filter(({ message_id }) => message_id === id);
    assertEquals(attempts.length, 2);
  });

  for (const code of ["08006", "57014"]) {
    test(`an outcome that a trigger refuses with ${code} each time holds up no other, and its handlers do not run again`, async (stack) => {
      await stack.dispatch(three);
      await withTrigger(stack, ["messenger_messages", code, isB], async () => {
        assertEquals((await stack.tick()).messages.handled, 2);
      }, AT_DELETE);
      assertEquals(await left(stack), [{ text: "b", status: "pending", ended: "handled" }]);
      assertEquals((await stack.effects()).length, 3);
    });
  }

  for (const code of ["08006", "57014"]) {
    test(`a message whose lease has ended, and whose sweep a trigger refuses with ${code}, waits for a minute, and longer each time`, async (stack) => {
      await stack.dispatch(three);
      await stack.client.rpc("messenger_claim", { token: crypto.randomUUID(), lease_ms: 1 });
      const when = `new.status = 'processing' and ${isB}`;
      await withTrigger(stack, ["messenger_messages", code, when], async () => {
        for (const waitS of [60, 120, 240, 480]) {
          await stack.tick();
          const rows = await stack.sql`
            select payload ->> 'text' as text, status, quarantined,
              available_at > now() + ${waitS - 30} * interval '1 second' as waits,
              available_at <= now() + ${waitS} * interval '1 second' as is_bounded
            from public.messenger_messages`;
          assertEquals([...rows], [
            { text: "b", status: "pending", quarantined: true, waits: true, is_bounded: true },
          ]);
          await stack
            .sql`update public.messenger_messages set available_at = public.messenger_now()`;
        }
        await stack.tick();
      });
      const dead = await stack
        .sql`select payload ->> 'text' as text, jsonb_array_length(errors) as times from public.messenger_failed_messages`;
      assertEquals([await stack.count(), [...dead]], [0, [{ text: "b", times: 5 }]]);
      assertEquals((await stack.effects()).length, 2);
    });
  }

  test("a message of a group keeps its turn while a trigger refuses its sweep for now", async (stack) => {
    await stack.dispatch(three.slice(1).map((one) => ({ ...one, groupKey: "g" })));
    await stack.client.rpc("messenger_claim", { token: crypto.randomUUID(), lease_ms: 1 });
    const when = `new.status = 'processing' and ${isB}`;
    await withTrigger(stack, ["messenger_messages", "08006", when], async () => {
      assertEquals((await stack.tick()).messages.handled, 0);
    });
    await stack
      .sql`update public.messenger_messages set available_at = public.messenger_now() where status = 'pending'`;
    await eventually(async () => (await stack.tick(), await stack.count()), (left) => left === 0);
    assertEquals((await stack.effects()).map(({ payload }) => payload.text), ["b", "c"]);
  });

  for (const code of ["08006", "57014"]) {
    for (const [what, when] of [["lease", "new.status = 'processing'"], ["every change", "true"]]) {
      test(`a message of which a trigger refuses ${what} with ${code} waits, and the claim goes to the others at once`, async (stack) => {
        await stack.dispatch(three);
        const before = stack.logs.length;
        await withTrigger(stack, ["messenger_messages", code, `${when} and ${isB}`], async () => {
          assertEquals((await stack.tick()).messages.handled, 2);
        });
        const splits = logged(stack.logs.slice(before), "claim_split");
        assert(splits < 80, `${splits} claims were split`);
        assertEquals(await left(stack), [{ text: "b", status: "pending", ended: null }]);
      });
    }
  }
});
