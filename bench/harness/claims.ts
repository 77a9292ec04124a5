/** Times claims and settle calls in SQL, on one connection, in a table that stays as full as it was. */

import type postgres from "postgres";

/** Times of claims and of the settle calls after them, in ms. */
export interface ClaimTimes {
  readonly claim: number[];
  readonly settle: number[];
}

/** Claims to be timed, and messages to be written after each. */
export interface TimedClaims {
  /** Messages of a claim. */
  readonly size: number;
  /** How many claims. */
  readonly count: number;
  /** The only queue that they claim from; by default all of them. */
  readonly queue?: string;
  /** Writes as many messages as a claim took, like those that it took. */
  refill(sql: postgres.ReservedSql, size: number): Promise<unknown>;
}

const LONGEST_BLOCK_MS = 5_000;

/** Each claim scans from the head, and what it took is settled as handled. @throws Error where a claim is empty */
export async function timeClaims(
  sql: postgres.Sql,
  { size, count, queue, refill }: TimedClaims,
): Promise<ClaimTimes> {
  const connection = await sql.reserve();
  const times: ClaimTimes = { claim: [], settle: [] };
  const endsAt = performance.now() + LONGEST_BLOCK_MS;
  try {
    while (times.claim.length < count && performance.now() < endsAt) {
      const token = crypto.randomUUID();
      const startedAt = performance.now();
      const [row]: { claim: { messages: [id: string][] } }[] = await connection`
        select public.messenger_claim(
          ${token}, ${size}, queues => ${queue ? [queue] : null}, sweep => false
        ) as claim`;
      times.claim.push(performance.now() - startedAt);
      const handled = row?.claim.messages.map(([id]) => id) ?? [];
      if (handled.length === 0) throw new Error(`claimed none of ${size}`);
      times.settle.push(await settle(connection, token, handled));
      await refill(connection, handled.length);
    }
  } finally {
    connection.release();
  }
  return times;
}

/** As a worker does, which knows the groups of its messages. @returns ms */
async function settle(
  sql: postgres.ReservedSql,
  token: string,
  handled: readonly string[],
): Promise<number> {
  const [row] = await sql`
    select json_agg(json_build_array(queue)::jsonb || keys) as groups
    from (
      select queue, jsonb_agg(group_key) as keys from public.messenger_messages
      where id = any (${handled}::bigint[]) and group_key is not null
      group by queue
    ) as lists`;
  const settlement = { token, handled, ...(row?.groups && { grouped: true, groups: row.groups }) };
  const startedAt = performance.now();
  await sql`select public.messenger_settle(${sql.json([settlement])})`;
  return performance.now() - startedAt;
}
