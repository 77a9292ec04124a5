/** Ids of messages that sessions write at the same time. */

import { assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";
import { untilBlocked } from "../support/racing.ts";

testsOnStack({ poolSize: 20 }, (test) => {
  test("a message that is written while a session compares the sequence with the ids does not count as ahead of it", async (stack) => {
    const asking = await stack.sql.reserve();
    try {
      // Plans its statements, and takes a lock on no table yet.
      await asking`select messenger.sequence_behind()`;
      let answer: Promise<readonly unknown[]> | undefined;
      await stack.sql.begin(async (writing) => {
        await writing`lock table public.messenger_messages in access exclusive mode`;
        // Has read the sequence, and waits for the table.
        answer = asking`select messenger.sequence_behind() as is_behind`.execute();
        await untilBlocked(stack.sql);
        await writing`insert into public.messenger_messages (type, payload) values ('Note', '{}')`;
      });
      const [row] = await answer ?? [];
      assertEquals(row, { is_behind: false });
    } finally {
      asking.release();
    }
  });
});
