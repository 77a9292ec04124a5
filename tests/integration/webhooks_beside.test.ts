/** A slow endpoint and a dead one beside others, in ticks of some seconds. */

import { assertEquals } from "@std/assert";
import { startReceiver } from "../support/receivers.ts";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({
  messages: new URL("../support/webhook_messages", import.meta.url).pathname,
  env: { SYMPHONY_TICK_BUDGET_MS: "12000" },
}, (test) => {
  test("a receiver that takes 9 s is waited for, and holds up no other", async (stack) => {
    const order: string[] = [];
    await using slow = startReceiver(async () => {
      await new Promise((resolve) => setTimeout(resolve, 9_000));
      order.push("slow");
      return new Response();
    });
    await using quick = startReceiver(() => {
      order.push("quick");
      return new Response();
    });
    for (const [name, { url }] of Object.entries({ "a-slow": slow, "b-quick": quick })) {
      await stack.sql`select messenger_create_webhook_endpoint(${name}, ${
        stack.sql.json({ url })
      })`;
    }
    await stack
      .sql`select messenger_publish('x', jsonb_build_object('n', n)) from generate_series(0, 4) as n`;
    await stack.sql`delete from messenger_messages
      where group_key = 'a-slow' and id > (select min(id) from messenger_messages where group_key = 'a-slow')`;
    assertEquals((await stack.tick()).messages.handled, 6);
    assertEquals(order, [...Array(5).fill("quick"), "slow"]);
    const numbers = quick.received.map(({ body }) => JSON.parse(body).data.n);
    assertEquals(numbers, [0, 1, 2, 3, 4]);
  });

  test("a dead endpoint among ten takes no message of the others", async (stack) => {
    await using receiver = startReceiver();
    for (let n = 0; n < 10; n++) {
      const url = n === 0 ? "http://127.0.0.1:9/" : receiver.url;
      await stack.sql`select messenger_create_webhook_endpoint(
        ${`e${n}`}, ${stack.sql.json({ url, events: [`e${n}`] })})`;
    }
    await stack.sql`select messenger_publish('e' || n % 10) from generate_series(0, 99) as n`;
    await stack.tick();
    assertEquals(receiver.received.length, 90);
    const rows = await stack.sql`select distinct group_key from messenger_messages`;
    assertEquals(rows.map(({ group_key }) => group_key), ["e0"]);
  });
});
