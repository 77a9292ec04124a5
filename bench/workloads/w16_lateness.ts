/** W16: how late delays and occurrences are, with pg_cron's minutes; and what keeping them costs in calls. */

import { startPgCron } from "../../local/pg_cron.ts";
import { startPgNet } from "../../local/pg_net.ts";
import { costOf } from "../harness/cost.ts";
import { now, startOf, untilIdle, WAYS } from "../harness/probes.ts";
import type { World } from "../harness/world.ts";
import { atMost, type Goal } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const HOUR_MS = 3_600_000;
const LATENESS_GOAL_MS = 1_000;
/** A tick that has handled a message has gone to rest by then. */
const LINGER_MS = 5_000;

/** Percentiles of lateness over more than a minute's end, and calls an hour of three quiet projects. */
export const w16: Workload = {
  id: "W16",
  title: "Lateness of delays and occurrences, and the calls that it costs",
  async run(world) {
    const { options: { sizes: { latenessMs, intervals } }, stack, systems: { ours } } = world;
    await ours.clear();
    const net = await startPgNet(stack.adminDbUrl);
    const cron = startPgCron(stack.adminDbUrl);
    const times = new Samples();
    const goals: Goal[] = [];
    const tell = (name: string, samples: readonly number[]) => {
      for (const percent of [50, 99]) {
        times.add(`${name}, ${percent}th percentile`, "ms", percentile(samples, percent));
      }
      goals.push(
        atMost(`${name}: p99 of lateness in ms`, percentile(samples, 99), LATENESS_GOAL_MS),
      );
    };
    try {
      tell("delays", await delays(world, latenessMs));
      await untilIdle(world);
      for (const everyS of intervals) {
        tell(`an interval of ${everyS} s`, await occurrences(world, everyS, latenessMs));
      }
      await untilIdle(world);
      for (const [name, everyMs] of Object.entries({ minute: 60_000, second: 1_000 })) {
        const hour = await hourWith(world, everyMs, latenessMs);
        times.add(`an hour with one message a ${name}`, "invocations", hour.invocations);
        times.add(
          `an hour with one message a ${name}: database`,
          "transactions",
          hour.transactions,
        );
      }
    } finally {
      await cron.stop();
      await net.stop();
      await ours.clear();
    }
    return {
      measurements: times.measurements,
      goals,
      notes: [
        `Delays of 1 to ${
          latenessMs / 1_000
        } s, dispatched in SQL one every second while nothing else happens, ` +
        "from their due time to the handler's first line; occurrences from their time to their message's " +
        "writing. pg_cron's stand-in calls the tick each minute. An hour is reckoned from a shorter time; " +
        "an idle hour is W11's: 60 invocations.",
      ],
    };
  },
};

/** Messages with delays of every length; ms from each due time to the handler's start. */
async function delays(world: World, lengthMs: number): Promise<number[]> {
  const { sql } = world.systems.ours;
  const taken: Promise<number>[] = [];
  const count = Math.max(3, Math.floor(lengthMs / 4_000));
  for (let index = 0; index < count; index++) {
    const n = 1_000_000 + index;
    const delayMs = 1_000 + (lengthMs / 2) * index / count;
    await sql`
      select public.messenger_dispatch('Probe', ${sql.json({ n })},
        delay => ${delayMs}::float8 * interval '1 ms')`;
    const [row] = await sql<[{ due: number }]>`
      select extract(epoch from available_at)::float8 * 1000 as due
      from public.messenger_messages where (payload ->> 'n')::integer = ${n}`;
    taken.push(startOf(world, n, delayMs).then((startedAt) => startedAt - row.due));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return await Promise.all(taken);
}

/** A schedule of its own; ms from each occurrence to the writing of its message. */
async function occurrences(
  { systems: { ours: { sql } } }: World,
  everyS: number,
  lengthMs: number,
): Promise<number[]> {
  const [schedule] = await sql<[{ id: string }]>`
    select public.messenger_schedule_interval('Noop', '{"n": 0, "text": "x"}',
      every => ${everyS} * interval '1 second') as id`;
  await new Promise((resolve) => setTimeout(resolve, Math.max(lengthMs, everyS * 2_000)));
  const rows = await sql<{ ms: number }[]>`
    select extract(epoch from enqueued_at - occurrence)::float8 * 1000 as ms
    from public.messenger_schedule_runs
    where schedule_id = ${schedule.id} and enqueued_at is not null`;
  await sql`select public.messenger_unschedule(${schedule.id})`;
  return rows.map(({ ms }) => ms);
}

/** Cost of an hour with one message every `everyMs`, extrapolated from a shorter time. */
async function hourWith(world: World, everyMs: number, lengthMs: number) {
  const { stack, systems: { ours } } = world;
  const times = Math.max(1, Math.floor(lengthMs / everyMs));
  const before = await ticks(world);
  const { commits } = await costOf(ours, async () => {
    for (let n = 0; n < times; n++) {
      const startedAt = now();
      await WAYS["in SQL"](world, 2_000_000 + everyMs + n);
      const restMs = Math.min(everyMs, LINGER_MS) - (now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, restMs)));
    }
    await untilIdle(world, LINGER_MS);
  }, () => stack.restartPostgrest());
  const hours = HOUR_MS / everyMs / times;
  return {
    invocations: (await ticks(world) - before) * hours,
    transactions: commits * hours,
  };
}

async function ticks({ systems: { ours } }: World): Promise<number> {
  const [row] = await ours.sql<{ n: number }[]>`
    select count(started_at)::integer as n from public.messenger_ticks`;
  return row?.n ?? 0;
}
