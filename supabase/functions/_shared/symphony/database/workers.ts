/** SQL's functions of resident workers: each has a row among the ticks, and waits in the database for messages. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callRpc } from "./rpc.ts";
import type { TickCounts } from "./ticks.ts";

/** Timeout of a call, and of a wait beyond its own time. */
const TIMEOUT_MS = 10_000;

/** Registers resident workers, keeps them alive and ends them. Each method throws TransportError. */
export class Workers {
  /** @param client made with a secret key */
  constructor(private readonly client: SupabaseClient) {}

  /** Makes these queues run on workers only. @throws RangeError if one of them is `default` */
  async runOnWorkers(queues: readonly string[]): Promise<void> {
    await this.#call("messenger_run_on_workers", { queues });
  }

  /**
   * Registers a worker.
   * @returns its id
   * @throws RangeError if the name is empty or longer than 200 characters, or there are no queues
   */
  async start(worker: string, queues: readonly string[]): Promise<string> {
    return String(await this.#call("messenger_start_worker", { worker, queues }));
  }

  /** Tells that the worker is alive, and what it has done so far. */
  async heartbeat(id: string, report: TickCounts): Promise<void> {
    await this.#call("messenger_heartbeat_worker", { tick: id, report });
  }

  /** Ends the worker. @param report null if it failed */
  async end(id: string, report: TickCounts | null): Promise<void> {
    await this.#call("messenger_end_tick", { tick: id, report, successor: false });
  }

  /**
   * Waits until a message of these queues is due.
   * @param waitMs for how long at most; up to 5,000
   * @returns whether one is
   */
  awaitDue(queues: readonly string[], waitMs: number): Promise<boolean> {
    const args = { queues, wait_ms: waitMs };
    return callRpc(this.client, "messenger_await_due", args, waitMs + TIMEOUT_MS);
  }

  #call<Answer>(name: string, args: Readonly<Record<string, unknown>>): Promise<Answer> {
    return callRpc<Answer>(this.client, name, args, TIMEOUT_MS);
  }
}
