/** A worker on the transport in memory, for tests of what it does with messages. */

import { createClient } from "@supabase/supabase-js";
import {
  ExponentialBackoffRetryStrategy,
  type MessageDefinition,
  type Middleware,
  RetryManager,
  type Transport,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../supabase/functions/_shared/symphony/testing.ts";
import type { WorkerOptions } from "../../supabase/functions/_shared/symphony/worker/worker-options.ts";
import { runWorker } from "../../supabase/functions/_shared/symphony/worker/worker.ts";
import { ProcessLock } from "../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";

/** The parts of a bus on a transport in memory, and a way to run its worker. */
export function workbench(
  messages: readonly MessageDefinition[],
  options: {
    readonly memory?: InMemoryTransport;
    /** Stands between the worker and the memory. */
    readonly wrap?: (memory: InMemoryTransport) => Transport;
    readonly middleware?: readonly Middleware[];
  } = {},
) {
  const lines: { level: string; event: string; [field: string]: unknown }[] = [];
  const log = createLogger({
    level: "debug",
    write: (_level, line) => lines.push(JSON.parse(line)),
  });
  const memory = options.memory ?? new InMemoryTransport();
  const transport = options.wrap?.(memory) ?? memory;
  const registry = createRegistry(messages);
  const strategy = new ExponentialBackoffRetryStrategy({ maxRetries: 3, delay: 5 });
  const retry = new RetryManager({ strategy, transport, registry, log });
  const bus = new MessageBus({ registry, transport: memory, middleware: options.middleware ?? [] });
  // No request is made with it: the handlers under test do not use the database.
  const supabase = createClient("http://127.0.0.1:9", "sb_secret_unused");
  const lock = new ProcessLock();
  const work = (limits: Partial<WorkerOptions> = {}) =>
    runWorker({
      transport,
      bus,
      retry,
      supabase,
      log,
      lock,
      batchSize: 10,
      concurrency: 5,
      leaseMs: 60_000,
      budgetMs: 2_000,
      ...limits,
    });
  return { bus, memory, retry, work, lines };
}
