/** Foreign keys of a project's own on messages: the row of an ended message cannot be deleted. */

import { assertEquals, assertMatch } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const three = ["a", "b", "c"].map((text) => ({ type: "Note", payload: { text } }));

/** Runs the body while a table of the project's has a foreign key to the message. */
async function withReference(
  stack: TestStack,
  id: string | undefined,
  body: () => Promise<void>,
): Promise<void> {
  await stack.sql.unsafe(`
    create table public.orders (
      message_id bigint constraint orders_message_fkey references public.messenger_messages (id)
    );
    insert into public.orders values (${id});
  `);
  try {
    await body();
  } finally {
    await stack.sql.unsafe("drop table public.orders");
  }
}

/** Lets what waits be due. */
function allDue(stack: TestStack) {
  return stack.sql`update public.messenger_messages set available_at = public.messenger_now()`;
}

testsOnStack({}, (test) => {
  test("a handled message whose row a foreign key keeps does not run again, and is deleted once it may be", async (stack) => {
    const [, kept] = await stack.dispatch(three);
    await withReference(stack, kept, async () => {
      for (let ticks = 0; ticks < 3; ticks++) {
        await stack.tick();
        await allDue(stack);
        assertEquals((await stack.effects()).length, 3);
      }
      const [row] = await stack
        .sql`select id::text, status, errors -> -1 ->> 'message' as error from public.messenger_messages`;
      assertEquals([row?.id, row?.status], [kept, "pending"]);
      assertMatch(row?.error, /orders_message_fkey/);
    });
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals([await stack.count(), (await stack.effects()).length], [0, 3]);
  });

  test("a failed message whose row a foreign key keeps is a dead letter once it may be, and does not run until then", async (stack) => {
    const [id] = await stack.dispatch({ type: "Fail", payload: {} });
    await withReference(stack, id, async () => {
      for (let ticks = 0; ticks < 5; ticks++) {
        await stack.tick();
        await allDue(stack);
      }
      assertEquals([await stack.count(), (await stack.effects()).length], [1, 3]);
    });
    await stack.tick();
    const dead = await stack.sql`select id::text, reason from public.messenger_failed_messages`;
    assertEquals([...dead], [{ id, reason: "exhausted" }]);
    assertEquals((await stack.effects()).length, 3);
  });
});
