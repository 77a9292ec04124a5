/** Ids at the limits of what 32 bits and a JavaScript number can hold. */

import { assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";

const LIMITS: readonly [name: string, last: bigint][] = [
  ["2^31", 2n ** 31n - 2n],
  ["2^53", 2n ** 53n - 2n],
];

testsOnStack({}, (test) => {
  for (const [name, last] of LIMITS) {
    test(`messages, dead letters and ticks keep their ids beyond ${name}`, async (stack) => {
      const { sql, client } = stack;
      await sql`select setval('public.messenger_messages_id_seq', ${String(last)})`;
      await sql`select setval('public.messenger_ticks_id_seq', ${String(last)})`;
      const expected = [1n, 2n, 3n, 4n].map((n) => String(last + n));

      const sent = await stack.dispatch([
        { type: "Note", payload: { text: "a" } },
        { type: "Note", payload: { text: "b" }, groupKey: "g" },
        { type: "Note", payload: { text: "c" }, groupKey: "g" },
        { type: "Fail", payload: {}, delay: "1h" },
      ]);
      assertEquals(sent, expected);
      const { messages } = await stack.tick();
      assertEquals([messages.handled, messages.failed], [3, 0]);
      const effects = await stack.effects();
      assertEquals(effects.map(({ message_id }) => message_id).toSorted(), expected.slice(0, 3));

      const [dead = ""] = expected.slice(3);
      const cancelled = await client.rpc("messenger_cancel", { ids: [dead] });
      assertEquals((cancelled.data as { done: number }).done, 1);
      const { data } = await client.rpc("messenger_redrive", { ids: [dead] });
      assertEquals((data as { done: number }).done, 1);
      const [left] = await sql`select id::text from public.messenger_messages`;
      assertEquals(left?.id, dead);
    });
  }
});
