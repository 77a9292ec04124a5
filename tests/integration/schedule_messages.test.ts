/** The messages of schedules go through the checks of a dispatch, and what fails is told. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Middleware } from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { messages } from "../support/messages/mod.ts";
import { type ScheduleBench, testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };
const minutely = { type: "cron", config: { cron: "* * * * *" } } as const;

/** A scheduler with middleware. */
function schedulerWith({ stack, scheduler }: ScheduleBench, ...middleware: Middleware[]) {
  const registry = createRegistry(messages);
  const transport = new SupabaseTransport(stack.client);
  return scheduler({ bus: new MessageBus({ registry, transport, middleware }) });
}

const outcomes = async (bench: ScheduleBench, id: string) =>
  (await bench.scheduler().runs(id)).map(({ outcome }) => outcome).reverse();

testsOfSchedules("2026-01-05T09:30:30Z", (test) => {
  test("middleware routes and changes what a schedule makes, once for each run", async (bench) => {
    const scheduler = schedulerWith(bench, {
      dispatch: (message) => ({
        ...message,
        queue: "default",
        groupKey: "all",
        payload: { text: `${(message.payload as { text: string }).text}!` },
      }),
    });
    const id = await scheduler.schedule(note, { ...minutely, queue: "notes" });
    assertEquals((await scheduler.get(id))?.message.payload, { text: "hello" });
    await bench.clock.set("2026-01-05T09:31:01Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    await scheduler.trigger(id);
    const rows = await bench.stack.sql`
      select payload, queue, group_key, (stamps -> 'schedule' ->> 'run')::int as run
      from public.messenger_messages order by id`;
    const routed = { payload: { text: "hello!" }, queue: "default", group_key: "all" };
    assertEquals(rows.map((row) => ({ ...row })), [{ ...routed, run: 1 }, { ...routed, run: 0 }]);
  });

  test("middleware that fails for one schedule holds up no other, and its run comes later", async (bench) => {
    let isDown = true;
    const scheduler = schedulerWith(bench, {
      dispatch: (message) => {
        const isBad = message.stamps?.schedule?.name === "bad";
        if (isBad && isDown && message.stamps?.schedule?.run === 1) throw new Error("down");
        return message;
      },
    });
    isDown = false;
    const bad = await scheduler.schedule(note, { ...minutely, name: "bad" });
    const good = await scheduler.schedule(note, minutely);
    isDown = true;
    await bench.clock.set("2026-01-05T09:31:00Z");
    const { report, nextDueMs } = await scheduler.process();
    assertEquals([report.dispatched, report.failed, nextDueMs], [1, 1, 5_000]);
    assertEquals([await outcomes(bench, bad), await outcomes(bench, good)], [[], ["enqueued"]]);
    assert((await scheduler.get(bad))?.failingSince);
    assertEquals((await scheduler.process()).report.failed, 0);

    isDown = false;
    await bench.clock.set("2026-01-05T09:31:05Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    const [run] = await scheduler.runs(bad);
    assertEquals([run?.occurrence, run?.outcome], [new Date("2026-01-05T09:31:00Z"), "enqueued"]);
    assertEquals((await scheduler.get(bad))?.failingSince, null);
  });

  test("a run whose key is another message's fails alone: its schedule goes on, and so do the others", async (bench) => {
    const scheduler = schedulerWith(bench, {
      dispatch: (message) => ({ ...message, idempotencyKey: "the only one" }),
    });
    const ids = [];
    for (const text of ["a", "b"]) {
      ids.push(await scheduler.schedule({ type: "Note", payload: { text } }, minutely));
    }
    await bench.clock.set("2026-01-05T09:31:01Z");
    const { report } = await scheduler.process();
    assertEquals([report.dispatched, report.failed], [1, 1]);
    const outcomesOf = await Promise.all(ids.map((id) => outcomes(bench, id)));
    assertEquals(outcomesOf.flat().toSorted(), ["enqueued", "failed"]);
    for (const id of ids) assertEquals((await scheduler.get(id))?.enabled, true);
  });

  test("a run that middleware still refuses after ten minutes is recorded as failed with the reason", async (bench) => {
    let isDown = false;
    const scheduler = schedulerWith(bench, {
      dispatch: (message) => {
        if (isDown) throw new Error("down");
        return message;
      },
    });
    const id = await scheduler.schedule(note, { type: "cron", config: { cron: "31 * * * *" } });
    isDown = true;
    await bench.clock.set("2026-01-05T09:31:00Z");
    await scheduler.processDueMessages();
    await bench.clock.set("2026-01-05T09:41:00Z");
    assertEquals((await scheduler.process()).report.failed, 1);
    const [run] = await scheduler.runs(id);
    assertEquals([run?.outcome, run?.reason, run?.messageId, run?.run], [
      "failed",
      "down",
      null,
      null,
    ]);
    const schedule = await scheduler.get(id);
    assertEquals([schedule?.enabled, schedule?.runCount, schedule?.nextRunAt], [
      true,
      0,
      new Date("2026-01-05T10:31:00Z"),
    ]);
  });

  const unfit: [string, string, string, string][] = [
    ["an unknown type", "Gone", '{"text":"x"}', "type: "],
    ["a payload that no longer fits", "Note", '{"text":5}', "Note: payload.text: "],
  ];
  for (const [what, type, payload, reason] of unfit) {
    test(`a schedule of ${what} is disabled with the reason after ten minutes, and may not be triggered`, async (bench) => {
      const { sql } = bench.stack;
      const scheduler = bench.scheduler();
      const [row] = await sql`
        insert into public.messenger_schedules (message_type, payload, schedule_type, cron)
        values (${type}, ${payload}::text::jsonb, 'cron', '* * * * *') returning id::text`;
      const id = String(row?.id);
      const good = await scheduler.schedule(note, minutely);
      for (let minute = 31; minute <= 43; minute++) {
        await bench.clock.set(`2026-01-05T09:${minute}:00.500Z`);
        await scheduler.processDueMessages();
      }
      const schedule = await scheduler.get(id);
      assertEquals([schedule?.enabled, schedule?.disabledBy], [false, "invalid"]);
      assert(schedule?.disabledReason?.startsWith(reason), schedule?.disabledReason ?? "");
      // Ten minutes of messages as they are stored, which wait or die by the rules of messages.
      assertEquals(await outcomes(bench, id), [...Array(10).fill("enqueued"), "failed"]);
      assertEquals((await outcomes(bench, good)).length, 13);
      const invalid = bench.lines.filter(({ event }) => event === "schedule_invalid");
      assertEquals(invalid.map((line) => line.id), [id]);

      const before = await bench.made();
      const error = await assertRejects(() => scheduler.trigger(id), Error);
      assert(error.message.startsWith(reason), error.message);
      assertEquals(await bench.made(), before);
      const response = await bench.stack.post(`messenger/schedules/${id}/trigger`, {});
      assertEquals(response.status, 400);
      await response.body?.cancel();
    });
  }

  test("a schedule that is mended within ten minutes goes on", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, minutely);
    await bench.stack.sql`
      update public.messenger_schedules set payload = '{"text":5}' where id = ${id}`;
    await bench.clock.set("2026-01-05T09:31:00Z");
    await scheduler.processDueMessages();
    assert((await scheduler.get(id))?.failingSince);
    await scheduler.update(id, { payload: { text: "mended" } });
    assertEquals((await scheduler.get(id))?.failingSince, null);
    await bench.clock.set("2026-01-05T09:45:00Z");
    await scheduler.processDueMessages();
    assertEquals((await scheduler.get(id))?.enabled, true);
  });

  test("while its queue is paused a schedule makes messages, or none with whilePaused 'skip'", async (bench) => {
    const scheduler = bench.scheduler();
    const { sql } = bench.stack;
    await sql`insert into public.messenger_queues (name, paused) values ('mail', true)
      on conflict (name) do update set paused = true`;
    const skips = await scheduler.schedule(note, {
      ...minutely,
      queue: "mail",
      whilePaused: "skip",
    });
    const enqueues = await scheduler.schedule(note, { ...minutely, queue: "mail" });
    const elsewhere = await scheduler.schedule(note, { ...minutely, whilePaused: "skip" });
    const tickAt = async (minute: number) => {
      await bench.clock.set(`2026-01-05T09:${minute}:00Z`);
      await scheduler.processDueMessages();
    };
    await tickAt(31);
    await tickAt(32);
    const triggered = await scheduler.trigger(skips);
    await sql`update public.messenger_queues set paused = false where name = 'mail'`;
    await tickAt(33);
    const runs = (await scheduler.runs(skips)).filter(({ messageId }) => messageId !== triggered);
    assertEquals(runs.map(({ outcome, reason, run }) => [outcome, reason, run]), [
      ["enqueued", null, 1],
      ["skipped", "paused: the queue mail was paused", null],
      ["skipped", "paused: the queue mail was paused", null],
    ]);
    for (const id of [enqueues, elsewhere]) {
      assertEquals(await outcomes(bench, id), ["enqueued", "enqueued", "enqueued"]);
    }
  });

  test("payloads of many megabytes are taken a few at a time", async (bench) => {
    const scheduler = bench.scheduler();
    await bench.stack.sql`
      insert into public.messenger_schedules (message_type, payload, schedule_type, cron)
      select 'Note', jsonb_build_object('text', repeat(md5(n::text), 50000)), 'cron', '31 9 * * *'
      from generate_series(1, 8) n`;
    await bench.clock.set("2026-01-05T09:30:40Z");
    await scheduler.processDueMessages();
    await bench.clock.set("2026-01-05T09:31:00Z");
    const { data } = await bench.stack.client.rpc("messenger_claim_schedules", {
      token: crypto.randomUUID(),
      payloads: true,
      lease_ms: 1,
    });
    assertEquals([data.schedules.length, data.more], [3, true]);
    await bench.clock.set("2026-01-05T09:31:00.100Z");
    assertEquals(await scheduler.processDueMessages(), 8);
  });

  test("a number that a reader would change is refused where a schedule is saved, and found later", async (bench) => {
    const { data, error } = await bench.stack.client.rpc("messenger_schedule_interval", {
      type: "Note",
      payload: JSON.parse('{"text":"x","n":1970670598291982290}'),
      every: "5 minutes",
    });
    assertEquals([data, error?.message?.slice(0, 11)], [null, "payload.n: "]);
    const scheduler = schedulerWith(bench, { dispatch: (message) => message });
    await bench.stack.sql`
      insert into public.messenger_schedules (message_type, payload, schedule_type, cron)
      values ('Note', '{"text":"x","n":1970670598291982290}', 'cron', '* * * * *')`;
    const good = await scheduler.schedule(note, minutely);
    await bench.clock.set("2026-01-05T09:31:00Z");
    assertEquals((await scheduler.process()).report.dispatched, 1);
    assertEquals(await outcomes(bench, good), ["enqueued"]);
    const [bad] = await scheduler.list();
    assert(bad?.disabledReason?.includes("payload.n: has to be a number that is kept exactly"));
  });
});
