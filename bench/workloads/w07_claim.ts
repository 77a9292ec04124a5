/** W7: what a claim costs, whatever else lies in the table. */

import type postgres from "postgres";
import { untilHeadScan } from "../../supabase/functions/_shared/symphony/worker/claim/claim-planner.ts";
import type { Sizes } from "../options.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import { EMPTY, type Scans, type Scenario, scenarios } from "./w07_scenarios.ts";
import type { Workload } from "./workload.ts";

const BLOCKS = 5;
const WARM_UP = 20;
/** Stands behind the name of a state for its claims of a hundred. */
const HUNDRED = "; claims of 100";
const LONGEST_BLOCK_MS = 3_000;

/** 99th percentiles of claims of one message and of a hundred, in SQL on one connection. */
export const w07: Workload = {
  id: "W7",
  title: "Claiming beside and behind many others",
  async run({ options: { sizes }, systems: { ours } }) {
    const times = new Samples();
    const pairs = new Samples();
    const found = await scenarios(ours.sql, sizes);
    const [empty] = found.filter(({ name }) => name === EMPTY);
    const measure = async (
      { name, seed, during, scans = "from the head" }: Scenario,
      as: string,
    ) => {
      await ours.clear();
      await seed(ours.sql);
      const blocks = () =>
        timeBlocks(ours.sql, sizes, scans, (suffix, unit, ms) => {
          times.add(name + suffix, unit, ms);
          pairs.add(as + suffix, unit, ms);
        });
      await (during ? during(ours.sql, blocks) : blocks());
    };
    const compared = found.filter(({ name }) => name !== EMPTY);
    const emptyBefore = (name: string) => `${EMPTY}, before ${name}`;
    for (const scenario of compared) {
      // Each is compared with the blocks that were timed just before it.
      if (empty) await measure(empty, emptyBefore(scenario.name));
      await measure(scenario, scenario.name);
    }
    await ours.clear();
    return {
      measurements: times.measurements,
      goals: compared.filter(({ hasGoal = true }) => hasGoal).flatMap(({ name }) =>
        ["", HUNDRED].map((suffix) =>
          atMost(
            `${name}${suffix} : ${EMPTY}`,
            pairs.ratio(name + suffix, emptyBefore(name) + suffix),
            2,
          )
        )
      ),
      notes: [
        `99th percentiles of ${BLOCKS} blocks of ${sizes.claims} claims. Every claim scans from the head, ` +
        "which a worker's does once a second. Behind locked rows that takes long, and claims are " +
        "made as a worker makes them: they scan from the head for a hundredth of the time at most, and continue " +
        "behind their last key in between. The time of one such scan is shown without a goal. " +
        "Nothing is vacuumed or analyzed but by autovacuum. Before each state the empty one is timed again, " +
        "block by block the other side of its ratio.",
      ],
    };
  },
};

/** Times the blocks of one state of the table, and tells the 99th percentile of each. */
async function timeBlocks(
  sql: postgres.Sql,
  sizes: Sizes,
  scans: Scans,
  tell: (suffix: string, unit: string, ms: number) => void,
): Promise<void> {
  const planner = { scans, headScanAt: -Infinity, lastKeys: null };
  // A session's first claims plan their statements.
  await timeClaims(sql, 1, WARM_UP, planner);
  for (let block = 0; block < BLOCKS; block++) {
    const one = await timeClaims(sql, 1, sizes.claims, planner);
    tell("", "ms", percentile(one, 99));
    const hundred = await timeClaims(sql, 100, Math.ceil(sizes.claims / 5), planner);
    tell(HUNDRED, "ms each", percentile(hundred, 99));
  }
}

/** Where the next claim begins. */
interface Planner {
  readonly scans: Scans;
  headScanAt: number;
  lastKeys: postgres.JSONValue;
}

interface Answer {
  readonly messages: readonly [id: string][];
  readonly last_keys: postgres.JSONValue;
  readonly lock_ms: number;
}

/** Times claims; what each took is settled, and written again, between two of them. */
async function timeClaims(
  sql: postgres.Sql,
  size: number,
  count: number,
  planner: Planner,
): Promise<number[]> {
  const connection = await sql.reserve();
  const samples: number[] = [];
  const endsAt = performance.now() + LONGEST_BLOCK_MS;
  try {
    while (samples.length < count && performance.now() < endsAt) {
      const token = crypto.randomUUID();
      const startedAt = performance.now();
      const { scans, headScanAt, lastKeys } = planner;
      const isHeadScan = scans === "from the head" || startedAt >= headScanAt;
      const [row]: { claim: Answer }[] = await connection`
        select public.messenger_claim(
          ${token}, ${size}, sweep => false,
          last_keys => ${isHeadScan || lastKeys === null ? null : sql.json(lastKeys)}
        ) as claim`;
      samples.push(performance.now() - startedAt);
      if (isHeadScan) {
        planner.headScanAt = performance.now() + untilHeadScan(row?.claim.lock_ms ?? 0);
      }
      planner.lastKeys = row?.claim.last_keys ?? null;
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
