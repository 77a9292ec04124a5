/** Counts what something costs a database: WAL and transactions. */

import type { System } from "./systems.ts";

/** WAL that was written, and transactions that were committed. */
export interface Cost {
  readonly walBytes: number;
  readonly commits: number;
}

interface Counters {
  wal: string;
  commits: string;
}

const LOOK_EVERY_MS = 100;

/**
 * Runs something and returns its cost.
 * @param flush ends the connections that worked: Postgres counts a session's commits for sure when
 * it has ended
 */
export async function costOf(
  system: System,
  run: () => Promise<void>,
  flush: () => Promise<void>,
): Promise<Cost> {
  const before = await steady(system);
  await run();
  await flush();
  const after = await steady(system);
  return {
    walBytes: Number(BigInt(after.wal) - BigInt(before.wal)),
    commits: Number(BigInt(after.commits) - BigInt(before.commits)),
  };
}

/** The counters, when the sessions that have ended are in them. */
async function steady(system: System): Promise<Counters> {
  let last = await counters(system);
  for (let alike = 0; alike < 2;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const next = await counters(system);
    // Looking is a commit itself.
    alike = Number(next.commits) - Number(last.commits) <= 1 ? alike + 1 : 0;
    last = next;
  }
  return last;
}

async function counters({ sql }: System): Promise<Counters> {
  const [row] = await sql<Counters[]>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as wal,
      xact_commit as commits
    from pg_stat_database where datname = current_database()`;
  if (!row) throw new Error("the database is not in pg_stat_database");
  return row;
}
