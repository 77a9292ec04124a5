/** The systems side by side, each in a database of its own on the one server. */

import postgres from "postgres";
import type { Stack } from "../../local/stack.ts";
import { type Agent, startAgent } from "./agent.ts";

/** Names of the systems, as results show them. */
export const SYSTEMS = ["ours", "graphile-worker", "pg-boss"] as const;
/** One of them. */
export type SystemName = (typeof SYSTEMS)[number];

/** A system under test, from the outside. */
export interface System {
  readonly name: SystemName;
  /** Queries its database as a superuser. */
  readonly sql: postgres.Sql;
  /** Starts a process that drives it; `maintained` with the maintenance that is on by default. */
  agent(options?: { maintained?: boolean }): Promise<Agent>;
  /** Empties it. */
  clear(): Promise<void>;
  /** Vacuums and analyzes it, and writes everything out, so that each run begins alike. */
  settle(): Promise<void>;
  /** How many messages it holds. */
  count(): Promise<number>;
  /** Whether nothing waits or runs. */
  isDrained(): Promise<boolean>;
}

/** What there is to know of a system in SQL. */
const IN_SQL: Record<SystemName, { clear: string; messages: string; drained: string }> = {
  "ours": {
    clear: `truncate public.messenger_messages, messenger.leases,
      public.messenger_failed_messages, messenger.idempotency_keys, public.messenger_ticks, net.http_request_queue,
      net._http_response`,
    messages: "public.messenger_messages",
    drained: "select not exists (select from public.messenger_messages) as drained",
  },
  "graphile-worker": {
    clear: "truncate graphile_worker._private_jobs",
    messages: "graphile_worker._private_jobs",
    drained: "select not exists (select from graphile_worker._private_jobs) as drained",
  },
  "pg-boss": {
    clear: "truncate pgboss.job",
    messages: "pgboss.job",
    drained: "select not exists (select from pgboss.job where state < 'completed') as drained",
  },
};

/** This project's bus, reached through PostgREST. */
export function ourSystem(stack: Stack): System {
  return describe("ours", stack.adminDbUrl, async () =>
    startAgent("ours", {
      url: stack.postgrestUrl,
      key: await stack.mintUserJwt({ role: "service_role", expiresInS: 24 * 3600 }),
    }));
}

/** A peer, installed into its database by its own migrations. */
export async function peerSystem(
  name: Exclude<SystemName, "ours">,
  url: string,
): Promise<System> {
  const program = name === "pg-boss" ? "pgboss" : "graphile";
  const system = describe(
    name,
    url,
    (options) => startAgent(program, { url, ...options }),
  );
  // Its agent migrates as it starts.
  await using _agent = await system.agent();
  return system;
}

function describe(name: SystemName, url: string, agent: System["agent"]): System {
  const sql = postgres(url, { max: 8, onnotice: () => {} });
  const { clear, messages, drained } = IN_SQL[name];
  return {
    name,
    sql,
    agent,
    clear: async () => void await sql.unsafe(clear),
    settle: async () => {
      await sql.unsafe(`vacuum (analyze) ${messages}`);
      await sql.unsafe("checkpoint");
    },
    count: async () => {
      const [row] = await sql.unsafe<{ number: number }[]>(
        `select count(*)::integer as number from ${messages}`,
      );
      return row?.number ?? 0;
    },
    isDrained: async () => {
      const [row] = await sql.unsafe<{ drained: boolean }[]>(drained);
      return row?.drained ?? false;
    },
  };
}
