/** W11: what a message costs the database, what idleness costs, and how many invocations a backlog. */

import { startPgNet } from "../../local/pg_net.ts";
import type { Agent } from "../harness/agent.ts";
import { costOf } from "../harness/cost.ts";
import { BEST, drain, enqueue } from "../harness/drain.ts";
import { type SystemName, SYSTEMS } from "../harness/systems.ts";
import type { World } from "../harness/world.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

/** A way of writing messages: how many in a call, with how long a text, and how many fewer of them are counted. */
interface Way {
  readonly name: string;
  readonly batch: number;
  readonly fewer: number;
  readonly textLength?: number;
}

const WAYS: readonly Way[] = [
  { name: "by 1,000", batch: 1_000, fewer: 1 },
  { name: "one by one", batch: 1, fewer: 20 },
];
const OUR_WAYS: readonly Way[] = [
  ...WAYS,
  { name: "by 1,000, payloads of 1 kB", batch: 1_000, fewer: 4, textLength: 1_000 },
  { name: "by 1,000, payloads of 10 kB", batch: 1_000, fewer: 20, textLength: 10_000 },
];
/** Steady loads: messages a second, handlers at once, and how long each waits, in ms; by default not at all. */
const STEADY: readonly { rate: number; concurrency: number; handlerMs?: number }[] = [
  { rate: 10, concurrency: 10 },
  { rate: 100, concurrency: 10 },
  { rate: 1_000, concurrency: 10 },
  { rate: 700, concurrency: 100, handlerMs: 100 },
];
const WARM_UP_MS = 1_000;
const HOUR_MS = 3_600_000;
const TICKS = 5;
const POLL_MS = 50;
/** So long after its start a process has found that there is nothing to do. */
const SETTLED_MS = 500;

/** WAL bytes and commits a message, transactions an idle hour, invocations a backlog. */
export const w11: Workload = {
  id: "W11",
  title: "Cost",
  async run(world) {
    const { costMessages, messages } = world.options.sizes;
    const costs = new Samples();
    for (const name of SYSTEMS) {
      for (const way of name === "ours" ? OUR_WAYS : WAYS) {
        const count = Math.ceil(costMessages / way.fewer);
        const { walBytes, commits, postgresMs } = await messageCost(world, name, count, way);
        costs.add(`${name}, written ${way.name}`, "bytes", walBytes / count);
        costs.add(`${name}, written ${way.name}: commits`, "a message", commits / count);
        costs.add(
          `${name}, written ${way.name}: Postgres`,
          "CPU ms per 1,000",
          postgresMs * 1000 / count,
        );
      }
    }
    for (const load of STEADY) await addSteady(costs, world, load);
    const idle = await Promise.all([
      ticksOfAnHour(world),
      idleHour(world, "graphile-worker", (agent) => agent.call("drain", BEST["graphile-worker"])),
      idleHour(world, "pg-boss", (agent) => agent.call("idle")),
    ]);
    SYSTEMS.forEach((name, index) =>
      costs.add(`${name}, idle`, "transactions an hour", idle[index] ?? NaN)
    );
    const invocations = await countInvocations(world, messages);
    costs.add("ours, invocations", `for ${messages} messages`, invocations);
    return {
      measurements: costs.measurements,
      notes: [
        "From the enqueue until nothing is left of the message; pg-boss keeps it, and deletes it " +
        "some other day. Drained by 500. An idle hour of ours is 60 ticks: the transactions of the " +
        "function, and the one in which pg_cron asks for it; pg_cron and pg_net add their own " +
        "records. The peers' is extrapolated from a process that waits, with its maintenance on; " +
        "such a process has to run all the time, so that invocations cannot be counted.",
      ],
    };
  },
};

async function messageCost(
  { systems, stack, cpu }: World,
  name: SystemName,
  count: number,
  { batch, textLength }: Way,
) {
  const system = systems[name];
  await system.clear();
  await system.settle();
  const before = cpu().postgres;
  const cost = await costOf(
    system,
    async () => {
      await using agent = await system.agent();
      await enqueue(agent, count, batch, textLength);
      await drain(system, [agent], count);
    },
    async () => name === "ours" ? await stack.restartPostgrest() : undefined,
  );
  const postgresMs = cpu().postgres - before;
  await system.clear();
  return { ...cost, postgresMs };
}

/** CPU of Postgres, and round trips of one worker, while messages are written and handled at a steady rate. */
async function addSteady(
  costs: Samples,
  { systems: { ours }, cpu, options: { sizes: { idleMs } } }: World,
  { rate, concurrency, handlerMs }: (typeof STEADY)[number],
): Promise<void> {
  await ours.clear();
  await using producer = await ours.agent();
  await using worker = await ours.agent();
  await worker.call("drain", {
    ...{ batchSize: 500, concurrency, fetchers: 1 },
    ...(handlerMs !== undefined && { handlerMs }),
  });
  await producer.call("produce", { rate, forMs: WARM_UP_MS });
  await worker.call("claims");
  const [before, startedAt] = [cpu().postgres, performance.now()];
  await producer.call("produce", { rate, forMs: idleMs });
  const seconds = (performance.now() - startedAt) / 1000;
  const claims = await worker.call<number[]>("claims");
  const name = `ours, ${rate} a second${
    handlerMs === undefined ? "" : `, handlers of ${handlerMs} ms`
  }`;
  costs.add(`${name}: Postgres`, "cores", (cpu().postgres - before) / 1000 / seconds);
  costs.add(`${name}: round trips`, "a second", claims.length / seconds);
  await worker.call("stop");
}

/** Transactions of an hour of a peer's waiting process, extrapolated from a shorter time. */
async function idleHour(
  { systems, options: { sizes: { idleMs } } }: World,
  name: SystemName,
  wait: (agent: Agent) => Promise<unknown>,
): Promise<number> {
  const system = systems[name];
  await system.clear();
  const commitsOf = async (waitMs: number) => {
    const { commits } = await costOf(system, async () => {
      await using agent = await system.agent({ maintained: true });
      await wait(agent);
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MS + waitMs));
    }, () => Promise.resolve());
    return commits;
  };
  // The very first start also sets up what lasts.
  await commitsOf(0);
  const toStart = await commitsOf(0);
  return (await commitsOf(idleMs) - toStart) * HOUR_MS / idleMs;
}

/** Ours does nothing between the ticks that pg_cron asks for; this counts what some of them do. */
async function ticksOfAnHour({ stack, systems: { ours } }: World): Promise<number> {
  await ours.clear();
  const tick = async () => {
    const response = await fetch(`${stack.url}/functions/v1/tick`, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: stack.secretKey },
      body: "{}",
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
  };
  // The first starts the function's process, and compares the declared schedules.
  await tick();
  const flush = () => stack.restartPostgrest();
  await flush();
  const { commits: nothing } = await costOf(ours, () => Promise.resolve(), flush);
  const { commits } = await costOf(ours, async () => {
    for (let n = 0; n < TICKS; n++) await tick();
  }, flush);
  return ((commits - nothing) / TICKS + 1) * 60;
}

/** Writes a backlog and lets the functions drain it, woken through pg_net. */
async function countInvocations(
  { stack, systems: { ours } }: World,
  count: number,
): Promise<number> {
  await ours.clear();
  const net = await startPgNet(stack.adminDbUrl);
  try {
    await using agent = await ours.agent();
    await enqueue(agent, count);
    for (;;) {
      const [row] = await ours.sql<{ done: boolean; invocations: number; handled: number }[]>`
        select not exists (select from public.messenger_messages)
            and bool_and(ended_at is not null) as done,
          count(started_at)::integer as invocations,
          sum((report ->> 'handled')::integer)::integer as handled
        from public.messenger_ticks`;
      if (row?.done) {
        if (row.handled !== count) throw new Error(`ticks handled ${row.handled} of ${count}`);
        return row.invocations;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await net.stop();
    await ours.clear();
  }
}
