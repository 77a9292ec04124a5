/** The states of the table in which W7 times claims. */

import type postgres from "postgres";
import type { Sizes } from "../options.ts";

/** Whether each claim starts at the head of its queue, or only as often as a worker's do. */
export type Scans = "from the head" | "as a worker";

/** A state of the table, made from the empty one. */
export interface Scenario {
  readonly name: string;
  /** Scans from the head where it is absent. */
  readonly scans?: Scans;
  /** False where a worker's claims are not made so: it is measured all the same. */
  readonly hasGoal?: boolean;
  seed(sql: postgres.Sql): Promise<unknown>;
  /** Runs the measurement while something else happens. */
  during?(sql: postgres.Sql, measure: () => Promise<void>): Promise<void>;
}

/** Name of the state that the others are compared with. */
export const EMPTY = "nothing else";

const READY = 1_000;
const LARGEST_CLAIM = 10_000;
const LONG_LEASE_MS = 60 * 60_000;
/** Most messages that a worker holds in W2 and W3. */
const FULL_HANDS = 4_000;

/** The states, as far as this version of the schema knows them. */
export async function scenarios(sql: postgres.Sql, sizes: Sizes): Promise<Scenario[]> {
  const { backlogs, beside, inFront } = sizes;
  const justClaimed = Math.min(inFront, FULL_HANDS);
  const [grouped] = await sql`
    select from information_schema.columns
    where table_name = 'messenger_messages' and column_name = 'blocked'`;
  return [
    { name: EMPTY, seed: (sql) => seedReady(sql, 100) },
    ...backlogs.map((count): Scenario => ({
      name: `${count} pending`,
      seed: (sql) => seedReady(sql, count),
    })),
    { name: `${beside} of the future`, seed: (sql) => seedFuture(sql, beside) },
    { name: `${beside} dead`, seed: (sql) => seedDead(sql, beside) },
    { name: `behind ${inFront} leased`, seed: (sql) => seedLeased(sql, inFront) },
    { name: `behind ${justClaimed} just claimed`, seed: (sql) => seedClaimed(sql, justClaimed) },
    {
      name: `behind ${inFront} locked`,
      scans: "as a worker",
      seed: (sql) => seedUrgent(sql, inFront),
      during: whileLocked,
    },
    {
      name: `behind ${inFront} locked, each scan from the head`,
      hasGoal: false,
      seed: (sql) => seedUrgent(sql, inFront),
      during: whileLocked,
    },
    ...(grouped
      ? [{
        name: `behind ${inFront} of one group`,
        seed: (sql: postgres.Sql) => seedGrouped(sql, inFront),
      }]
      : []),
  ];
}

function seedReady(sql: postgres.Sql, count: number) {
  return sql`
    insert into public.messenger_messages (type, payload)
    select 'Noop', jsonb_build_object('n', n, 'text', 'no-op')
    from generate_series(1, ${count}::integer) as n`;
}

async function seedFuture(sql: postgres.Sql, count: number): Promise<void> {
  await seedReady(sql, READY);
  await sql`
    insert into public.messenger_messages (type, payload, available_at)
    select 'Noop', jsonb_build_object('n', n, 'text', 'no-op'), now() + n * interval '1 minute'
    from generate_series(1, ${count}::integer) as n`;
}

async function seedDead(sql: postgres.Sql, count: number): Promise<void> {
  await seedReady(sql, READY);
  await sql`
    insert into public.messenger_failed_messages
      (id, type, payload, queue, priority, reason, retry_count, attempts, created_at)
    select nextval('public.messenger_messages_id_seq'), 'Noop', '{}', 'default', 0, 'exhausted',
      3, 4, now()
    from generate_series(1, ${count}::integer)`;
}

async function seedUrgent(sql: postgres.Sql, count: number): Promise<void> {
  await seedReady(sql, READY);
  await sql`
    insert into public.messenger_messages (type, payload, priority)
    select 'Noop', jsonb_build_object('n', n, 'text', 'no-op'), 10
    from generate_series(1, ${count}::integer) as n`;
}

/** Other workers have claimed them, and vacuum has not been here since. */
async function seedClaimed(sql: postgres.Sql, count: number): Promise<void> {
  await seedUrgent(sql, count);
  for (let left = count; left > 0; left -= LARGEST_CLAIM) {
    const size = Math.min(left, LARGEST_CLAIM);
    await sql`select public.messenger_claim(gen_random_uuid(), ${size}, ${LONG_LEASE_MS})`;
  }
}

/** They run for so long already that heartbeats have extended their leases. */
async function seedLeased(sql: postgres.Sql, count: number): Promise<void> {
  await seedClaimed(sql, count);
  await sql`
    select public.messenger_heartbeat(
      jsonb_build_array(jsonb_build_object('token', l.token, 'ids', l.ids::text[])),
      ${LONG_LEASE_MS}
    )
    from messenger.leases l`;
}

/** One transaction holds their rows. */
async function whileLocked(sql: postgres.Sql, measure: () => Promise<void>): Promise<void> {
  const session = await sql.reserve();
  try {
    await session`begin`;
    await session`select from public.messenger_messages where priority = 10 for update`;
    await measure();
  } finally {
    await session`rollback`;
    session.release();
  }
}

/** The first of them runs, and the others wait for it. */
async function seedGrouped(sql: postgres.Sql, count: number): Promise<void> {
  await sql`
    select public.messenger_enqueue((
      select jsonb_agg(jsonb_build_object(
        'type', 'Noop', 'payload', jsonb_build_object('n', n, 'text', 'no-op'),
        'priority', 10, 'group_key', 'one'
      ))
      from generate_series(1, ${count}::integer) as n
    ))`;
  await sql`select public.messenger_claim(gen_random_uuid(), 1, 3600000)`;
  await seedReady(sql, READY);
}
