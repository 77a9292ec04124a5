/** Messages that come in after a tick's budget is spent are not left to it, though its handlers still run. */

import { assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";
import { handled } from "../support/woken.ts";

testsOnStack({ net: true, env: { SYMPHONY_TICK_MAX_MESSAGES: "3" } }, (test) => {
  test("a tick that has spent its budget leaves new messages to another while its handler runs", async (stack) => {
    const notes = [1, 2].map((n) => ({ type: "Note", payload: { text: `${n}` } }));
    await stack.dispatch([{ type: "Slow", payload: { ms: 9_000 } }, ...notes]);
    await handled(stack, 3);
    await stack.dispatch({ type: "Note", payload: { text: "meanwhile" } });
    await handled(stack, 4);
    const [slow] = await stack.sql`
      select count(*)::int as running from public.messenger_messages where type = 'Slow'`;
    assertEquals(slow?.running, 1);
  });
});
