/** Schedules on the real database, with a clock that the tests set. */

import { assert, assertEquals } from "@std/assert";
import { Scheduler } from "../../supabase/functions/_shared/symphony/index.ts";
import { testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };
const hourly = { type: "cron", config: { cron: "0 * * * *" } } as const;

testsOfSchedules("2026-01-05T09:30:00Z", (test) => {
  test("a report says what was dispatched and skipped, and when the next schedule is due", async (bench) => {
    const scheduler = bench.scheduler();
    const nothing = { processed: 0, dispatched: 0, skipped: 0, failed: 0, stale: 0 };
    assertEquals(await scheduler.process(), { report: nothing, nextDueMs: null });
    await scheduler.schedule(note, hourly);
    assertEquals((await scheduler.process()).nextDueMs, 30 * 60_000);
    await scheduler.schedule(note, { type: "cron", config: { cron: "45 * * * *" } });
    await bench.stack.sql`
      insert into public.messenger_schedules (message_type, schedule_type, cron)
      values ('Note', 'cron', 'not cron')`;
    await bench.clock.set("2026-01-05T12:40:00Z");
    assertEquals(await scheduler.process(), {
      report: { processed: 2, dispatched: 2, skipped: 2, failed: 1, stale: 0 },
      nextDueMs: 5 * 60_000,
    });
    assertEquals(await scheduler.process(), { report: nothing, nextDueMs: 5 * 60_000 });
  });

  test("a clock set back an hour gives no second message for an occurrence", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, hourly);
    await scheduler.schedule(note, { type: "interval", config: { interval: "20m" } });
    const tickEachMinute = async (from: string, minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 5) {
        await bench.clock.set(new Date(Date.parse(from) + minute * 60_000 + 1_500));
        await scheduler.processDueMessages();
      }
    };
    await tickEachMinute("2026-01-05T09:30:00Z", 90);
    const before = await bench.made();
    // Paused and resumed in the hour that comes twice, so that the next run is planned again in it.
    await bench.clock.set("2026-01-05T10:05:00Z");
    await scheduler.pause(id);
    await scheduler.resume(id);
    await bench.stack
      .sql`update public.messenger_schedules set next_run_at = null where id = ${id}`;
    await tickEachMinute("2026-01-05T10:00:00Z", 55);
    assertEquals(await bench.made(), before);
    await tickEachMinute("2026-01-05T10:55:00Z", 90);
    const made = await bench.made();
    const key = ({ schedule, occurrence }: { schedule: string; occurrence: string }) =>
      `${schedule} ${occurrence}`;
    assertEquals(new Set(made.map(key)).size, made.length);
    assert(made.some(({ occurrence }) => occurrence === "2026-01-05T12:00:00.000Z"));
  });

  test("a scheduler works with nothing but a client", async (bench) => {
    const scheduler = new Scheduler({ supabase: bench.stack.client });
    await scheduler.schedule({ type: "Any", payload: [1, null] }, hourly);
    await bench.clock.set("2026-01-05T10:00:00Z");
    assertEquals(await scheduler.processDueMessages(100), 1);
    assertEquals((await bench.made())[0]?.type, "Any");
  });
});
