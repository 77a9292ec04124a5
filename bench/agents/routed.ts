/** The agent of W20: a worker whose messages come from home, or from RabbitMQ through home's outbox. */

import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { createMessenger, defineMessage } from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { type OnHandled, type Queue, queueTasks } from "./queue.ts";
import { serve } from "./serve.ts";

/** Configuration of this agent. */
export interface RoutedConfig {
  /** Of PostgREST itself. */
  readonly url: string;
  /** A JWT of the service role. */
  readonly key: string;
  /** The broker; null for a project without transports. */
  readonly amqpUrl: string | null;
  /** Whether messages go through the broker. */
  readonly isRouted: boolean;
}

/** Told when the handler of a message whose start is measured begins. */
export interface Started {
  readonly started: number;
  /** In ms since 1970. */
  readonly at: number;
}

/** A worker that found nothing polls again so soon, in ms. */
const PAUSE_MS = 100;
/** W11 counts what a tick's limits make of it. */
const UNBOUNDED = { budgetMs: 24 * 60 * 60_000, cpuMs: 0, maxMessages: Infinity };

await serve<RoutedConfig>(({ url, key, amqpUrl, isRouted }, emit) => {
  const supabase = createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: (input, init) => fetch(String(input).replace("/rest/v1/", "/"), init) },
  });
  let onHandled: OnHandled = () => {};
  const Noop = defineMessage({
    type: "Noop",
    schema: z.object({ n: z.number().int(), text: z.string() }),
    handler: ({ n }) => onHandled(n),
  });
  const Timed = defineMessage({
    type: "Timed",
    schema: z.object({ n: z.number().int() }),
    handler: ({ n }) =>
      emit({ started: n, at: performance.timeOrigin + performance.now() } satisfies Started),
  });
  const messengerOf = (batchSize: number, concurrency: number) =>
    createMessenger({
      ...{ supabase, messages: [Noop, Timed] },
      ...amqpUrl !== null && {
        transports: { events: amqp({ url: amqpUrl, prefetch: 1_000 }) },
        routing: isRouted ? { Noop: "events", Timed: "events" } : {},
      },
      config: {
        ...readConfig(() => undefined),
        ...{ workerBatchSize: batchSize, workerConcurrency: concurrency },
      },
      log: createLogger({ level: "error" }),
    });
  const { bus } = messengerOf(500, 10);
  const queue: Queue = {
    enqueue: async (numbers, text = "no-op") => {
      await bus.dispatchAll(numbers.map((n) => ({ type: "Noop", payload: { n, text } })));
    },
    drain: ({ batchSize, concurrency }, handled) => {
      onHandled = handled;
      const worker = createWorker(messengerOf(batchSize, concurrency));
      const end = new AbortController();
      const running = untilAborted(end.signal, async () => {
        const { claimed } = await worker.work({ ...UNBOUNDED, signal: end.signal });
        return claimed > 0;
      });
      return Promise.resolve({ stop: () => (end.abort(), running) });
    },
  };
  let resident: { stop(): Promise<unknown> } | undefined;
  return {
    ...queueTasks(queue, emit),
    /** Begins to wait for messages, as a worker does that is always there. */
    reside: () => {
      const worker = createWorker(messengerOf(500, 10));
      const end = new AbortController();
      const signals = { drain: end.signal, stop: end.signal };
      const running = worker.resident({
        queues: ["default"],
        name: crypto.randomUUID(),
        ...signals,
      });
      resident = { stop: () => (end.abort(), running) };
    },
    leave: async () => void await resident?.stop(),
  };
});

async function untilAborted(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
  while (!signal.aborted) {
    const found = await work();
    if (!found && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
