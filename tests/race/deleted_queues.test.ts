/** Rows of queues that are deleted while a message of theirs is written. */

import { assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("a queue whose row was deleted while a message was written has a row after the next minute's tick, and is claimed between paused queues", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, paused)
      select 'q' || lpad(n::text, 3, '0'), n <> 100 from generate_series(1, 200) n`;
    await stack.sql`insert into public.messenger_messages (type, payload, queue)
      select 'Note', '{}', 'q' || lpad(n::text, 3, '0') from generate_series(1, 200) n where n <> 100`;
    await stack.sql.begin(async (writing) => {
      await writing`insert into public.messenger_messages (type, payload, queue)
        values ('Note', '{}', 'q100')`;
      await stack.sql`delete from public.messenger_queues where name = 'q100'`;
    });
    await stack.sql`select public.messenger_tick()`;
    const [claim] = await stack.sql<{ queue: string }[]>`
      select public.messenger_claim(gen_random_uuid()) #>> '{messages,0,3}' as queue`;
    assertEquals(claim, { queue: "q100" });
    const [left] = await stack.sql`select public.messenger_health() -> 'stray_queues' as queues`;
    assertEquals(left, { queues: [] });
  });
});
