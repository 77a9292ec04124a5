/** Limits that a plan meets, and how to lift them. */

import type { Capacity, Load, Settings } from "./model.ts";

/** Most ticks at once of a queue (`max_workers`). */
const MOST_TICKS = 100;
/** Cores of a database that a plan fills before it says that one project is not enough. */
const MOST_CORES = 16;
/** CPU of a handler, in ms, from which on a function's 2 s are soon used up. */
const LONG_CPU_MS = 200;
/** A handler of this length, in ms, is as long as a function may live. */
const LONGEST_MS = 140_000;
/** Invocations of a month that dispatch, from which on their price is worth a thought. */
const MANY_DISPATCHES = 10_000_000;
/** Connections that the Data API's pool has by default. */
const POOL = 10;

/** Sentences, each a limit and what to do about it; none where the plan meets no limit. */
export function advice(load: Load, capacity: Capacity, settings: Settings): string[] {
  const { peak, batch, handlerMs, handlerCpuMs, payloadBytes } = load;
  const { cores, ticks, connections } = capacity;
  const projects = Math.ceil(cores / MOST_CORES);
  return [
    ticks > 1 && ticks <= MOST_TICKS &&
    `Let ${ticks} ticks run at once: max_workers of the queue, or of several queues together.`,
    ticks > MOST_TICKS &&
    `A queue has ${MOST_TICKS} ticks at most. Raise SYMPHONY_WORKER_CONCURRENCY (${settings.concurrency}), divide the work among queues, or run resident workers.`,
    handlerMs > LONGEST_MS &&
    "A handler of this length does not fit into a function: divide it into durable steps, or let it run on a resident worker.",
    handlerCpuMs > LONG_CPU_MS &&
    `A function has 2 s of CPU: at ${handlerCpuMs} ms a handler, a tick ends after a few messages. Let this type run on a resident worker (runsOn: "worker").`,
    batch === 1 && peak > 200 &&
    "Dispatch in batches where the messages come together: a call that writes one message costs the database as much as fifty messages of a batch.",
    capacity.dispatchInvocations > MANY_DISPATCHES &&
    "Each dispatch over HTTPS is an invocation: dispatch in SQL, in the transaction that has the data, or several messages in one call.",
    payloadBytes > 100_000 &&
    "Put what is large into Storage and dispatch its name: the payload is in the WAL, and in every claim.",
    connections * 2 > POOL &&
    `Raise the pool of the Data API to ${Math.ceil(connections * 2)} connections (Settings, API).`,
    projects > 1 &&
    `More than ${MOST_CORES} cores: route message types or tenants to ${projects} projects, or the largest stream to RabbitMQ.`,
  ].filter((text): text is string => text !== false);
}
