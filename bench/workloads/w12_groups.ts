/** W12: what claims and settle calls of grouped messages cost, however many groups there are. */

import type postgres from "postgres";
import { timeClaims } from "../harness/claims.ts";
import { turns } from "../harness/turns.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const BLOCKS = 5;
const SIZES = [20, 500];
/** Which messages of the queue are in a group: none, each in its own, or two in each. */
const KINDS = { "no groups": "null", "groups of one": "'g' || n", "groups of two": "'g' || n / 2" };

type Kind = keyof typeof KINDS;

const queueOf = (kind: Kind) => kind.replaceAll(" ", "_");

/**
 * Medians of claims and settle calls of 20 and 500, beside those of a queue of as many without groups. The
 * queues lie in one table and take turns, so that a machine whose speed changes changes it for all of them.
 */
export const w12: Workload = {
  id: "W12",
  title: "Claiming and settling among many groups",
  async run({ options: { sizes }, systems: { ours } }) {
    const times = new Samples();
    const nameOf = (count: number, kind: Kind, call: string) => `${count}, ${kind}: ${call}`;
    for (const count of sizes.groups) {
      await ours.clear();
      const written = new Map<Kind, number>();
      const write = async (sql: postgres.Sql, kind: Kind, size: number) => {
        const from = written.get(kind) ?? 0;
        await insert(sql, kind, size, from);
        written.set(kind, from + size);
      };
      const kinds = Object.keys(KINDS) as Kind[];
      for (const kind of kinds) await write(ours.sql, kind, count);
      for (let block = -1; block < BLOCKS; block++) {
        for (const size of SIZES.filter((size) => size * sizes.claims <= count * 10)) {
          for (const kind of turns(kinds, Math.abs(block))) {
            const taken = await timeClaims(ours.sql, {
              size,
              count: Math.ceil(sizes.claims / (size > 100 ? 10 : 2)),
              queue: queueOf(kind),
              refill: (sql, size) => write(sql, kind, size),
            });
            // A session's first claims plan their statements, and a queue's first ones block what is behind.
            if (block < 0) continue;
            times.add(nameOf(count, kind, `claim of ${size}`), "ms", percentile(taken.claim, 50));
            times.add(nameOf(count, kind, `settle of ${size}`), "ms", percentile(taken.settle, 50));
          }
        }
      }
    }
    await ours.clear();
    const calls = SIZES.flatMap((size) => [`claim of ${size}`, `settle of ${size}`]);
    return {
      measurements: times.measurements,
      goals: sizes.groups.flatMap((count) =>
        calls.flatMap((call) => {
          const ratio = times.ratio(
            nameOf(count, "groups of one", call),
            nameOf(count, "no groups", call),
          );
          return Number.isNaN(ratio.value)
            ? []
            : [atMost(`${count} groups, ${call} : no groups`, ratio, 2)];
        })
      ),
      notes: [
        `Medians of ${BLOCKS} blocks, in SQL on one connection. Every claim scans from the head; what it took ` +
        "is settled as handled, and written again as new groups, in between; the queues take turns. Groups of two, whose " +
        "second message is blocked by one claim and opened by a settle call, are shown without a goal.",
      ],
    };
  },
};

/** Writes messages to the queue of their kind in one statement, numbered on from `from`. */
async function insert(sql: postgres.Sql, kind: Kind, count: number, from: number): Promise<void> {
  await sql`
    insert into public.messenger_messages (type, payload, queue, group_key)
    select 'Noop', '{"n": 0, "text": "no-op"}', ${queueOf(kind)}, ${sql.unsafe(KINDS[kind])}
    from generate_series(${from}::integer, ${from + count - 1}::integer) as n`;
}
