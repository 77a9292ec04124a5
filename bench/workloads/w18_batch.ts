/** W18: what it costs a message to be a member of a batch. */

import type postgres from "postgres";
import { drain } from "../harness/drain.ts";
import type { System } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import { atLeast } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

const KINDS = ["plain messages", "members of a batch"] as const;
/** Rounds of a run, each with all messages: the last fold of a batch weighs more the smaller it is. */
const ROUNDS = 2;
const CHUNK = 1_000;

/** Messages handled and settled a second by several workers: members of one batch beside messages of none. */
export const w18: Workload = {
  id: "W18",
  title: "Members of a batch",
  async run({ options: { runs, sizes }, systems: { ours }, cpu: serverCpu }) {
    await using started = new AsyncDisposableStack();
    const start = async () => started.use(await ours.agent());
    const others = await Promise.all(Array.from({ length: sizes.workers - 1 }, start));
    const agents = [await start(), ...others] as const;
    const count = sizes.messages;
    const figures = new Samples();
    for (const kind of KINDS) {
      await write(ours, kind, count);
      await drain(ours, agents, count);
    }
    for (let round = 0; round < runs * ROUNDS; round++) {
      for (const kind of turns(KINDS, round)) {
        await write(ours, kind, count);
        const before = serverCpu();
        const { perSecond, cpuMsPer1000 } = await drain(ours, agents, count);
        const after = serverCpu();
        figures.add(kind, "messages/s", perSecond);
        const cpu = (of: string, ms: number) =>
          figures.add(`${kind}: CPU of ${of}`, "ms per 1,000 messages", ms * 1_000 / count);
        cpu("the workers", cpuMsPer1000 * count / 1_000);
        cpu("Postgres", after.postgres - before.postgres);
        cpu("PostgREST", after.postgrest - before.postgrest);
        if (kind === "members of a batch") await ended(ours.sql, count);
      }
    }
    return {
      measurements: figures.measurements,
      goals: [
        atLeast("members : plain messages, a second", figures.ratio(KINDS[1], KINDS[0]), 0.9),
      ],
      notes: [
        `${sizes.workers} worker processes, and rounds of ${count} messages, in turns. The batch is one, and its ` +
        "counts are folded while it is drained.",
      ],
    };
  },
};

/**
 * Leaves only the messages of a round in the system. Both kinds are written in SQL, so that every worker has rested
 * equally long.
 */
async function write(ours: System, kind: typeof KINDS[number], count: number) {
  await ours.clear();
  await dispatch(ours.sql, kind, count);
  await ours.settle();
}

/** Dispatches messages 0 to `count` - 1, as one batch or as messages of none. */
async function dispatch(
  sql: postgres.Sql,
  kind: typeof KINDS[number],
  count: number,
): Promise<void> {
  const batch = { name: "members", idempotency_key: crypto.randomUUID() };
  for (let chunk = 1; (chunk - 1) * CHUNK < count; chunk++) {
    const from = (chunk - 1) * CHUNK;
    const messages = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => ({
      type: "Noop",
      payload: { n: from + i, text: "no-op" },
    }));
    if (kind === "plain messages") {
      await sql`select public.messenger_enqueue(${sql.json(messages)}, true)`;
    } else {
      await sql`select public.messenger_write_batch(${sql.json(batch)}, ${
        sql.json(messages)
      }, ${chunk},
        ${from + CHUNK >= count}, true)`;
    }
  }
}

/** @throws Error if the counts of the batch are not those of its messages */
async function ended(sql: postgres.Sql, count: number): Promise<void> {
  const [state] = await sql<{ handled: number }[]>`
    select (messenger.batch_state(b) ->> 'handled')::integer as handled from public.messenger_batches b`;
  if (state?.handled !== count) {
    throw new Error(`${state?.handled} of ${count} members are counted`);
  }
}
