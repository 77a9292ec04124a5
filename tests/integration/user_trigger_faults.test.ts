/** Passing faults that a project's own trigger raises for one row: the row waits or ends, and no other message is held up. */

import { assertEquals } from "@std/assert";
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
});
