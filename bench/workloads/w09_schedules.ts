/** W9: many schedules that are due at once. */

import type postgres from "postgres";
import { atLeast } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

const BATCHES = [1_000, 100];

/** Occurrences a second, planned in TypeScript and written exactly once each. */
export const w09: Workload = {
  id: "W9",
  title: "Schedules due at once",
  async run({ options: { runs, sizes: { schedules } }, systems: { ours } }) {
    await using agent = await ours.agent();
    const { sql } = ours;
    const rates = new Samples();
    await ours.clear();
    await sql`
      insert into public.messenger_schedules (message_type, payload, schedule_type, cron, timezone)
      select 'Noop', jsonb_build_object('n', n, 'text', 'no-op'), 'cron', '*/5 * * * *',
        (array['UTC', 'America/New_York', 'Europe/London'])[1 + n % 3]
      from generate_series(1, ${schedules}::integer) as n`;
    try {
      for (let run = 0; run < runs; run++) {
        for (const batchSize of BATCHES) {
          await makeDue(sql);
          const { processed, tookMs } = await agent.call<{ processed: number; tookMs: number }>(
            "schedules",
            { batchSize },
          );
          await verify(sql, schedules, processed);
          rates.add(`by ${batchSize}`, "occurrences/s", processed * 1000 / tookMs);
          await ours.clear();
        }
      }
    } finally {
      await sql`truncate public.messenger_schedules, public.messenger_schedule_runs`;
    }
    return {
      measurements: rates.measurements,
      goals: [atLeast("occurrences/s by 1,000", rates.figure("by 1000"), 3_000)],
      notes: [
        "Cron schedules every five minutes, in three time zones. The tick takes 100 at a " +
        "time unless SYMPHONY_SCHEDULER_BATCH_SIZE says otherwise.",
      ],
    };
  },
};

async function makeDue(sql: postgres.Sql): Promise<void> {
  await sql`truncate public.messenger_schedule_runs`;
  await sql`
    update public.messenger_schedules
    set next_run_at = date_bin('5 minutes', now(), '2000-01-01'), last_run_at = null,
      created_at = now() - interval '1 day'
    where id > 0`;
  await sql`vacuum (analyze) public.messenger_schedules`;
}

async function verify(sql: postgres.Sql, schedules: number, processed: number): Promise<void> {
  const [row] = await sql<{ messages: number; different: number; planned: number }[]>`
    select (select count(*)::integer from public.messenger_messages) as messages,
      (select count(distinct payload)::integer from public.messenger_messages) as different,
      (select count(*)::integer from public.messenger_schedules where next_run_at > now()) as planned`;
  const { messages = 0, different = 0, planned = 0 } = row ?? {};
  if ([processed, messages, different, planned].some((number) => number !== schedules)) {
    throw new Error(
      `of ${schedules} schedules: ${processed} processed, ${messages} messages, ` +
        `${different} different, ${planned} planned again`,
    );
  }
}
