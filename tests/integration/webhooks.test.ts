/** Webhook endpoints: from messenger_publish to receivers, over HTTP, with ticks. */

import { assert, assertEquals } from "@std/assert";
import { Webhook } from "standardwebhooks";
import { takeClock } from "../support/clock.ts";
import { type Receiver, receiverCertificate, startReceiver } from "../support/receivers.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const HOUR_MS = 3_600_000;

async function addEndpoint(stack: TestStack, name: string, url: string, settings = {}) {
  const [row] = await stack.sql<[{ secret: string }]>`
    select messenger_create_webhook_endpoint(${name}, ${
    stack.sql.json({ url, ...settings })
  }) ->> 'secret' as secret`;
  return row.secret;
}

const publish = (stack: TestStack, event: string, data = {}) =>
  stack.sql`select messenger_publish(${event}, ${stack.sql.json(data)})`;

const numbersOf = ({ received }: Receiver) => received.map(({ body }) => JSON.parse(body).data.n);

const deadLetters = async (stack: TestStack) => [
  ...await stack.sql<{ reason: string; error: string }[]>`
    select reason, error from messenger_failed_messages order by id`,
];

testsOnStack({
  messages: new URL("../support/webhook_messages", import.meta.url).pathname,
  // With a clock that stands still, a tick waits in vain for a retry.
  env: { SYMPHONY_TICK_BUDGET_MS: "1500" },
}, (test) => {
  test("an event reaches each endpoint that wants it, signed with the endpoint's secret", async (stack) => {
    await using a = startReceiver(() => new Response("thanks", { status: 202 }));
    await using b = startReceiver();
    const secret = await addEndpoint(stack, "a", a.url, { events: ["order.*"] });
    await addEndpoint(stack, "b", b.url, { events: ["user.*"] });
    await publish(stack, "order.paid", { order: 7 });
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals([a.received.length, b.received.length], [1, 0]);
    const { body = "", headers = {} } = a.received[0] ?? {};
    const verified = new Webhook(secret).verify(body, headers) as Record<string, unknown>;
    assertEquals([verified.type, verified.data], ["order.paid", { order: 7 }]);
    const [delivery] = await stack.sql`select * from messenger_webhook_deliveries`;
    assertEquals(
      [delivery?.endpoint, delivery?.delivered, delivery?.status, delivery?.answer],
      ["a", true, 202, "thanks"],
    );
  });

  test("a name that leads to a metadata service at its second look-up is called once", async (stack) => {
    await using receiver = startReceiver(undefined, await receiverCertificate());
    await addEndpoint(stack, "a", `https://rebind.example:${receiver.port}/`);
    await publish(stack, "x", { n: 0 });
    await publish(stack, "x", { n: 1 });
    await stack.tick();
    assertEquals(numbersOf(receiver), [0]);
    const [letter] = await deadLetters(stack);
    assertEquals(letter?.reason, "unrecoverable");
    assert(letter?.error.includes("rebind.example leads to 169.254.169.254"), letter?.error);
    const [delivery] = await stack
      .sql`select * from messenger_webhook_deliveries where not delivered`;
    assertEquals([delivery?.status, delivery?.error], [null, letter?.error]);
  });

  test("a secret that Vault lacks is named in the delivery, and the call is tried again", async (stack) => {
    await using receiver = startReceiver();
    await addEndpoint(stack, "a", receiver.url, { secret: "webhook_missing" });
    await publish(stack, "x");
    await stack.tick();
    const [delivery] = await stack.sql`select * from messenger_webhook_deliveries`;
    assertEquals(delivery?.error, "secrets: Vault has no secret named webhook_missing");
    assertEquals([receiver.received.length, await stack.count()], [0, 1]);
  });

  test("a redirect to this machine is refused", async (stack) => {
    await using inside = startReceiver(() => new Response("secret"));
    await using receiver = startReceiver(() =>
      new Response(null, {
        status: 307,
        headers: { location: `https://127.0.0.2:${inside.port}/` },
      })
    );
    await addEndpoint(stack, "a", receiver.url);
    await publish(stack, "x");
    await stack.tick();
    const [letter] = await deadLetters(stack);
    assertEquals(letter?.error, "url: 127.0.0.2 is not a public address; it is not called");
    assertEquals([receiver.received.length, inside.received.length], [1, 0]);
  });

  test("an endpoint that is down for a day gets everything in order afterwards", async (stack) => {
    let isDown = true;
    await using receiver = startReceiver(() => new Response(null, { status: isDown ? 503 : 200 }));
    const start = Date.parse("2026-01-05T10:00:00Z");
    const clock = await takeClock(stack.sql, new Date(start));
    await addEndpoint(stack, "a", receiver.url);
    for (let n = 0; n < 20; n++) await publish(stack, "x", { n });
    for (let hour = 0; hour <= 24; hour++) {
      await clock.set(new Date(start + hour * 1.2 * HOUR_MS));
      await stack.tick();
    }
    // One attempt an hour, and not one for each of the messages that wait.
    assertEquals(new Set(numbersOf(receiver)), new Set([0]));
    assertEquals(receiver.received.length, 25);
    isDown = false;
    receiver.received.length = 0;
    await clock.set(new Date(start + 31 * HOUR_MS));
    while ((await stack.tick()).messages.handled > 0);
    assertEquals(numbersOf(receiver), Array.from({ length: 20 }, (_, n) => n));
    assertEquals(await deadLetters(stack), []);
    const [endpoint] = await stack.sql`select * from messenger_webhook_endpoints`;
    assertEquals([endpoint?.failing_since, endpoint?.disabled_at], [null, null]);
  });

  test("an endpoint that fails for days is disabled, and gets what it missed when it is sent again", async (stack) => {
    let isDown = true;
    await using receiver = startReceiver(() => new Response("no", { status: isDown ? 500 : 200 }));
    const start = Date.parse("2026-01-05T10:00:00Z");
    const clock = await takeClock(stack.sql, new Date(start));
    await addEndpoint(stack, "a", receiver.url);
    for (let n = 0; n < 5; n++) await publish(stack, "x", { n });
    await stack.tick();
    await clock.set(new Date(start + 121 * HOUR_MS));
    await stack.tick();
    const [endpoint] = await stack.sql`select * from messenger_webhook_endpoints`;
    assertEquals(endpoint?.disabled_by, "failures");
    assert(stack.logs.some((line) => line.includes("webhook_endpoint_disabled")));
    assertEquals((await stack.client.rpc("messenger_health")).data.webhooks_disabled.length, 1);
    assertEquals(await stack.count() > 0, true);

    // The head waits for its retry; then each finds the endpoint disabled.
    await clock.set(new Date(start + 123 * HOUR_MS));
    while (await stack.count() > 0) await stack.tick();
    assertEquals(
      (await deadLetters(stack)).map(({ reason }) => reason),
      Array(5).fill("unrecoverable"),
    );
    assertEquals(await publish(stack, "x", { n: 9 }).then(([row]) => row?.messenger_publish), 0);
    assertEquals(receiver.received.length, 2);

    isDown = false;
    receiver.received.length = 0;
    await stack.sql`select messenger_set_webhook_endpoint('a', '{"disabled":false}')`;
    const [again] = await stack
      .sql`select messenger_resend_webhooks(endpoint => 'a') ->> 'done' as n`;
    assertEquals(again?.n, "5");
    while (await stack.count() > 0) await stack.tick();
    assertEquals(numbersOf(receiver), [0, 1, 2, 3, 4]);
  });

  test("a rate holds in every period, and no attempt is charged for the wait", async (stack) => {
    await using receiver = startReceiver();
    const start = Date.parse("2026-01-05T10:00:00Z");
    const clock = await takeClock(stack.sql, new Date(start));
    await addEndpoint(stack, "a", receiver.url, { rate_limit: 2, rate_period_ms: 60_000 });
    for (let n = 0; n < 5; n++) await publish(stack, "x", { n });
    await stack.tick();
    assertEquals(numbersOf(receiver), [0, 1]);
    await clock.set(new Date(start + 59_000));
    await stack.tick();
    assertEquals(numbersOf(receiver), [0, 1]);
    await clock.set(new Date(start + 61_000));
    await stack.tick();
    assertEquals(numbersOf(receiver), [0, 1, 2, 3]);
    const [row] = await stack.sql`select retry_count, snoozes from messenger_messages`;
    assertEquals([row?.retry_count, Number(row?.snoozes) > 0], [0, true]);
  });
});
