/** Alerts on their way: from pg_cron over pg_net to a receiver, while the functions are down. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Webhook } from "standardwebhooks";
import { messenger } from "../support/cli.ts";
import { ask, clearManaged } from "../support/management.ts";
import { type ReceivedWebhook, startReceiver } from "../support/receivers.ts";
import { eventually, startTestStack, testsOnStack, type TestStack } from "../support/stack.ts";

const SECRET = `whsec_${btoa("a secret of 32 bytes for alerts!")}`;
const binDir = Deno.env.get("SYMPHONY_TEST_POSTGRES") ?? "";
const hasRealCron = await Deno.stat(`${binDir}/../lib/pg_cron.so`).then(() => true, () => false);

/** Sets the channel `ops`: a signed webhook, unless the settings say otherwise. */
async function tellAt(stack: TestStack, url: string, settings: object = {}): Promise<void> {
  const body = { kind: "webhook", url, secret: SECRET, ...settings };
  const set = await ask(stack, "PUT", "/alert-channels/ops", body);
  assertEquals(set.status, 200, JSON.stringify(set.body));
}

/** Leaves one alert: it fires when the last tick is 90 s old. */
async function alertOnNoTick({ sql }: TestStack): Promise<void> {
  await sql`delete from public.messenger_alerts`;
  await sql`select public.messenger_create_alert('no-tick', 'no_tick')`;
}

/** Lets the database call the functions at an address, at which there are none unless it is the stack's. */
async function callFunctionsAt({ sql }: TestStack, url: string): Promise<void> {
  await sql`select vault.update_secret(id, ${url}) from vault.secrets where name = 'symphony_url'`;
}

/** The clock of the bus moves on, as seen by the ticks that were. */
async function age({ sql }: TestStack, interval: string): Promise<void> {
  await sql`update public.messenger_ticks set asked_at = asked_at - ${interval}::interval,
    started_at = started_at - ${interval}::interval, heartbeat_at = heartbeat_at - ${interval}::interval`;
}

/** Leaves no job of pg_cron: a minute that ends within a test would tick, which ends the alert, and check it. */
async function unscheduleAll({ sql }: TestStack): Promise<void> {
  await sql`delete from cron.job where true`;
}

/** Checks of the alert after this moment, at least as many. */
async function checks({ sql }: TestStack, number: number): Promise<void> {
  const seen = new Set<string>();
  await eventually(
    async () => {
      const [row] = await sql<{ at: string }[]>`
        select checked_at::text as at from public.messenger_alerts limit 1`;
      return seen.add(row?.at ?? "").size;
    },
    (size) => size > number,
  );
}

/** Answers with these statuses, and then with 200. */
function answersOf(...statuses: number[]): () => Response {
  return () => new Response(null, { status: statuses.shift() ?? 200 });
}

function verified(
  { body, headers }: ReceivedWebhook,
): { type: string; data: Record<string, unknown> } {
  return new Webhook(SECRET).verify(body, headers) as ReturnType<typeof verified>;
}

testsOnStack({ cron: true, net: true }, (test) => {
  test("an alert comes once while all functions are dead, and is resolved after their recovery", async (stack) => {
    await clearManaged(stack);
    await unscheduleAll(stack);
    await using receiver = startReceiver();
    await tellAt(stack, receiver.url);
    await alertOnNoTick(stack);
    await stack.tick();
    // Every second instead of every minute; two jobs, which overlap.
    await stack
      .sql`select cron.schedule('symphony-alerts', '1 seconds', 'select public.messenger_check_alerts()')`;
    await stack
      .sql`select cron.schedule('another', '1 seconds', 'select public.messenger_check_alerts()')`;
    await checks(stack, 1);
    assertEquals(receiver.received.length, 0, "the functions live");

    await callFunctionsAt(stack, "http://127.0.0.1:9");
    await age(stack, "2 minutes");
    const [firing] = await eventually(
      () => Promise.resolve(receiver.received),
      (received) => received.length > 0,
    );
    await checks(stack, 3);
    assertEquals(receiver.received.length, 1, "it was told once");
    const { type, data } = verified(firing as ReceivedWebhook);
    assertEquals([type, data.alert, data.rule, data.threshold], [
      "messenger.alert.firing",
      "no-tick",
      "no_tick",
      90_000,
    ]);
    assertMatch(
      String(data.summary),
      /^The last tick began 1\d\d s ago|^The last tick began 2 min ago/,
    );
    const health = await ask(stack, "GET", "/alerts/no-tick");
    assertEquals(health.body.state, "firing");

    await callFunctionsAt(stack, stack.url);
    await stack.tick();
    await eventually(() => Promise.resolve(receiver.received), (received) => received.length > 1);
    await checks(stack, 3);
    assertEquals(receiver.received.map((one) => verified(one).type), [
      "messenger.alert.firing",
      "messenger.alert.resolved",
    ]);
    assertEquals((await ask(stack, "GET", "/alerts/no-tick")).body.state, "cooling_down");
    await unscheduleAll(stack);
  });

  test("a receiver that fails gets the delivery again, under the same id and with a valid signature", async (stack) => {
    await clearManaged(stack);
    await unscheduleAll(stack);
    await stack.tick();
    await using receiver = startReceiver(answersOf(500));
    await tellAt(stack, receiver.url);
    await alertOnNoTick(stack);
    await age(stack, "1 hour");
    const check = () => stack.sql`select public.messenger_check_alerts()`;
    const delivery = async () => (await ask(stack, "GET", "/alert-deliveries")).body.deliveries;
    await check();
    await eventually(async () => {
      await check();
      return await delivery();
    }, ([one]) => one.status === "pending" && one.attempts === 1);
    await stack.sql`update public.messenger_alert_deliveries set next_attempt_at = now()`;
    const [only, ...others] = await eventually(async () => {
      await check();
      return await delivery();
    }, ([one]) => one.status === "delivered");
    assertEquals([only.attempts, only.statusCode, only.error, others], [2, 200, null, []]);
    assertEquals(receiver.received.length, 2);
    const ids = receiver.received.map((one) => {
      verified(one);
      return one.headers["webhook-id"];
    });
    assertEquals(ids[0], ids[1]);
    const [first] = receiver.received as [ReceivedWebhook];
    assertThrows(() => verified({ ...first, body: `${first.body} ` }), Error, "signature");
  });

  test("Slack, Discord and an unsigned webhook get their own form", async (stack) => {
    await clearManaged(stack);
    await using receiver = startReceiver();
    for (const kind of ["slack", "discord", "webhook"]) {
      await tellAt(stack, receiver.url, { kind, secret: kind === "webhook" ? null : undefined });
      const { body } = await ask(stack, "POST", "/alert-channels/ops/test");
      assertEquals([body.status, body.statusCode, body.attempts], ["delivered", 200, 1], kind);
    }
    const [slack, discord, plain] = receiver.received.map(({ body }) => JSON.parse(body));
    assertMatch(
      slack.text,
      /^\*Test of the channel ops\*\nAlerts of Symphony Messenger arrive here\.\n/,
    );
    assertMatch(discord.content, /^\*\*Test of the channel ops\*\*\n/);
    assertEquals(discord.allowed_mentions, { parse: [] });
    assertEquals([plain.type, plain.data.project], [
      "messenger.alert.test",
      new URL(stack.url).host,
    ]);
    assertEquals(receiver.received[2]?.headers["webhook-signature"], undefined);
  });

  test("a test that does not arrive says why, in the command too, and health tells of it", async (stack) => {
    await clearManaged(stack);
    await using receiver = startReceiver(answersOf(404, 404));
    await tellAt(stack, receiver.url);
    const { body } = await ask(stack, "POST", "/alert-channels/ops/test");
    assertEquals([body.status, body.statusCode, body.attempts], ["failed", 404, 1]);
    const said = await messenger(stack)("alerts channels test ops");
    assertEquals([said.code, said.out.startsWith("failed: HTTP 404")], [1, true], said.out);
    const health = await ask(stack, "GET", "/health");
    const check = health.body.checks.find(({ name }: { name: string }) =>
      name === "alert deliveries"
    );
    assertEquals([check.ok, check.found], [false, "ops"]);
    assertEquals((await messenger(stack)("alerts channels test ops")).out, "delivered");
    const gone = startReceiver();
    await gone[Symbol.asyncDispose]();
    await tellAt(stack, gone.url);
    const refused = await ask(stack, "POST", "/alert-channels/ops/test");
    assertEquals([refused.body.status, refused.body.statusCode], ["failed", null]);
    assertMatch(refused.body.error, /connect/i);
  });
});

Deno.test({
  name: hasRealCron
    ? "the real pg_cron tells of dead functions by the minute"
    : "the real pg_cron: left out, for SYMPHONY_TEST_POSTGRES names no Postgres that has it",
  ignore: !hasRealCron,
  fn: async () => {
    const stack = await startTestStack({
      postgres: { binDir, realCron: true },
      migrate: true,
      net: true,
    });
    try {
      await using receiver = startReceiver();
      await tellAt(stack, receiver.url);
      await alertOnNoTick(stack);
      await stack.tick();
      await callFunctionsAt(stack, "http://127.0.0.1:9");
      await age(stack, "90 seconds");
      await eventually(
        async () => {
          // pg_cron does not know jobs that are made in the moment in which it reads them, until one changes.
          const [{ idle }] = await stack.sql<[{ idle: boolean }]>`
            select extract(second from now()) between 3 and 55
              and not exists (select from cron.job_run_details) as idle`;
          if (idle) await stack.sql`select cron.alter_job(jobid, active => true) from cron.job`;
          return receiver.received;
        },
        (received) => received.length > 0,
        190_000,
      );
      assertEquals(receiver.received.map((one) => verified(one).type), ["messenger.alert.firing"]);
    } finally {
      await stack.stop();
    }
  },
});
