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

  test("rejections that a schema leaves behind end neither the dispatch function nor the tick", async (stack) => {
    await stack.dispatch({ type: "Note", payload: { text: "before" } });
    await stack.tick();
    const names = ["dispatch", "tick"] as const;
    const pids = () => names.map((name) => stack.functionPid(name));
    const before = pids();
    await stack.dispatch([
      { type: "Forgetful", payload: { text: "x" } },
      { type: "Note", payload: { text: "beside" } },
    ]);
    const keys = { type: "Forgetful", payload: { text: "x", record: { a: 1 } } };
    const response = await stack.post("dispatch", keys);
    assert(response.status >= 400 && response.status <= 500, String(response.status));
    await response.body?.cancel();
    await stack.sql`insert into public.messenger_messages (type, payload)
      values ('Forgetful', '{"text": "stored", "record": {"a": 1}}')`;
    assertEquals((await stack.tick()).messages, { claimed: 3, handled: 2, retried: 0, failed: 1 });
    await stack.dispatch({ type: "Note", payload: { text: "after" } });
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals(pids(), before);
    const strays = stack.logs.filter((line) => line.includes("stray_error"));
    for (const text of ["in a timer", "in superRefine"]) {
      assert(strays.some((line) => line.includes(`forgotten ${text}`)), text);
    }
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
