/** Schedules that the table editor or the database makes trouble for, and large ones. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };
const hourly = { type: "cron", config: { cron: "0 * * * *" } } as const;

testsOfSchedules("2026-01-05T09:30:00Z", (test) => {
  test("missed runs of a large payload are written in several calls", async (bench) => {
    const scheduler = bench.scheduler();
    const payload = { text: "x".repeat(4_000_000) };
    const id = await scheduler.schedule({ type: "Note", payload }, {
      type: "interval",
      config: { interval: "1m" },
      catchUp: "all",
    });
    await bench.clock.set("2026-01-05T10:40:00Z");
    assertEquals(await scheduler.processDueMessages(1_000), 70);
    const { enabled, runCount } = await scheduler.get(id) ?? {};
    assertEquals([enabled, runCount], [true, 70]);
  });

  test("rows written in SQL get their next run, and those that cannot be read stop no others", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    await sql`
      insert into public.messenger_schedules
        (name, message_type, payload, schedule_type, cron, interval_ms, run_at, timezone)
      values
        ('bad cron', 'Note', '{}', 'cron', '0 25 * * *', null, null, 'UTC'),
        ('no cron', 'Note', '{}', 'cron', null, null, null, 'UTC'),
        ('bad zone', 'Note', '{}', 'cron', '* * * * *', null, null, 'Mars/Olympus'),
        ('bad interval', 'Note', '{}', 'interval', null, -5, null, 'UTC'),
        ('vast interval', 'Note', '{}', 'interval', null, 9223372036854775807, null, 'UTC'),
        ('bad moment', 'Note', '{}', 'once', null, null, 'infinity', 'UTC'),
        ('good', 'Note', '{"text":"x"}', 'cron', '31 * * * *', null, null, 'UTC')`;
    await bench.clock.set("2026-01-05T09:31:10Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    const schedules = await scheduler.list();
    assertEquals(
      schedules.filter(({ disabledBy }) => disabledBy === "invalid").map(({ disabledReason }) =>
        disabledReason?.split(":")[0]
      ),
      ["cron", "cron", "timezone", "interval_ms", "interval_ms", "run_at"],
    );
    assertEquals(bench.lines.filter(({ event }) => event === "schedule_invalid").length, 6);
    assertEquals(schedules.at(-1)?.nextRunAt, new Date("2026-01-05T10:31:00Z"));

    await sql`update public.messenger_schedules set cron = '32 * * * *', enabled = true
      where name = 'bad cron'`;
    await bench.clock.set("2026-01-05T09:32:00Z");
    assertEquals(await scheduler.processDueMessages(), 1);
  });

  test("a schedule that the next tick would disable again is not resumed, and numbers of SQL's are shown exactly", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    const rows = await sql<{ id: string }[]>`
      insert into public.messenger_schedules
        (message_type, payload, schedule_type, cron, interval_ms, timezone, enabled, disabled_by)
      values
        ('Note', '{"n":1970670598291982290}', 'cron', '* * * * *', null, 'Mars/Olympus', false, 'invalid'),
        ('Note', '{}', 'cron', '61 * * * *', null, 'UTC', false, 'pause'),
        ('Note', '{}', 'interval', null, 5, 'UTC', false, 'invalid') returning id`;
    const ids = rows.map(({ id }) => id);
    for (const [index, field] of ["timezone", "config.cron", "config.interval"].entries()) {
      const error = await assertRejects(() => scheduler.resume(ids[index] ?? ""), RangeError);
      assertEquals(error.message.split(":")[0], field);
    }
    assertEquals((await scheduler.list()).map(({ enabled }) => enabled), [false, false, false]);
    assertEquals((await scheduler.get(ids[0] ?? ""))?.message.payload, {
      n: "1970670598291982290",
    });
  });

  test("a row edited in SQL while a tick holds it is left to the next tick", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, hourly);
    await bench.clock.set("2026-01-05T10:00:01Z");
    const token = crypto.randomUUID();
    await bench.stack.client.rpc("messenger_claim_schedules", { token });
    await sql`update public.messenger_schedules set cron = '30 * * * *' where id = ${id}`;
    const { data } = await bench.stack.client.rpc("messenger_advance_schedules", {
      token,
      advances: [{ id, next_run_at: null, occurrences: [{ occurrence: "2026-01-05T10:00:00Z" }] }],
    });
    assertEquals(data, { dispatched: 0, skipped: 0, stale: [id] });
    await scheduler.processDueMessages();
    assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T10:30:00Z"));
    assertEquals(await bench.made(), []);
  });

  test("a schedule that the database refuses is disabled, and the others run", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    const ids = [];
    for (const text of ["a", "refused", "c"]) {
      ids.push(await scheduler.schedule({ type: "Note", payload: { text } }, hourly));
    }
    await sql.unsafe(`
      create function public.test_refuse() returns trigger language plpgsql as $$
      begin
        if new.payload ->> 'text' = 'refused' then raise exception 'no room for this'; end if;
        return new;
      end $$;
      create trigger test_refuse before insert on public.messenger_messages
        for each row execute function public.test_refuse();
    `).simple();
    try {
      await bench.clock.set("2026-01-05T10:00:01Z");
      assertEquals(await scheduler.processDueMessages(), 2);
    } finally {
      await sql`drop function public.test_refuse() cascade`;
    }
    const refused = await scheduler.get(ids[1] ?? "");
    assertEquals([refused?.enabled, refused?.disabledBy], [false, "invalid"]);
    assert(refused?.disabledReason?.includes("no room for this"));
  });

  for (
    const [event, table, when, rows] of [
      ["claim", "messenger_schedules", "after update", "old"],
      ["write", "messenger_messages", "after insert", "new"],
    ] as const
  ) {
    test(`schedules over whose ${event} the database takes too long are taken in smaller parts`, async (bench) => {
      const { sql } = bench.stack;
      const scheduler = bench.scheduler();
      for (let n = 0; n < 9; n++) {
        await scheduler.schedule({ type: "Note", payload: { text: `${n}` } }, hourly);
      }
      await sql.unsafe(`
        create function public.test_too_long() returns trigger language plpgsql as $$
        begin
          if (select count(*) from changed) > 3 then
            raise sqlstate '57014' using message = 'canceling statement due to statement timeout';
          end if;
          return null;
        end $$;
        create trigger test_too_long ${when} on public.${table}
          referencing ${rows} table as changed for each statement execute function public.test_too_long();
      `).simple();
      try {
        await bench.clock.set("2026-01-05T10:00:01Z");
        assertEquals(await scheduler.processDueMessages(), 9);
        assertEquals(await scheduler.processDueMessages(), 0);
      } finally {
        await sql`drop function public.test_too_long() cascade`;
      }
      assertEquals((await bench.made()).length, 9);
    });
  }

  test("a schedule that takes the database too long is put off, and delays no other", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    const ids: string[] = [];
    for (const text of ["a", "slow", "c"]) {
      ids.push(await scheduler.schedule({ type: "Note", payload: { text } }, hourly));
    }
    await sql.unsafe(`
      create function public.test_slow() returns trigger language plpgsql as $$
      begin
        if new.payload ->> 'text' = 'slow' then
          raise sqlstate '57014' using message = 'canceling statement due to statement timeout';
        end if;
        return new;
      end $$;
      create trigger test_slow before insert on public.messenger_messages
        for each row execute function public.test_slow();
    `).simple();
    try {
      await bench.clock.set("2026-01-05T10:00:01Z");
      assertEquals(await scheduler.processDueMessages(), 2);
    } finally {
      await sql`drop function public.test_slow() cascade`;
    }
    assertEquals((await scheduler.get(ids[1] ?? ""))?.enabled, true);
    await bench.clock.set("2026-01-05T10:00:35Z");
    assertEquals(await scheduler.processDueMessages(), 1);
  });

  test("missed runs that take the database too long together are made a part at a time", async (bench) => {
    const { sql } = bench.stack;
    const scheduler = bench.scheduler();
    const every = { type: "interval", config: { interval: "1h" }, catchUp: "all" } as const;
    await scheduler.schedule({ type: "Note", payload: { text: "a" } }, every);
    await sql.unsafe(`
      create function public.test_too_long() returns trigger language plpgsql as $$
      begin
        if (select count(*) from rows) > 3 then
          raise sqlstate '57014' using message = 'canceling statement due to statement timeout';
        end if;
        return null;
      end $$;
      create trigger test_too_long after insert on public.messenger_messages
        referencing new table as rows for each statement execute function public.test_too_long();
    `).simple();
    try {
      await bench.clock.set("2026-01-06T09:00:01Z");
      const made = await scheduler.processDueMessages();
      assert(made >= 23, String(made));
    } finally {
      await sql`drop function public.test_too_long() cascade`;
    }
    const occurrences = await sql`select occurrence from public.messenger_schedule_runs`;
    assertEquals(
      new Set(occurrences.map(({ occurrence }) => String(occurrence))).size,
      occurrences.length,
    );
  });
});
