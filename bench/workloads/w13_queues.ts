/** W13: what a claim costs where there are many queues, and most of them are empty. */

import type postgres from "postgres";
import { timeClaims } from "../harness/claims.ts";
import { turns } from "../harness/turns.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const BLOCKS = 5;
const SIZES = [20, 500];

/**
 * Medians of claims of 20 and 500 with many queues, beside those with only the queues that hold messages.
 * The empty queues come and go between two blocks over the same messages.
 */
export const w13: Workload = {
  id: "W13",
  title: "Claiming with many queues",
  async run({ options: { sizes }, systems: { ours } }) {
    const { sql } = ours;
    const { full, all } = sizes.queues;
    const times = new Samples();
    const nameOf = (queues: number, size: number) => `${queues} queues, claim of ${size}`;
    const refill = (sql: postgres.Sql, size: number) => write(sql, full, size);
    await ours.clear();
    await haveQueues(sql, full);
    await write(sql, full, sizes.inFront);
    for (let block = -1; block < BLOCKS; block++) {
      for (const queues of turns([full, all], Math.abs(block))) {
        await haveQueues(sql, queues);
        for (const size of SIZES.filter((size) => size <= sizes.inFront)) {
          const count = Math.ceil(sizes.claims / (size > 100 ? 10 : 2));
          const { claim } = await timeClaims(sql, { size, count, refill });
          // A session's first claims plan their statements.
          if (block >= 0) times.add(nameOf(queues, size), "ms", percentile(claim, 50));
        }
      }
    }
    await ours.clear();
    await haveQueues(sql, 0);
    return {
      measurements: times.measurements,
      goals: SIZES.filter((size) => size <= sizes.inFront).map((size) =>
        atMost(
          `claim of ${size}, ${all} queues of which ${full} hold messages : ${full} queues`,
          times.ratio(nameOf(all, size), nameOf(full, size)),
          2,
        )
      ),
      notes: [
        `Medians of ${BLOCKS} blocks, in SQL on one connection; ${sizes.inFront} messages in ${full} ` +
        "queues. Every claim scans from the head; what it took is settled, and written again, in between. " +
        "The two numbers of queues take turns, block by block, over the same messages.",
      ],
    };
  },
};

/** Leaves `count` queues of ours, the first ones, and no trace of others. */
async function haveQueues(sql: postgres.Sql, count: number): Promise<void> {
  await sql`
    delete from public.messenger_queues
    where name like 'tenant%' and substr(name, 7)::integer > ${count}::integer`;
  await sql`
    insert into public.messenger_queues (name)
    select 'tenant' || n from generate_series(1, ${count}::integer) as n on conflict do nothing`;
  await sql`vacuum (analyze) public.messenger_queues`;
}

function write(sql: postgres.Sql, queues: number, count: number) {
  return sql`
    insert into public.messenger_messages (type, payload, queue)
    select 'Noop', '{"n": 0, "text": "no-op"}', 'tenant' || 1 + n % ${queues}::integer
    from generate_series(1, ${count}::integer) as n`;
}
