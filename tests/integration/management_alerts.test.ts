/** Alerts, their channels and their deliveries over the management API. */

import { assertEquals } from "@std/assert";
import { actions, ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const hook = { kind: "webhook", url: "https://a.example/s3cret", secret: SECRET };

/** Sets the channel `ops`. */
async function setOps(stack: TestStack, body: object = hook) {
  return await ask(stack, "PUT", "/alert-channels/ops", body);
}

testsOnStack({}, (test) => {
  test("an alert is made, shown, changed and deleted, and the log says who did it", async (stack) => {
    await clearManaged(stack);
    const made = await ask(stack, "POST", "/alerts", {
      name: "mail-waits",
      rule: "oldest_ready",
      queue: "mail",
      threshold: 600_000,
    });
    assertEquals([made.status, made.body.threshold, made.body.cooldownMs, made.body.state], [
      201,
      600_000,
      3_600_000,
      "resolved",
    ]);
    const changed = await ask(stack, "PATCH", "/alerts/mail-waits", {
      queue: null,
      enabled: false,
    });
    assertEquals([changed.body.queue, changed.body.enabled], [null, false]);
    const { body } = await ask(stack, "GET", "/alerts");
    assertEquals(body.alerts.map(({ name, rule }: Record<string, string>) => [name, rule]), [
      ["mail-waits", "oldest_ready"],
    ]);
    assertEquals((await ask(stack, "GET", "/alerts/mail-waits")).body.threshold, 600_000);
    assertEquals((await ask(stack, "DELETE", "/alerts/mail-waits")).body, { removed: true });
    assertEquals((await ask(stack, "GET", "/alerts/mail-waits")).status, 404);
    assertEquals(await actions(stack), [
      ["secret key default", "create_alert", 1],
      ["secret key default", "set_alert", 1],
      ["secret key default", "delete_alert", 1],
    ]);
  });

  test("an alert that was written in SQL is shown, whatever its numbers and texts are", async (stack) => {
    await clearManaged(stack);
    await ask(stack, "POST", "/alerts", { name: "good", rule: "no_tick" });
    await stack.sql`
      insert into public.messenger_alerts (name, rule, threshold, window_ms, cooldown_ms, type)
      values ('huge', 'dead_letters', 1e12, 9e18, 0, repeat('🦉', 200)),
        ('less', 'dead_letters', -1, 1, 1, null), ('endless', 'dead_letters', 'infinity', 1, 1, null),
        ('none', 'dead_letters', 'nan', null, 1, null)`;
    const { status, body } = await ask(stack, "GET", "/alerts");
    assertEquals(status, 200);
    assertEquals(
      body.alerts.map(({ name, threshold, windowMs }: Record<string, unknown>) => [
        ...[name, threshold, windowMs],
      ]),
      [
        ["endless", null, 1],
        ["good", 90_000, null],
        ["huge", 1e12, 9e18],
        ["less", -1, 1],
        ["none", null, null],
      ],
    );
    assertEquals((await ask(stack, "GET", "/alerts/huge")).body.cooldownMs, 0);
  });

  test("a wrong alert is refused with the field", async (stack) => {
    await clearManaged(stack);
    const alert = { name: "a", rule: "no_tick" };
    for (
      const [path, more] of [
        [["rule"], { rule: "boredom" }],
        [["name"], { name: "a b" }],
        [["queue"], { queue: "mail" }],
        [["windowMs"], { windowMs: 60_000 }],
        [["windowMs"], { rule: "retry_rate", windowMs: null }],
        [["threshold"], { threshold: 10 }],
        [["threshold"], { threshold: "5m" }],
        [["channel"], { channel: "nowhere" }],
        [["cooldownMs"], { cooldownMs: 1 }],
        [["treshold"], { treshold: 1 }],
      ] as const
    ) {
      assertEquals(
        refusal(await ask(stack, "POST", "/alerts", { ...alert, ...more })),
        [400, "invalid_request", path],
        JSON.stringify(more),
      );
    }
    assertEquals((await ask(stack, "POST", "/alerts", alert)).status, 201);
    assertEquals((await ask(stack, "POST", "/alerts", alert)).status, 409);
    assertEquals(await actions(stack), [["secret key default", "create_alert", 1]]);
  });

  test("a channel's URL and secret go into Vault, and are told by no answer and no log", async (stack) => {
    await clearManaged(stack);
    const set = await setOps(stack);
    assertEquals([set.status, set.body.host, set.body.signed, set.body.isDefault], [
      200,
      "a.example",
      true,
      true,
    ]);
    assertEquals((await setOps(stack, { kind: "webhook" })).body.signed, true, "both stay");
    assertEquals((await setOps(stack, { kind: "webhook", secret: null })).body.signed, false);
    const told = JSON.stringify([
      set.body,
      (await ask(stack, "GET", "/alert-channels")).body,
      (await ask(stack, "GET", "/alert-channels/ops")).body,
      (await ask(stack, "GET", "/actions")).body,
      stack.logs,
    ]);
    assertEquals(/s3cret|whsec_MDEy/.test(told), false);
    const secrets = await stack.sql<{ value: string }[]>`
      select decrypted_secret as value from vault.decrypted_secrets where name = 'symphony_alert_ops_url'`;
    assertEquals(secrets.map(({ value }) => value), [hook.url]);
    assertEquals((await ask(stack, "DELETE", "/alert-channels/ops")).body, { removed: true });
    assertEquals((await ask(stack, "DELETE", "/alert-channels/ops")).status, 404);
  });

  test("a wrong channel is refused with the field", async (stack) => {
    await clearManaged(stack);
    for (
      const [path, body] of [
        [["kind"], { kind: "mail" }],
        [["url"], { kind: "slack" }],
        [["url"], { kind: "slack", url: "http://a.example" }],
        [["url"], { kind: "slack", url: "file:///etc/passwd" }],
        [["secret"], { kind: "slack", url: "https://a.example", secret: SECRET }],
        [["secret"], { ...hook, secret: "whsec_short" }],
        [["messageType"], { kind: "message" }],
        [["messageType"], { ...hook, messageType: "Note" }],
        [["uri"], { ...hook, uri: "https://a.example" }],
      ] as const
    ) {
      assertEquals(
        refusal(await setOps(stack, body)),
        [400, "invalid_request", path],
        JSON.stringify(body),
      );
    }
    assertEquals((await ask(stack, "GET", "/alert-channels/ops")).status, 404);
    assertEquals((await ask(stack, "POST", "/alert-channels/ops/test")).status, 404);
  });

  test("a channel on which alerts are told is not deleted", async (stack) => {
    await clearManaged(stack);
    await setOps(stack);
    await ask(stack, "POST", "/alerts", { name: "a", rule: "no_tick", channel: "ops" });
    const { status, body } = await ask(stack, "DELETE", "/alert-channels/ops");
    assertEquals([status, body.code], [409, "conflict"]);
  });

  test("deliveries are listed page by page and by filter, and sent again", async (stack) => {
    await clearManaged(stack);
    await setOps(stack, { kind: "message", messageType: "Note" });
    await stack.sql`
      insert into public.messenger_alert_deliveries (alert, channel, event, body, status)
      select 'a' || n, 'ops', 'firing', '{"type":"messenger.alert.firing","data":{}}',
        case when n = 2 then 'delivered' else 'failed' end
      from generate_series(1, 3) n`;
    const list = async (query: string) =>
      (await ask(stack, "GET", `/alert-deliveries${query}`)).body;
    const alerts = ({ deliveries }: { deliveries: { alert: string }[] }) =>
      deliveries.map(({ alert }) => alert);
    const first = await list("?limit=2");
    const second = await list(`?limit=2&cursor=${first.next}`);
    assertEquals([alerts(first), alerts(second), second.next], [["a3", "a2"], ["a1"], null]);
    assertEquals(alerts(await list("?status=failed&alert=a1&channel=ops")), ["a1"]);

    const [{ id }] = first.deliveries;
    const sent = await ask(stack, "POST", `/alert-deliveries/${id}/retry`);
    assertEquals([sent.status, sent.body.status, sent.body.attempts], [200, "delivered", 1]);
    assertEquals((await ask(stack, "POST", `/alert-deliveries/${id}/retry`)).status, 409);
    assertEquals((await ask(stack, "GET", `/alert-deliveries/${id}`)).body.id, id);
    assertEquals((await ask(stack, "GET", "/alert-deliveries/999")).status, 404);
    assertEquals((await ask(stack, "POST", "/alert-deliveries/999/retry")).status, 404);
  });

  test("a test of a channel of kind message dispatches a message, and is logged", async (stack) => {
    await clearManaged(stack);
    await setOps(stack, { kind: "message", messageType: "Note" });
    const { body } = await ask(stack, "POST", "/alert-channels/ops/test");
    assertEquals([body.event, body.status, body.alert], ["test", "delivered", null]);
    const rows = await stack.sql<{ payload: { type: string } }[]>`
      select payload from public.messenger_messages where type = 'Note'`;
    assertEquals(rows.map(({ payload }) => payload.type), ["messenger.alert.test"]);
    const { body: log } = await ask(stack, "GET", "/actions");
    assertEquals([log.actions[0].action, log.actions[0].target], ["test_alert_channel", {
      name: "ops",
    }]);
  });

  test("health tells of channels on which nothing arrives, and of alerts that cannot be checked", async (stack) => {
    await clearManaged(stack);
    const check = async (name: string) => {
      const { body } = await ask(stack, "GET", "/health");
      const { ok, found } = body.checks.find((one: { name: string }) => one.name === name);
      return [ok, found];
    };
    assertEquals([await check("alert deliveries"), await check("alerts")], [[true, 0], [true, 0]]);
    await setOps(stack);
    await stack.sql`insert into public.messenger_alert_deliveries (channel, event, body, status)
      values ('ops', 'firing', '{}', 'failed')`;
    await stack
      .sql`insert into public.messenger_alerts (name, rule, queue) values ('a', 'no_tick', 'x')`;
    await stack.sql`select public.messenger_check_alerts()`;
    assertEquals([await check("alert deliveries"), await check("alerts")], [
      [false, "ops"],
      [false, "a"],
    ]);
  });
});
