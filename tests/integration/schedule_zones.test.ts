/** Clock changes in processing: what ticks make of schedules is what Vixie cron would have run. */

import { assertEquals } from "@std/assert";
import {
  changesInYear,
  simulateVixieCron,
  wakeUps,
} from "../unit/scheduler/fixtures/vixie-cron.ts";
import { testsOfSchedules } from "../support/schedules.ts";

const HOUR = 3_600_000;
const zones = [
  "America/New_York",
  "Europe/London",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "America/Sao_Paulo",
];
/** Sao Paulo has had no clock changes since 2019, Kathmandu none since the new year of 1986. */
const years = new Map([["America/Sao_Paulo", 2018], ["Asia/Kathmandu", 1985]]);
/** Fixed times in each hour that some zone skips or repeats, and jobs that follow real time. */
const expressions = [
  ...["30 0 * * *", "15 1 * * *", "0,30 2 * * *", "10 3 * * *", "45 23 * * *"],
  ...["0 * * * *", "*/20 1,2 * * *"],
];

testsOfSchedules("2026-01-01T00:00:00Z", (test) => {
  for (const zone of zones) {
    test(`ticks across the clock changes of ${zone} make each occurrence once`, async (bench) => {
      const { stack: { sql }, clock } = bench;
      const scheduler = bench.scheduler();
      const changes = changesInYear(zone, years.get(zone) ?? 2026);
      assertEquals(changes.length, zone === "Asia/Kathmandu" ? 1 : 2);
      for (const change of changes) {
        await sql`truncate public.messenger_schedules, public.messenger_messages cascade`;
        const from = change - 20 * HOUR;
        const to = change + 20 * HOUR;
        await clock.set(new Date(from));
        const cron = new Map<string, string>();
        for (const expression of expressions) {
          const id = await scheduler.schedule({ type: "Note", payload: { text: zone } }, {
            type: "cron",
            config: { cron: expression },
            timezone: zone,
            catchUp: "all",
          });
          cron.set(id, expression);
        }
        // Ticks that are late by more and more, as the hours go by.
        for (let tick = from, late = 0; tick <= to; tick += HOUR, late += 73_000) {
          await clock.set(new Date(Math.min(tick + late, to)));
          await scheduler.processDueMessages(1_000);
        }
        await clock.set(new Date(to));
        await scheduler.processDueMessages(1_000);

        const made = Map.groupBy(await bench.made(), ({ schedule }) => schedule);
        const wakes = wakeUps(zone, from, to);
        for (const [id, expression] of cron) {
          const expected = simulateVixieCron(expression, wakes)
            .filter((at) => at > from && at <= to)
            .map((at) => new Date(at).toISOString());
          const occurrences = (made.get(id) ?? []).map(({ occurrence }) => occurrence);
          assertEquals(occurrences, [...new Set(expected)], `${expression} at ${new Date(change)}`);
        }
      }
    });
  }
});
