/** Webhook endpoints over the management API and its command. */

import { assertEquals, assertMatch } from "@std/assert";
import { Webhook } from "standardwebhooks";
import { messenger } from "../support/cli.ts";
import { actions, ask, clearManaged } from "../support/management.ts";
import { startReceiver } from "../support/receivers.ts";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({
  messages: new URL("../support/webhook_messages", import.meta.url).pathname,
  env: { SYMPHONY_TICK_BUDGET_MS: "1500" },
}, (test) => {
  test("an endpoint is made, tested, rotated, disabled and deleted, and the log has no secret", async (stack) => {
    await clearManaged(stack);
    await using receiver = startReceiver();
    const url = receiver.url;
    const made = await ask(stack, "POST", "/webhooks", { name: "a", url, events: ["order.*"] });
    assertEquals([made.status, made.body.endpoint.events], [201, ["order.*"]]);
    const secrets = [made.body.secret];
    assertEquals((await ask(stack, "POST", "/webhooks", { name: "a", url })).status, 409);
    assertEquals((await ask(stack, "POST", "/webhooks/a/test", {})).body, { published: true });
    await stack.tick();
    secrets.push((await ask(stack, "POST", "/webhooks/a/rotate-secret", {})).body.secret);
    await ask(stack, "POST", "/webhooks/a/test", {});
    await stack.tick();
    const [first, second] = receiver.received;
    new Webhook(secrets[0]).verify(first?.body ?? "", first?.headers ?? {});
    for (const secret of secrets) {
      new Webhook(secret).verify(second?.body ?? "", second?.headers ?? {});
    }

    const shown = (await ask(stack, "GET", "/webhooks/a")).body;
    assertEquals([shown.name, shown.url, shown.disabledBy], ["a", url, null]);
    assertEquals(JSON.stringify(shown).includes("whsec_"), false);
    // SQL may write a time that no JavaScript integer holds.
    await stack.sql`update messenger_webhook_endpoints set disable_after_ms = 9e18`;
    assertEquals((await ask(stack, "GET", "/webhooks/a")).body.disableAfterMs, 9e18);
    const disabled = (await ask(stack, "POST", "/webhooks/a/disable", {})).body;
    assertEquals(disabled.disabledBy, "operator");
    assertEquals((await ask(stack, "POST", "/webhooks/a/test", {})).status, 409);
    assertEquals((await ask(stack, "POST", "/webhooks/a/enable", {})).body.disabledBy, null);
    assertEquals((await ask(stack, "PATCH", "/webhooks/a", { rateLimit: 5 })).body.rateLimit, 5);
    assertEquals((await ask(stack, "DELETE", "/webhooks/a")).body, { removed: true });
    assertEquals((await ask(stack, "GET", "/webhooks/a")).status, 404);
    assertEquals((await actions(stack)).map(([, action]) => action), [
      ...["create_webhook_endpoint", "test_webhook_endpoint", "rotate_webhook_secret"],
      ...["test_webhook_endpoint", "set_webhook_endpoint", "set_webhook_endpoint"],
      ...["set_webhook_endpoint", "delete_webhook_endpoint"],
    ]);
    const targets = JSON.stringify(await stack.sql`select target from messenger_actions`);
    assertEquals([targets.includes("whsec_"), targets.includes(url)], [false, false]);
  });

  test("wrong settings are named", async (stack) => {
    const issues = async (body: object) =>
      (await ask(stack, "POST", "/webhooks", { name: "b", url: "https://example.com", ...body }))
        .body.issues?.map(({ path }: { path: string[] }) => path.join("."));
    assertEquals(await issues({ url: "ftp://x" }), ["url"]);
    assertEquals(await issues({ url: "https://example.com/a\0" }), ["url"]);
    assertEquals(await issues({ url: "https://example.com/\ud800" }), ["url"]);
    assertEquals(await issues({ events: ["a.*.b"] }), ["events.0"]);
    assertEquals(await issues({ secret: "symphony_secret_key" }), ["secret"]);
    assertEquals(await issues({ rate: 5 }), ["rate"]);
    const resend = await ask(stack, "POST", "/webhook-deliveries/resend", { dryRun: true });
    assertEquals(resend.status, 400);
  });

  test("deliveries are listed and sent again", async (stack) => {
    let status = 400;
    await using receiver = startReceiver(() => new Response("no such order", { status }));
    await ask(stack, "POST", "/webhooks", { name: "c", url: receiver.url });
    for (let n = 0; n < 3; n++) {
      await stack.sql`select messenger_publish('order.paid', ${stack.sql.json({ n })})`;
    }
    await stack.tick();
    const list = (query: string) => ask(stack, "GET", `/webhook-deliveries?${query}`);
    const { deliveries, next } = (await list("endpoint=c&delivered=false&limit=2")).body;
    assertEquals(
      deliveries.map(({ status, answer }: Record<string, unknown>) => [status, answer]),
      [[400, "no such order"], [400, "no such order"]],
    );
    assertEquals(
      (await list(`endpoint=c&delivered=false&limit=2&cursor=${next}`)).body.deliveries.length,
      1,
    );
    status = 200;
    const one = await ask(stack, "POST", "/webhook-deliveries/resend", { ids: [deliveries[0].id] });
    assertEquals([one.body.matched, one.body.done], [1, 1]);
    await stack.tick();
    const rest = await ask(stack, "POST", "/webhook-deliveries/resend", { endpoint: "c" });
    assertEquals([rest.body.done, rest.body.next], [2, null]);
    await stack.tick();
    assertEquals(receiver.received.slice(3).map(({ body }) => JSON.parse(body).data.n), [2, 0, 1]);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    assertEquals(new Set(ids).size, 3);
    assertEquals((await stack.sql`select from messenger_failed_messages`).length, 0);
  });

  test("the command makes, tests, rotates and sends webhooks again", async (stack) => {
    await using receiver = startReceiver(() => new Response(null, { status: 500 }));
    const said = messenger(stack);
    const made = await said(`webhooks create d --url ${receiver.url} --events order.*,user.made`);
    assertMatch(made.out, /^secretValue +whsec_/m);
    assertMatch((await said("webhooks list")).out, /^d +http.*order\.\*/m);
    assertEquals((await said("webhooks set d")).code, 2);
    assertMatch((await said("webhooks set d --rate-limit 5")).out, /^rateLimit +5$/m);
    assertMatch((await said("webhooks set d --rate-limit none")).out, /^rateLimit +-?$/m);
    assertMatch((await said("webhooks rotate d --overlap 1h")).out, /^secretValue +whsec_/m);
    assertMatch((await said("webhooks test d")).out, /^published/);
    await stack.tick();
    assertMatch((await said("webhooks deliveries --failed")).out, /^\d+ +d +webhook\.test +1 /m);
    await stack.sql`delete from messenger_messages`;
    assertEquals(
      (await said("webhooks resend --endpoint d --dry-run")).out,
      "1 would be sent again",
    );
    assertEquals((await said("webhooks resend --endpoint d")).out, "1 sent again");
    assertEquals((await said("webhooks resend")).code, 2);
    assertMatch((await said("webhooks disable d")).out, /^disabledBy +operator$/m);
    assertEquals((await said("webhooks delete d")).out, "d deleted");
    assertEquals((await said("webhooks show d")).code, 1);
  });
});
