/** Settings of queues, written as an operator does in the table editor. */

import type postgres from "postgres";
import type { QueueSettings } from "../../supabase/functions/_shared/symphony/testing.ts";

const COLUMNS: Readonly<Record<keyof QueueSettings, string>> = {
  paused: "paused",
  concurrency: "concurrency",
  groupConcurrency: "group_concurrency",
  rateLimit: "rate_limit",
  ratePeriodMs: "rate_period_ms",
  weight: "weight",
  leaseMs: "lease_ms",
  runsOn: "runs_on",
  laneConcurrency: "lane_concurrency",
  laneRateLimit: "lane_rate_limit",
  laneRatePeriodMs: "lane_rate_period_ms",
};

/** Changes settings of a queue in the table; those that are not given stay. */
export async function setQueue(
  sql: postgres.Sql,
  name: string,
  settings: QueueSettings,
): Promise<void> {
  const columns = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [COLUMNS[key as keyof QueueSettings], value]),
  );
  const row = { name, ...columns };
  await sql`insert into public.messenger_queues ${sql(row)}
    on conflict (name) do update set ${sql(columns)}`;
}
