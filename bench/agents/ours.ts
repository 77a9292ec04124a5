/** The agent of this project: the bus and the worker as they are, through PostgREST. */

import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  type Transport,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { type OnHandled, type Queue, queueTasks } from "./queue.ts";
import { serve } from "./serve.ts";

/** Configuration of this agent, given at its start. */
export interface OursConfig {
  /** Of PostgREST itself. */
  readonly url: string;
  /** A JWT of the service role. */
  readonly key: string;
}

/** A worker that found nothing polls again so soon, in ms; deployed, a dispatch would wake it. */
const PAUSE_MS = 100;
const FOR_EVER_MS = 24 * 60 * 60_000;
/** A resident worker is compared with resident workers; W11 counts what a tick's limits make of it. */
const UNBOUNDED = { budgetMs: FOR_EVER_MS, cpuMs: 0, maxMessages: Infinity };

await serve<OursConfig>(({ url, key }, emit) => {
  const client = createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: (input, init) => fetch(String(input).replace("/rest/v1/", "/"), init) },
  });
  let onHandled: OnHandled = () => {};
  const Noop = defineMessage({
    type: "Noop",
    schema: z.object({ n: z.number().int(), text: z.string() }),
    handler: ({ n }) => onHandled(n),
  });
  const claimsMs: number[] = [];
  const messengerOf = (batchSize: number, concurrency: number) =>
    createMessenger({
      supabase: client,
      messages: [Noop],
      transport: timed(new SupabaseTransport(client), claimsMs),
      config: {
        ...readConfig(() => undefined),
        workerBatchSize: batchSize,
        workerConcurrency: concurrency,
        schedulerBatchSize: batchSize,
      },
      log: createLogger({ level: "error" }),
    });

  const { bus } = messengerOf(100, 10);
  const enqueue = async (numbers: readonly number[], text = "no-op") => {
    await bus.dispatchAll(numbers.map((n) => ({ type: "Noop", payload: { n, text } })));
  };
  const queue: Queue = {
    enqueue,
    drain: ({ batchSize, concurrency }, handled) => {
      onHandled = handled;
      const worker = createWorker(messengerOf(batchSize, concurrency));
      const stopping = new AbortController();
      const running = untilAborted(stopping.signal, async () => {
        const { claimed } = await worker.work({ ...UNBOUNDED, signal: stopping.signal });
        return claimed > 0;
      });
      return Promise.resolve({
        stop: () => {
          stopping.abort();
          return running;
        },
      });
    },
  };
  return {
    ...queueTasks(queue, emit),
    /** Durations of the claims since the last call, in ms. */
    claims: () => claimsMs.splice(0),
    /** Dispatches at a steady rate for a time, and returns the number of messages. */
    produce: async ({ rate, forMs }: { rate: number; forMs: number }) => {
      const startedAt = performance.now();
      let sent = 0;
      for (let elapsed = 0; elapsed < forMs; elapsed = performance.now() - startedAt) {
        const count = Math.min(1000, Math.floor(elapsed * rate / 1000) - sent);
        if (count > 0) await enqueue(Array.from({ length: count }, (_, i) => sent + i));
        sent += Math.max(0, count);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      return sent;
    },
    /** Dispatches the due occurrences; returns their number and the time that it took, in ms. */
    schedules: async ({ batchSize }: { batchSize: number }) => {
      const startedAt = performance.now();
      const worker = createWorker(messengerOf(batchSize, 10));
      const { report } = await worker.runSchedules({ budgetMs: FOR_EVER_MS });
      return { ...report, tookMs: performance.now() - startedAt };
    },
  };
});

async function untilAborted(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
  while (!signal.aborted) {
    const found = await work();
    if (!found && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Notes how long the calls take that claim. */
function timed(transport: Transport, claimsMs: number[]): Transport {
  const time = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    const startedAt = performance.now();
    const answer = await call();
    claimsMs.push(performance.now() - startedAt);
    return answer;
  };
  return {
    capabilities: transport.capabilities,
    close: () => transport.close(),
    send: (messages) => transport.send(messages),
    reserveIds: (number) => transport.reserveIds(number),
    effect: (request) => transport.effect(request),
    claim: (request) => time(() => transport.claim(request)),
    settle: (settlements) => transport.settle(settlements),
    settleAndClaim: (settlements, request) =>
      time(() => transport.settleAndClaim(settlements, request)),
    extendLeases: (leases, leaseMs) => transport.extendLeases(leases, leaseMs),
    cancel: (filter) => transport.cancel(filter),
    loadSteps: (requests) => transport.loadSteps(requests),
    saveSteps: (saves) => transport.saveSteps(saves),
    reportProgress: (reports) => transport.reportProgress(reports),
    writeBatch: (chunk) => transport.writeBatch(chunk),
    foldBatches: (ids) => transport.foldBatches(ids),
    followBatch: (id) => transport.followBatch(id),
    cancelBatch: (id) => transport.cancelBatch(id),
    emit: (...event) => transport.emit(...event),
    readEvents: (reads) => transport.readEvents(reads),
    batchResults: (id) => transport.batchResults(id),
    recordSeries: (points) => transport.recordSeries?.(points) ?? Promise.resolve(),
  };
}
