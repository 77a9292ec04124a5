/** Foreign keys of a project's own on messages: the row of an ended message cannot be deleted. */

import { assertEquals, assertMatch } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const three = ["a", "b", "c"].map((text) => ({ type: "Note", payload: { text } }));

/** Runs the body while a table of the project's has a foreign key to the message. */
async function withReference(
  stack: TestStack,
  id: string | undefined,
  body: () => Promise<void>,
  deferred = false,
): Promise<void> {
  await stack.sql.unsafe(`
    create table public.orders (
      message_id bigint constraint orders_message_fkey references public.messenger_messages (id)
        ${deferred ? "deferrable initially deferred" : ""}
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

const messages = new URL("../support/dispatching_messages", import.meta.url).pathname;

testsOnStack({ messages }, (test) => {
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

  for (const deferred of [false, true]) {
    const when = deferred ? " at the commit" : "";
    test(`a message that dispatches, and whose row a foreign key keeps${when}, runs once and dispatches once`, async (stack) => {
      const [, kept] = await stack.dispatch(
        ["a", "b", "c"].map((text) => ({ type: "Parent", payload: { text } })),
      );
      await withReference(stack, kept, async () => {
        for (let ticks = 0; ticks < 3; ticks++) {
          await stack.tick();
          await allDue(stack);
        }
        const ran = (await stack.effects()).map(({ type, payload }) => `${type} ${payload.text}`);
        assertEquals(
          ran.toSorted(),
          ["Note a", "Note b", "Note c", "Parent a", "Parent b", "Parent c"],
        );
        const rows = await stack.sql`
          select id::text, status, retry_count, stamps ->> 'ended' as ended from public.messenger_messages`;
        assertEquals([...rows], [{
          id: kept,
          status: "pending",
          retry_count: 0,
          ended: "handled",
        }]);
      }, deferred);
      await stack.tick();
      assertEquals([await stack.count(), (await stack.effects()).length], [0, 6]);
    });
  }

  test("a failed message whose row a foreign key keeps dispatches once what its other handlers have dispatched", async (stack) => {
    const [id] = await stack.dispatch({ type: "HalfFailing", payload: {} });
    await withReference(stack, id, async () => {
      for (let ticks = 0; ticks < 3; ticks++) {
        await stack.tick();
        await allDue(stack);
      }
      const ran = (await stack.effects()).map(({ type }) => type);
      assertEquals(ran.toSorted(), ["HalfFailing", "Note"]);
    });
    await stack.tick();
    const dead = await stack.sql`select id::text, reason from public.messenger_failed_messages`;
    assertEquals([...dead], [{ id, reason: "exhausted" }]);
  });
});
