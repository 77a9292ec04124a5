/** A schema that fails by itself: the request or the message that it is for fails, and nothing beside it. */

import { assert, assertEquals } from "@std/assert";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("a schema whose refine rejects fails its own request, and the function lives on", async (stack) => {
    await stack.dispatch({ type: "Note", payload: { text: "before" } });
    const pid = stack.functionPid("dispatch");
    const bodies = [
      { type: "Doubtful", payload: { fails: true } },
      [{ type: "Note", payload: { text: "x" } }, { type: "Doubtful", payload: { fails: true } }],
      {
        type: "Doubtful",
        payload: { fails: true },
        schedule: { type: "interval", config: { interval: "1h" } },
      },
    ];
    for (const body of bodies) {
      const response = await stack.post("dispatch", body);
      assert(response.status >= 400 && response.status <= 500, String(response.status));
      const { code } = await response.json();
      assertEquals(typeof code, "string");
    }
    await stack.dispatch([
      { type: "Note", payload: { text: "after" } },
      { type: "Doubtful", payload: { fails: false } },
    ]);
    assertEquals([await stack.count(), stack.functionPid("dispatch")], [3, pid]);
  });

  test("a stored message that its schema's refine rejects becomes a dead letter, and no other message does", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type, payload)
      values ('Doubtful', '{"fails": true}'), ('Note', '{"text": "beside"}')`;
    assertEquals((await stack.tick()).messages, { claimed: 2, handled: 1, retried: 0, failed: 1 });
    const [letter] = await stack.sql`select reason, error from public.messenger_failed_messages`;
    assertEquals({ ...letter }, { reason: "exhausted", error: "the registry is out of order" });
  });

  test("a stored row with odd stamps is handled, and stops nothing beside it", async (stack) => {
    const stamps = [
      '{"handledBy": 5}',
      '{"handledBy": [1, null, {"a": 1}]}',
      "[]",
      '"text"',
      "5",
      '{"schedule": 7}',
      '{"schedule": {"id": 1}, "user": "ada"}',
      '{"unknownType": {"times": "many"}, "redriven": {}}',
    ];
    for (const one of stamps) {
      await stack.sql`insert into public.messenger_messages (type, payload, stamps)
        values ('Note', '{"text": "odd"}', ${one}::text::jsonb)`;
    }
    await stack.dispatch({ type: "Note", payload: { text: "beside" } });
    const { claimed, handled } = (await stack.tick()).messages;
    assertEquals([claimed, handled], [stamps.length + 1, stamps.length + 1]);
  });
});
