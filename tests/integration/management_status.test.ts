/** Health, stats, metrics and the action log of the management API. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { addFailed, ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

interface Check {
  name: string;
  ok: boolean;
}

async function failing(stack: TestStack, query = ""): Promise<[number, string[]]> {
  const { status, body } = await ask(stack, "GET", `/health${query}`);
  const names = body.checks.filter(({ ok }: Check) => !ok).map(({ name }: Check) => name);
  assertEquals(body.status, names.length === 0 ? "ok" : "failing");
  return [status, names];
}

testsOnStack({}, (test) => {
  test("after a tick, with nothing overdue, the bus is healthy", async (stack) => {
    await clearManaged(stack);
    await stack.tick();
    assertEquals(await failing(stack), [200, []]);
  });

  test("without a tick in time, or with a message that waits too long, it is not", async (stack) => {
    await clearManaged(stack);
    assertEquals(await failing(stack), [503, ["last tick"]]);
    await stack.tick();
    await stack.sql`update public.messenger_ticks set started_at = started_at - interval '4 minutes'
      where true`;
    assertEquals(await failing(stack), [503, ["last tick"]]);
    assertEquals(await failing(stack, "?maxTickAge=5m"), [200, []]);
    await stack.sql`insert into public.messenger_messages (type, available_at)
      values ('Note', now() - interval '10 minutes')`;
    assertEquals(await failing(stack, "?maxTickAge=5m"), [503, ["oldest ready message"]]);
    assertEquals(await failing(stack, "?maxTickAge=5m&maxReadyAge=11m"), [200, []]);
    await ask(stack, "POST", "/queues/default/pause");
    assertEquals(await failing(stack, "?maxTickAge=5m"), [200, []], "a pause is no delay");
  });

  test("each check of health is in the table of docs/management.md", async (stack) => {
    const [, table = ""] = /^\| check .*\n((?:\|.*\n)+)/m
      .exec(Deno.readTextFileSync("docs/management.md")) ?? [];
    const listed = [...table.matchAll(/^\| (.*?) +\|/gm)]
      .flatMap(([, names = ""]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    const { body } = await ask(stack, "GET", "/health");
    const others = body.checks.filter(({ name }: Check) => !listed.includes(name));
    assertEquals(others, []);
  });

  test("dead letters count only where a limit is given", async (stack) => {
    await clearManaged(stack);
    await stack.tick();
    await addFailed(stack);
    await addFailed(stack, { failedAt: "2026-01-01T00:00:00Z" });
    assertEquals(await failing(stack), [200, []]);
    assertEquals(await failing(stack, "?maxDeadLetters=1"), [200, []]);
    assertEquals(await failing(stack, "?maxDeadLetters=0"), [503, [
      "dead letters in the last hour",
    ]]);
  });

  test("a cron job that is switched off, or a secret that is missing, is not healthy", async (stack) => {
    await clearManaged(stack);
    await stack.tick();
    await stack.sql`update cron.job set active = false where jobname = 'symphony-tick'`;
    assertEquals(await failing(stack), [503, ["cron_job"]]);
    await stack.sql`update cron.job set active = true where jobname = 'symphony-tick'`;
    await stack.sql`update vault.secrets set name = 'elsewhere' where name = 'symphony_url'`;
    assertEquals(await failing(stack), [503, ["vault_secrets"]]);
    await stack.sql`update vault.secrets set name = 'symphony_url' where name = 'elsewhere'`;
  });

  test("what stands still is found, and each failing check says what to do", async (stack) => {
    await clearManaged(stack);
    await stack.tick();
    await stack.sql`update cron.job set schedule = '0 0 29 2 *' where jobname = 'symphony-tick'`;
    await stack
      .sql`insert into public.messenger_schedules (message_type, schedule_type, cron, payload)
      values ('Note', 'cron', '@yearly', '{"text":"x"}')`;
    await stack.sql`update public.messenger_schedules set next_run_at = now() - interval '2 hours'
      where true`;
    const { status, body } = await ask(stack, "GET", "/health");
    await stack.sql`update cron.job set schedule = '* * * * *' where jobname = 'symphony-tick'`;
    const ill = body.checks.filter(({ ok }: Check) => !ok);
    assertEquals([status, ill.map(({ name }: Check) => name)], [503, [
      "overdue schedules",
      "cron_schedule",
    ]]);
    assertMatch(ill[1].advice, /symphony-messenger doctor --fix/);
    assertEquals(await failing(stack, "?maxScheduleAge=3h"), [200, []]);
    await clearManaged(stack);
  });

  test("ticks are listed, the latest first, a page at a time", async (stack) => {
    await stack.tick();
    await stack.tick();
    const first = await ask(stack, "GET", "/ticks?limit=1");
    const second = await ask(stack, "GET", `/ticks?limit=1&cursor=${first.body.next}`);
    assert(BigInt(first.body.ticks[0].id) > BigInt(second.body.ticks[0].id));
    assert(first.body.ticks[0].endedAt !== null);
  });

  test("a worker that began long ago is among those that are alive, and on no first page", async (stack) => {
    await stack.sql`truncate public.messenger_ticks`;
    await stack.sql`insert into public.messenger_ticks
      (asked_at, started_at, heartbeat_at, rested_at, worker, queues)
      values (now() - interval '2 days', now() - interval '2 days', now(), now() - interval '2 days',
        'render-1', array['render'])`;
    await stack.tick();
    const latest = await ask(stack, "GET", "/ticks?limit=1");
    assertEquals(latest.body.ticks[0].worker, null);
    const alive = await ask(stack, "GET", "/ticks?alive=true");
    assertEquals(alive.body.next, null);
    assertEquals(alive.body.ticks.map(({ worker }: { worker: string }) => worker), ["render-1"]);
    const paged = await ask(stack, "GET", `/ticks?alive=true&cursor=${latest.body.next}`);
    assertEquals(refusal(paged), [400, "invalid_request", ["cursor"]]);
  });

  test("wrong limits are refused by name", async (stack) => {
    for (const field of ["maxTickAge", "maxReadyAge", "maxDeadLetters"]) {
      const answered = await ask(stack, "GET", `/health?${field}=soon`);
      assertEquals(refusal(answered), [400, "invalid_request", [field]]);
    }
  });

  test("stats tell of queues, dead letters by type and reason, schedules, and what ticks did", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch([
      { type: "Note", payload: { text: "x" } },
      { type: "Note", payload: { text: "y" }, delay: "1h" },
    ]);
    await stack.tick();
    await addFailed(stack);
    await addFailed(stack, { failedAt: "2026-01-01T00:00:00Z" });
    const { body } = await ask(stack, "GET", "/stats");
    assertEquals(body.queues[0].delayed, { count: 1, capped: false });
    assertEquals(body.deadLetters.total, { count: 2, capped: false });
    assertEquals(body.deadLetters.lastHour, { count: 1, capped: false });
    const [group] = body.deadLetters.groups;
    assertEquals([group.type, group.reason, group.count], ["Note", "exhausted", 2]);
    assertEquals(body.schedules, { enabled: 0, disabled: 0 });
    const [rate] = body.ticks.rates;
    assertEquals([rate.seconds, rate.claimed, rate.handled], [300, 1, 1]);
  });

  test("metrics are what Prometheus reads", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch({ type: "Note", payload: { text: "x" }, queue: "mail" });
    const { body, headers } = await ask(stack, "GET", "/metrics");
    assertMatch(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const sample = /^[a-z_]+(\{([a-z]+="[^"]*",?)+\})? -?\d+(\.\d+)?(e[+-]?\d+)?$/;
    for (const line of body.trimEnd().split("\n")) {
      assert(/^# (HELP|TYPE) symphony_/.test(line) || sample.test(line), line);
    }
    assert(body.includes('symphony_queue_messages{queue="mail",state="due"} 1\n'));
    assert(body.includes('symphony_queue_paused{queue="default"} 0\n'));
  });

  test("the action log is read a page at a time, the latest first", async (stack) => {
    await clearManaged(stack);
    for (let n = 1; n <= 3; n++) {
      await ask(stack, "PATCH", "/queues/default", { concurrency: n });
    }
    const first = await ask(stack, "GET", "/actions?limit=2");
    const second = await ask(stack, "GET", `/actions?limit=2&cursor=${first.body.next}`);
    const seen = [...first.body.actions, ...second.body.actions];
    assertEquals(seen.map(({ target }) => target.settings.concurrency), [3, 2, 1]);
    assertEquals([second.body.next, seen[0].actor], [null, "secret key default"]);
  });
});
