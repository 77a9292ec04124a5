/** W20: messages through RabbitMQ beside those of Postgres alone, for one to four consumers. */

import { hasRabbit, type RabbitCluster, startRabbit } from "../../tests/support/rabbit/cluster.ts";
import type { RoutedConfig, Started } from "../agents/routed.ts";
import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { type Agent, startAgent } from "../harness/agent.ts";
import { cpuOfGroup } from "../harness/cpu.ts";
import { BEST, drain, enqueue, warmUp } from "../harness/drain.ts";
import { now } from "../harness/probes.ts";
import type { System } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import type { World } from "../harness/world.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

const KINDS = ["Postgres", "RabbitMQ"] as const;
type Kind = (typeof KINDS)[number];
/** A project that names no transport, and one that names one and routes nothing through it. */
const ALONE = "home alone";
const BESIDE = "home beside a transport without routes";
/** The consumers' messages are fewer than those of W2, because they take turns for each number of consumers. */
const SHARE = 10;
/** Rounds of one number of consumers. */
const ROUNDS = 3;
/** Processes of a project that names a transport, and of one that names none: two of the same kind differ by up to a tenth. */
const PROCESSES = 2;

/** Throughput, start and CPU by the number of consumers; and the CPU of a transport that nothing is routed to. */
export const w20: Workload = {
  id: "W20",
  title: "Messages through RabbitMQ beside Postgres alone",
  async run(world) {
    const { options: { runs, sizes } } = world;
    await using started = new AsyncDisposableStack();
    const cluster = hasRabbit ? started.use(await startRabbit()) : null;
    const url = cluster?.urls[0] ?? null;
    const key = await world.stack.mintUserJwt({ role: "service_role", expiresInS: 24 * 3600 });
    const start = async (amqpUrl: string | null, isRouted: boolean) => {
      const config = { url: world.stack.postgrestUrl, key, amqpUrl, isRouted };
      return started.use(await startAgent("routed", config satisfies RoutedConfig));
    };
    const several = (amqpUrl: string | null) =>
      Promise.all(Array.from({ length: sizes.workers }, () => start(amqpUrl, amqpUrl !== null)));
    const agents = { Postgres: await several(null), RabbitMQ: await several(url) };
    const kinds = url === null ? KINDS.slice(0, 1) : KINDS;
    if (url !== null) await declare(url);
    const figures = new Samples();
    const count = Math.max(100, sizes.messages / SHARE);
    const turn = (kind: Kind, consumers: number) =>
      new Turn(world, cluster, kind, agents[kind].slice(0, consumers)).run(count);
    for (const kind of kinds) await turn(kind, sizes.workers);
    for (let round = 0; round < Math.min(runs, ROUNDS); round++) {
      for (let consumers = 1; consumers <= sizes.workers; consumers++) {
        for (const kind of turns(kinds, round)) {
          for (const [what, unit, value] of await turn(kind, consumers)) {
            figures.add(labelOf(kind, consumers) + what, unit, value);
          }
        }
      }
    }
    const processes = (amqpUrl: string | null) =>
      Promise.all(Array.from({ length: PROCESSES }, () => start(amqpUrl, false)));
    const beside = { [ALONE]: await processes(null), [BESIDE]: await processes(url) };
    await measureBeside(world, figures, beside);
    const ratio = figures.ratio(BESIDE, ALONE);
    return {
      measurements: figures.measurements,
      goals: [atMost("CPU beside a transport without routes : without", ratio, 1.01)],
      notes: [
        `Rounds of ${count} messages that are written before, 100 handlers at once. Through RabbitMQ: outbox, relays in the ` +
        "consumers, one node with quorum queues, and the inbox. Start: from the commit of a dispatch in SQL to the handler's " +
        "first line, in idle resident workers. CPU is that of all processes together, consumers included; RabbitMQ's share " +
        "stands beside it.",
        ...url === null ? ["RabbitMQ was not there: Debian's package rabbitmq-server."] : [],
      ],
    };
  },
};

function labelOf(kind: Kind, consumers: number): string {
  return `${kind}, ${consumers} consumer${consumers === 1 ? "" : "s"}`;
}

/** Makes the broker's queues, as `transports declare` does. */
async function declare(url: string): Promise<void> {
  const engine = amqp({ url });
  await engine.declare([]);
  await engine.close();
}

/** One system's turn of a round: it writes, drains, and times starts. */
class Turn {
  constructor(
    private readonly world: World,
    private readonly cluster: RabbitCluster | null,
    private readonly kind: Kind,
    private readonly agents: readonly Agent[],
  ) {}

  /** @returns the figures: the rest of their names, their units, their values */
  async run(count: number): Promise<[what: string, unit: string, value: number][]> {
    const { systems: { ours } } = this.world;
    const [first] = this.agents;
    if (!first) throw new Error("a turn needs a consumer");
    await clear(ours, this.kind === "RabbitMQ");
    await enqueue(first, count);
    await settle(ours);
    const before = this.#cpu();
    const drained = await drain(whole(ours, count, this.kind), this.agents, count, BEST.ours);
    const after = this.#cpu();
    const unit = "ms per 1,000 messages";
    const servers = (after.servers - before.servers) * 1_000 / count;
    const broker = (after.broker - before.broker) * 1_000 / count;
    return [
      ["", "messages/s", drained.perSecond],
      [": CPU", unit, drained.cpuMsPer1000 + servers + broker],
      ...this.kind === "RabbitMQ"
        ? [[": CPU of RabbitMQ", unit, broker] as [string, string, number]]
        : [],
      ...(await this.#starts()).map((ms): [string, string, number] => [": start", "ms", ms]),
    ];
  }

  #cpu() {
    const { postgres, postgrest } = this.world.cpu();
    return { servers: postgres + postgrest, broker: cpuOfGroup(this.cluster?.nodes[0]?.pid) };
  }

  /** Ms from the commit to the handler, of messages at random moments. */
  async #starts(): Promise<number[]> {
    const { options, systems: { ours: { sql } } } = this.world;
    const taken: number[] = [];
    let heard = (_: Started) => {};
    for (const agent of this.agents) agent.listen((event: Started) => heard(event));
    await Promise.all(this.agents.map((agent) => agent.call("reside")));
    // The first one finds consumers that have just begun.
    for (let n = 0; n <= options.sizes.routed.starts; n++) {
      const { promise, resolve } = Promise.withResolvers<number>();
      heard = ({ started, at }) => started === n && resolve(at);
      await sql`select public.messenger_dispatch('Timed', ${sql.json({ n })})`;
      const committedAt = now();
      const ms = await promise - committedAt;
      if (n > 0) taken.push(ms);
      await new Promise((done) => setTimeout(done, 20 + Math.random() * 60));
    }
    await Promise.all(this.agents.map((agent) => agent.call("leave")));
    return taken;
  }
}

/**
 * The CPU time of a message of home, in turns: with a transport that nothing is routed to, and without one. All processes
 * are as old, and each has just done the same work: one that has rested takes up to twice the CPU time.
 */
async function measureBeside(
  world: World,
  figures: Samples,
  agents: Readonly<Record<typeof ALONE | typeof BESIDE, readonly Agent[]>>,
): Promise<void> {
  const { options: { runs, sizes }, systems: { ours } } = world;
  const count = Math.ceil(sizes.messages / 2);
  const cpuOf = async (agent: Agent) => {
    await clear(ours, false);
    await warmUp(ours, [agent], Math.ceil(count / 2));
    await enqueue(agent, count);
    await settle(ours);
    const before = world.cpu();
    const { cpuMsPer1000 } = await drain(ours, [agent], count, BEST.ours);
    const after = world.cpu();
    const servers = after.postgres + after.postgrest - before.postgres - before.postgrest;
    return cpuMsPer1000 + servers * 1_000 / count;
  };
  for (let round = 0; round < sizes.routed.pairs * Math.min(runs, ROUNDS); round++) {
    for (const kind of turns([ALONE, BESIDE] as const, round)) {
      let sum = 0;
      for (const agent of agents[kind]) sum += await cpuOf(agent);
      figures.add(kind, "ms of CPU per 1,000 messages", sum / agents[kind].length);
    }
  }
}

/** Leaves no message, and the routes of a turn. */
async function clear({ clear, sql }: System, isRouted: boolean): Promise<void> {
  await clear();
  await sql`truncate messenger.outbox, messenger.relays, messenger.handled_deliveries`;
  const routes = isRouted ? { Noop: "events", Timed: "events" } : {};
  await sql`select public.messenger_declare_routing(
    ${sql.json(isRouted ? { events: true } : {})}, ${sql.json(routes)})`;
}

async function settle(ours: System): Promise<void> {
  await ours.sql`vacuum (analyze) messenger.outbox`;
  await ours.settle();
}

/** A system that is drained once the outcome of each message is written. */
function whole(ours: System, count: number, kind: Kind): System {
  if (kind === "Postgres") return ours;
  return {
    ...ours,
    isDrained: async () => {
      const [row] = await ours.sql<{ settled: number }[]>`
        select count(*)::integer as settled from messenger.handled_deliveries`;
      return row?.settled === count;
    },
  };
}
