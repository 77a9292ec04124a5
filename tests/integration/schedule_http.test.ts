/** Schedules over HTTPS: made through dispatch, run by the tick, and what becomes of their runs. */

import { assertEquals } from "@std/assert";
import type { TestStack } from "../support/stack.ts";
import { testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };
const hourly = { type: "cron", config: { cron: "0 * * * *" } };

async function asUser(stack: TestStack, sub: string) {
  const jwt = await stack.mintUserJwt({ sub });
  return { authorization: `Bearer ${jwt}`, apikey: stack.publishableKey };
}

async function refusal(response: Response) {
  const { code, issues }: { code: string; issues?: { path: unknown[] }[] } = await response.json();
  return [response.status, code, issues?.[0]?.path];
}

testsOfSchedules("2026-01-05T09:30:00Z", (test) => {
  test("a schedule is made over HTTPS, ticked, handled with its occurrence, and recorded", async (bench) => {
    const { stack, clock } = bench;
    const response = await stack.post("dispatch", {
      ...note,
      queue: "mail",
      schedule: { ...hourly, timezone: "Asia/Kathmandu", name: "hourly", ttl: "2h" },
    });
    assertEquals(response.status, 201);
    const { scheduleId } = await response.json();
    assertEquals((await stack.tick()).schedules.processed, 0);
    await clock.set("2026-01-05T10:15:00.250Z");
    const report = await stack.tick();
    assertEquals([report.schedules.processed, report.messages.handled], [1, 1]);
    const [effect] = await stack.effects();
    assertEquals(effect?.context.schedule, {
      id: scheduleId,
      name: "hourly",
      occurrence: "2026-01-05T10:15:00.000Z",
      run: 1,
    });
    const [run] = await bench.scheduler().runs(scheduleId);
    assertEquals([run?.outcome, run?.messageId], ["handled", effect?.message_id]);
  });

  test("a run whose message is given up is recorded as failed with the reason, then as handled after a redrive", async (bench) => {
    const { stack, clock } = bench;
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, {
      type: "once",
      config: { at: new Date("2026-01-05T10:00:00Z") },
    });
    // Made wrong in SQL, without the check.
    await stack.sql`update public.messenger_schedules set payload = '{"text":5}' where id = ${id}`;
    await clock.set("2026-01-05T10:00:01Z");
    assertEquals((await stack.tick()).messages.failed, 1);
    const [failed] = await scheduler.runs(id);
    assertEquals([failed?.outcome, failed?.reason, failed?.finishedAt], [
      "failed",
      "invalid",
      new Date("2026-01-05T10:00:01Z"),
    ]);
    await stack.client.rpc("messenger_redrive", {
      ids: [failed?.messageId],
      payload: { text: "mended" },
    });
    assertEquals((await stack.tick()).messages.handled, 1);
    const [handled] = await scheduler.runs(id);
    assertEquals([handled?.outcome, handled?.reason], ["handled", null]);
  });

  test("a message's definition gives the queue that a schedule leaves open", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule({ type: "Count", payload: { n: 1 } }, {
      type: "cron",
      config: { cron: "0 * * * *" },
    });
    await bench.clock.set("2026-01-05T10:00:01Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    await scheduler.trigger(id);
    assertEquals((await bench.made()).map(({ queue }) => queue), ["count", "count"]);
  });

  test("a failure in processing schedules is reported, and messages are handled all the same", async (bench) => {
    const { stack } = bench;
    await bench.scheduler().schedule(note, { type: "cron", config: { cron: "0 10 * * *" } });
    await bench.clock.set("2026-01-05T10:00:01Z");
    await stack.dispatch(note);
    await stack.sql.unsafe(`
      create function public.test_refuse() returns trigger language plpgsql as
        $$ begin raise exception 'out of order'; end $$;
      create trigger test_refuse before update on public.messenger_schedules
        for each row execute function public.test_refuse();
    `).simple();
    try {
      const { schedules, messages } = await stack.tick();
      assertEquals(
        [schedules.processed, schedules.error, messages.handled],
        [0, "messenger_claim_schedules: out of order", 1],
      );
    } finally {
      await stack.sql`drop function public.test_refuse() cascade`;
    }
    assertEquals((await stack.tick()).schedules.processed, 1);
  });

  test("a user makes schedules only of types that allow it, under no name, and stays known", async (bench) => {
    const { stack, clock } = bench;
    const user = crypto.randomUUID();
    const headers = await asUser(stack, user);
    const post = (body: unknown) => stack.post("dispatch", body, headers);
    assertEquals(await refusal(await post({ ...note, schedule: hourly })), [403, "forbidden", [
      "schedule",
    ]]);
    const choosy = { type: "Choosy", payload: {} };
    assertEquals(await refusal(await post({ ...choosy, schedule: { ...hourly, name: "x" } })), [
      403,
      "forbidden",
      ["schedule", "name"],
    ]);
    assertEquals(await refusal(await post({ ...choosy, queue: "vip", schedule: hourly })), [
      403,
      "forbidden",
      ["queue"],
    ]);
    assertEquals((await bench.scheduler().list()).length, 0);

    const response = await post({ ...choosy, schedule: hourly });
    assertEquals(response.status, 201);
    await clock.set("2026-01-05T10:00:01Z");
    await stack.tick();
    const [effect] = await stack.effects();
    assertEquals(effect?.context.user, { id: user, isAnonymous: false });
  });

  const wrong: [string, unknown, (string | number)[]][] = [
    ["no times", { ...note, schedule: {} }, ["schedule", "type"]],
    ["a bad cron expression", {
      ...note,
      schedule: { type: "cron", config: { cron: "60 * * * *" } },
    }, [
      "schedule",
      "config",
      "cron",
    ]],
    ["an unknown zone", { ...note, schedule: { ...hourly, timezone: "Mars/Olympus" } }, [
      "schedule",
      "timezone",
    ]],
    ["an interval of 0", { ...note, schedule: { type: "interval", config: { interval: 0 } } }, [
      "schedule",
      "config",
      "interval",
    ]],
    ["a moment in the past", {
      ...note,
      schedule: { type: "once", config: { at: "2026-01-05T09:29:59Z" } },
    }, ["schedule", "config", "at"]],
    ["a moment without offset", {
      ...note,
      schedule: { type: "once", config: { at: "2027-01-05T09:29:59" } },
    }, ["schedule", "config", "at"]],
    ["maxRuns 0", { ...note, schedule: { ...hourly, maxRuns: 0 } }, ["schedule", "maxRuns"]],
    ["an unknown field", { ...note, schedule: { ...hourly, every: 5 } }, ["schedule", "every"]],
    ["a delay", { ...note, delay: "5m", schedule: hourly }, ["delay"]],
    ["an idempotency key", { ...note, idempotencyKey: "k", schedule: hourly }, ["idempotencyKey"]],
    ["a wrong priority", { ...note, priority: 5000, schedule: hourly }, ["priority"]],
    ["a wrong payload", { ...note, payload: {}, schedule: hourly }, ["payload", "text"]],
    ["an unknown type", { type: "Nope", payload: {}, schedule: hourly }, ["type"]],
    ["a place in an array", [{ ...note, schedule: hourly }], [0, "schedule"]],
  ];
  for (const [what, body, path] of wrong) {
    test(`a schedule with ${what} is refused with 400, naming the field`, async (bench) => {
      const response = await bench.stack.post("dispatch", body);
      const [status, , where] = await refusal(response);
      assertEquals([status, where], [400, path]);
      assertEquals(await bench.scheduler().list(), []);
    });
  }
});
