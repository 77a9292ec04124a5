/** W7: what a claim costs, whatever else lies in the table. */

import type postgres from "postgres";
import { untilHeadScan } from "../../supabase/functions/_shared/symphony/worker/claim/claim-planner.ts";
import { atMost, Tally } from "../report/result.ts";
import { percentile } from "../report/stats.ts";
import { EMPTY, type Looks, scenarios } from "./w07_scenarios.ts";
import type { Workload } from "./workload.ts";

const BLOCKS = 5;
const WARM_UP = 20;
const LONGEST_BLOCK_MS = 3_000;

/** 99th percentiles of claims of one message and of a hundred, in SQL on one connection. */
export const w07: Workload = {
  id: "W7",
  title: "Claiming beside and behind many others",
  async run({ options: { sizes }, systems: { ours } }) {
    const times = new Tally();
    const found = await scenarios(ours.sql, sizes);
    for (const { name, seed, during, looks = "in full" } of found) {
      await ours.clear();
      await seed(ours.sql);
      const measure = async () => {
        const lookout = { looks, fullLookAt: -Infinity, lastKeys: null };
        // A session's first claims plan their statements.
        await timeClaims(ours.sql, 1, WARM_UP, lookout);
        for (let block = 0; block < BLOCKS; block++) {
          const one = await timeClaims(ours.sql, 1, sizes.claims, lookout);
          times.add(name, "ms", percentile(one, 99));
          const hundred = await timeClaims(ours.sql, 100, Math.ceil(sizes.claims / 5), lookout);
          times.add(`${name}; claims of 100`, "ms each", percentile(hundred, 99));
        }
      };
      await (during ? during(ours.sql, measure) : measure());
    }
    await ours.clear();
    const compared = found.filter(({ name, hasGoal = true }) => hasGoal && name !== EMPTY);
    const goal = (name: string, empty: string) =>
      atMost(`${name} : ${EMPTY}`, times.median(name) / times.median(empty), 2);
    return {
      measurements: times.measurements,
      goals: compared.flatMap(({ name }) => [
        goal(name, EMPTY),
        goal(`${name}; claims of 100`, `${EMPTY}; claims of 100`),
      ]),
      notes: [
        `99th percentiles of ${BLOCKS} blocks of ${sizes.claims} claims. Every claim looks in full, ` +
        "which a worker's does once a second. Behind locked rows that takes long, and claims are " +
        "made as a worker makes them: they look in full for a hundredth of the time at most, and go " +
        "on behind their last key in between. What one such look takes is shown without a goal. " +
        "Nothing is vacuumed or analyzed but by autovacuum.",
      ],
    };
  },
};

/** Where the next claim looks. */
interface Lookout {
  readonly looks: Looks;
  fullLookAt: number;
  lastKeys: postgres.JSONValue;
}

interface Answer {
  readonly messages: readonly [id: string][];
  readonly last_keys: postgres.JSONValue;
  readonly lock_ms: number;
}

/** Times claims; what each took is settled, and written anew, between two of them. */
async function timeClaims(
  sql: postgres.Sql,
  size: number,
  count: number,
  lookout: Lookout,
): Promise<number[]> {
  const connection = await sql.reserve();
  const samples: number[] = [];
  const endsAt = performance.now() + LONGEST_BLOCK_MS;
  try {
    while (samples.length < count && performance.now() < endsAt) {
      const token = crypto.randomUUID();
      const startedAt = performance.now();
      const { looks, fullLookAt, lastKeys } = lookout;
      const isFull = looks === "in full" || startedAt >= fullLookAt;
      const [row]: { claim: Answer }[] = await connection`
        select public.messenger_claim(
          ${token}, ${size}, sweep => false,
          last_keys => ${isFull || lastKeys === null ? null : sql.json(lastKeys)}
        ) as claim`;
      samples.push(performance.now() - startedAt);
      if (isFull) lookout.fullLookAt = performance.now() + untilHeadScan(row?.claim.lock_ms ?? 0);
      lookout.lastKeys = row?.claim.last_keys ?? null;
      const handled = row?.claim.messages.map(([id]) => id) ?? [];
      if (handled.length !== size) throw new Error(`claimed ${handled.length} of ${size}`);
      await connection`select public.messenger_settle(${sql.json([{ token, handled }])})`;
      await connection`
        insert into public.messenger_messages (type, payload)
        select 'Noop', '{"n": 0, "text": "no-op"}' from generate_series(1, ${size}::integer)`;
    }
  } finally {
    connection.release();
  }
  return samples;
}
