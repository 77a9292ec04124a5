/** The relays of a run: one for each transport beside home, as long as home's worker runs and something is due. */

import { OutboxCalls } from "../../database/outbox-calls.ts";
import type { Messenger } from "../../messenger.ts";
import type { WorkerOptions, WorkerReport } from "../worker-options.ts";
import { runRelay } from "./relay.ts";

/** Number of runs that use the transports of a messenger; the last one to end closes them. */
const users = new WeakMap<Messenger, number>();

/**
 * Runs home's worker with a relay for each other transport beside it.
 * @param home runs home's worker
 * @returns its report, once nothing is left to publish
 * @throws the errors of `home`, once the relays have ended
 */
export async function withRelays(
  { router, supabase, log }: Messenger,
  { budgetMs, signal, drain }: Pick<WorkerOptions, "budgetMs" | "signal" | "drain">,
  home: () => Promise<WorkerReport>,
): Promise<WorkerReport> {
  const over = new AbortController();
  const life = {
    ending: AbortSignal.any([over.signal, ...drain ? [drain] : []]),
    stop: signal ?? new AbortController().signal,
    endsAt: performance.now() + budgetMs,
  };
  const relays = [...router?.routes.transports ?? []].map(([name, engine]) =>
    runRelay({ name, engine, outbox: new OutboxCalls(supabase, name), log }, life)
  );
  try {
    return await home();
  } finally {
    over.abort();
    await Promise.all(relays);
  }
}

/**
 * Uses the connections of a messenger's transports, and ends them after the last of the runs that overlap: an engine
 * hands out again what a process that sleeps would keep. The next run connects again.
 */
export async function withConnections<Result>(
  messenger: Messenger,
  run: () => Promise<Result>,
): Promise<Result> {
  users.set(messenger, (users.get(messenger) ?? 0) + 1);
  try {
    return await run();
  } finally {
    const left = (users.get(messenger) ?? 1) - 1;
    users.set(messenger, left);
    if (left === 0) await closeAll(messenger);
  }
}

/** Never throws. */
async function closeAll({ router, receivers, log }: Messenger): Promise<void> {
  const all = new Map<string, { close(): Promise<void> }>(router?.routes.transports);
  for (const [name, transport] of receivers) all.set(name, transport);
  await Promise.all(
    [...all].map(async ([name, one]) => {
      try {
        await one.close();
      } catch (error) {
        log.warn("transport_not_closed", { transport: name, error: String(error) });
      }
    }),
  );
}
