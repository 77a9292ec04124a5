/** The messages of schedules go through the checks of a dispatch, and what fails is told. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ScheduleBench, testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };
const minutely = { type: "cron", config: { cron: "* * * * *" } } as const;

const outcomes = async (bench: ScheduleBench, id: string) =>
  (await bench.scheduler().runs(id)).map(({ outcome }) => outcome).reverse();

testsOfSchedules("2026-01-05T09:30:30Z", (test) => {
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

  test("a schedule that is mended within ten minutes continues", async (bench) => {
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
    const scheduler = bench.schedulerWith({ dispatch: (message) => message });
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
