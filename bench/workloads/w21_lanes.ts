/** W21: lanes: how soon a tenant's first message starts beside another's backlog, and what claims of many lanes cost. */

import type postgres from "postgres";
import { z } from "zod";
import { defineMessage } from "../../supabase/functions/_shared/symphony/index.ts";
import { timeClaims } from "../harness/claims.ts";
import { workInProcess } from "../harness/in_process.ts";
import { turns } from "../harness/turns.ts";
import type { World } from "../harness/world.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const BLOCKS = 5;
const SIZES = [20, 500];
const START_GOAL_MS = 100;
/** How long a handler waits, as for I/O. */
const HANDLER_MS = 10;
/** Longest pause between two messages of the small tenant. */
const PAUSE_MS = 300;

/** Start of the small tenant's messages beside a backlog, and medians of claims with few and with many lanes. */
export const w21: Workload = {
  id: "W21",
  title: "Lanes: two tenants, and many",
  async run(world) {
    const { options: { sizes }, systems: { ours } } = world;
    const { full, all } = sizes.queues;
    const times = new Samples();
    const starts = await startsBeside(world, sizes.inFront, Math.max(5, sizes.samples));
    for (const percent of [50, 99]) {
      times.add(
        `start beside a backlog, ${percent}th percentile`,
        "ms",
        percentile(starts, percent),
      );
    }
    const nameOf = (lanes: number, size: number) => `${lanes} lanes, claim of ${size}`;
    const claimed = SIZES.filter((size) => size <= sizes.inFront);
    for (let block = -1; block < BLOCKS; block++) {
      for (const lanes of turns([full, all], Math.abs(block))) {
        await ours.clear();
        await write(ours.sql, lanes, sizes.inFront);
        await ours.settle();
        for (const size of claimed) {
          const count = Math.ceil(sizes.claims / (size > 100 ? 10 : 2));
          const refill = (sql: postgres.Sql, size: number) => write(sql, lanes, size);
          const { claim } = await timeClaims(ours.sql, { size, count, refill });
          // A session's first claims plan their statements.
          if (block >= 0) times.add(nameOf(lanes, size), "ms", percentile(claim, 50));
        }
      }
    }
    await ours.clear();
    return {
      measurements: times.measurements,
      goals: [
        atMost("p99 of the start beside a backlog, in ms", percentile(starts, 99), START_GOAL_MS),
        ...claimed.map((size) =>
          atMost(
            `claim of ${size}, ${all} lanes : ${full} lanes`,
            times.ratio(nameOf(all, size), nameOf(full, size)),
            2,
          )
        ),
      ],
      notes: [
        `One worker with the default sizes, handlers that wait ${HANDLER_MS} ms, and ${sizes.inFront} messages of one ` +
        "tenant; from the return of the commit of another's message to the first line of its handler. Claims: medians " +
        `of ${BLOCKS} blocks in turns, in SQL on one connection, with ${sizes.inFront} messages that wait in all lanes.`,
      ],
    };
  },
};

/** Ms from the commit of the small tenant's messages to the first lines of their handlers. */
async function startsBeside(world: World, backlog: number, samples: number): Promise<number[]> {
  const { systems: { ours } } = world;
  await ours.clear();
  await write(ours.sql, 1, backlog);
  await ours.settle();
  const started = new Map<number, (at: number) => void>();
  await using _worker = await workInProcess(world, [
    noop((n) => started.get(n)?.(performance.now())),
  ]);
  const taken: number[] = [];
  for (let n = -5; n < samples; n++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
    const { promise, resolve } = Promise.withResolvers<number>();
    started.set(backlog + 10 + n, resolve);
    await ours.sql`select public.messenger_dispatch('Noop', ${
      ours.sql.json({ n: backlog + 10 + n, text: "no-op" })
    }, queue => 'tenants', lane => 'small')`;
    const committedAt = performance.now();
    const ms = Math.max(0, await promise - committedAt);
    if (n >= 0) taken.push(ms);
  }
  return taken;
}

function noop(onStart: (n: number) => void) {
  return defineMessage({
    type: "Noop",
    schema: z.object({ n: z.number(), text: z.string() }),
    handler: async ({ n }) => {
      onStart(n);
      await new Promise((resolve) => setTimeout(resolve, HANDLER_MS));
    },
  });
}

function write(sql: postgres.Sql, lanes: number, count: number) {
  return sql`
    insert into public.messenger_messages (type, payload, queue)
    select 'Noop', '{"n": 0, "text": "no-op"}', 'tenants/t' || n % ${lanes}::integer
    from generate_series(1, ${count}::integer) as n`;
}
