/** Live updates, from the dispatch over HTTPS to the user's channel, with a stand-in for Realtime. */

import { assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";
import { asStranger, asUser } from "../support/frontend.ts";
import { REALTIME } from "../support/realtime.ts";

testsOnStack({}, (test) => {
  test("a user who dispatched a live message hears of each change, and no other user does", async (stack) => {
    await stack.sql.unsafe(REALTIME).simple();
    await stack.sql`
      insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
    const sub = crypto.randomUUID();
    const kept = { type: "Kept", payload: {} };
    const response = await stack.post("dispatch", kept, await asUser(stack, { sub }));
    const { ids: [id] } = await response.json();
    await stack.dispatch(kept);
    await (await stack.post(
      "dispatch",
      { type: "Open", payload: { text: "x" } },
      asStranger(stack),
    )).body?.cancel();
    assertEquals((await stack.tick()).messages.handled, 3);

    const told = await stack.sql<
      { topic: string; event: string; id: string; status: string; private: boolean }[]
    >`
      select topic, event, private, payload ->> 'id' as id, payload ->> 'status' as status
      from realtime.messages where payload -> 'progress' = 'null' order by n`;
    assertEquals(
      told.map((row) => ({ ...row })),
      ["pending", "processing", "handled"].map((status) => ({
        topic: `messenger:${sub}`,
        event: "message",
        private: true,
        id,
        status,
      })),
    );
  });
});
