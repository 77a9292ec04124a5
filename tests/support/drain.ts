/** A backlog of numbered messages, drained by a stack on its own, and what became of each of them. */

import { eventually, type TestStack } from "./stack.ts";

/** Has pg_cron's stand-in call the tick every few seconds instead of every minute. */
export async function tickEvery(stack: TestStack, seconds: number): Promise<void> {
  await stack.sql`update cron.job set schedule = ${`${seconds} seconds`}
    where jobname = 'symphony-tick'`;
}

/** Writes a number of messages of type Note in one statement, and returns their ids. */
export async function backlog(stack: TestStack, number: number): Promise<string[]> {
  const rows = await stack.sql<{ id: string }[]>`
    insert into public.messenger_messages (type, payload)
    select 'Note', jsonb_build_object('text', n::text) from generate_series(1, ${number}) n
    returning id::text`;
  return rows.map(({ id }) => id);
}

/** Waits until a handler has run so often. */
export async function ran(stack: TestStack, times: number): Promise<void> {
  await eventually(
    async () => {
      const [row] = await stack.sql`select count(*)::int as n from public.test_effects`;
      return row?.n;
    },
    (n) => n >= times,
    60_000,
  );
}

/** Waits until no message waits or runs. */
export async function drained(stack: TestStack, withinMs = 60_000): Promise<void> {
  await eventually(
    () => stack.count(),
    (n) => n === 0,
    withinMs,
  );
}

/** The outcomes of messages. */
export interface Fates {
  /** Ids that no handler ran for and that are no dead letters. */
  readonly lost: string[];
  /** Ids whose handler ran more than once. */
  readonly doubled: string[];
  /** Runs beyond the first one of each message. */
  readonly extraRuns: number;
  readonly deadLetters: number;
}

/** Counts what became of the messages of these ids. */
export async function fates(stack: TestStack, ids: readonly string[]): Promise<Fates> {
  const effects = await stack.sql<{ id: string; runs: number }[]>`
    select message_id::text as id, count(*)::int as runs from public.test_effects group by 1`;
  const letters = await stack.sql<{ id: string }[]>`
    select id::text from public.messenger_failed_messages`;
  const known = new Set([...effects, ...letters].map(({ id }) => id));
  const doubles = effects.filter(({ runs }) => runs > 1);
  return {
    lost: ids.filter((id) => !known.has(id)),
    doubled: doubles.map(({ id }) => id),
    extraRuns: doubles.reduce((sum, { runs }) => sum + runs - 1, 0),
    deadLetters: letters.length,
  };
}
