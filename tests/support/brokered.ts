/** A project of which some messages go through a broker, on the stack of a test. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import {
  createMessenger,
  type MessageDefinition,
  type RoutingOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";
import type { Config } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import type { Engine } from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { OutboxCalls } from "../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { runRelay } from "../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { Broker } from "./broker.ts";
import type { TestStack } from "./stack.ts";

/** Longest wait of a tick's last pull, which finds nothing, in ms. */
const LONGEST_WAIT_MS = 100;

/** Makes a project whose messages of type `T` go through a broker. Its first tick declares the routes. */
export async function brokered(
  stack: TestStack,
  broker: Engine,
  messages: readonly MessageDefinition[],
  { routing = { T: "events" }, client = stack.client, config }: {
    readonly routing?: RoutingOptions["routing"];
    /** The client of the database. */
    readonly client?: SupabaseClient;
    readonly config?: Config;
  } = {},
) {
  const lines: { event: string; [field: string]: unknown }[] = [];
  const log = createLogger({
    level: "debug",
    write: (_level, line) => lines.push(JSON.parse(line)),
  });
  const { bus, ...messenger } = createMessenger({
    ...{ supabase: client, messages, tokenSecrets: [], log, ...config && { config } },
    ...{ transports: { events: broker }, routing },
  });
  const worker = createWorker({ bus, ...messenger });
  if (broker instanceof Broker) broker.longestWaitMs = LONGEST_WAIT_MS;
  const isDone = async () =>
    (await outboxOf(stack)).due === 0 && !(broker instanceof Broker && broker.size > 0);
  /** Ticks until one finds nothing to do: what an engine's message leads to is the next tick's. */
  const tick = async (budgetMs = 5_000) => {
    const sum = { claimed: 0, handled: 0, retried: 0, failed: 0 };
    for (let ticks = 1; ticks <= 10; ticks++) {
      const { messages } = await worker.tick({ budgetMs, caller: "waits" });
      sum.claimed += messages.claimed;
      sum.handled += messages.handled;
      sum.retried += messages.retried;
      sum.failed += messages.failed;
      if (messages.claimed === 0 && await isDone()) break;
    }
    return sum;
  };
  /** Publishes what is due, and receives nothing. */
  const publish = async () => {
    const life = { ending: AbortSignal.abort(), stop: new AbortController().signal };
    const outbox = new OutboxCalls(client, "events");
    await runRelay({ name: "events", engine: broker, outbox, log }, { ...life, endsAt: Infinity });
  };
  await worker.tick({ budgetMs: 0, caller: "waits" });
  const events = () => lines.map(({ event }) => event);
  return { bus, worker, tick, publish, lines, events, receiver: messenger.receivers.get("events") };
}

/** The rows of the outbox: ids of those that wait, how many of them are due, and ids of those that are sent. */
export async function outboxOf({ sql }: TestStack) {
  const rows = await sql<{ id: string; sent: boolean; due: boolean; publication: number }[]>`
    select id::text, sent_at is not null as sent, publication,
      available_at <= public.messenger_now() + interval '200 ms' as due
    from messenger.outbox order by position`;
  return {
    waiting: rows.filter(({ sent }) => !sent).map(({ id }) => id),
    sent: rows.filter(({ sent }) => sent).map(({ id }) => id),
    due: rows.filter(({ sent, due }) => due && !sent).length,
    publications: rows.map(({ publication }) => publication),
  };
}

/** A client of the database whose calls are refused while it is away. */
export function leavingHome(stack: TestStack) {
  const home = { isAway: false };
  const client = createClient(stack.url, stack.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: {
      fetch: (...args) =>
        home.isAway ? Promise.reject(new TypeError("connection refused")) : fetch(...args),
    },
  });
  return { home, client };
}
