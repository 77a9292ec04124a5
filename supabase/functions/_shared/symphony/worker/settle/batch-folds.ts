/** Folds: after outcomes of members are written, their batches' counts follow in a call of its own. */

import { batchStampOf } from "../../message/batch-stamps.ts";
import { readProperty } from "../../runtime/inspect.ts";
import { within } from "../../runtime/within.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Done } from "./settle-buffer.ts";

/** Longest time that a finished run waits for its folds. The sweep of a later claim does the rest. */
const LAST_WAIT_MS = 2_000;
/** Timeout of one call. The transport's own timeout is no longer than this. */
const CALL_TIMEOUT_MS = 10_000;
/**
 * Pause after each call, in ms: one for each member that the call has counted, within these bounds. Members that are
 * settled meanwhile share the next call. A call costs as much as a hundred members; one after each settle call cost a
 * worker a tenth of its rate.
 */
const LEAST_PAUSE_MS = 50;
const MOST_PAUSE_MS = 1_000;
/** Most batches of one call. */
const MAX_IDS = 1_000;

/** Folds the batches of settled members: one call is under way, and later members gather for the next. */
export class BatchFolds {
  readonly #waiting = new Set<string>();
  /** Members that were settled since the last call. */
  #members = 0;
  #running: Promise<void> | undefined;
  /** Resolves when the run ends, which no pause delays. */
  readonly #ending = Promise.withResolvers<void>();

  constructor(
    private readonly parts: { readonly transport: Transport; readonly log: Logger },
  ) {}

  /** Outcomes are written. Most messages are no members, and cost one check of their stamps. */
  settled(done: readonly Done[]): void {
    for (const { envelope: { stamps }, settlement: { outcome, batch } } of done) {
      // Children that ended while their parent still ran: the fold makes it due now that it is parked.
      if (outcome.kind === "parked") {
        const awaited = readProperty(outcome.step?.details, "batch");
        if (typeof awaited === "string") this.#waiting.add(awaited);
      }
      if (stamps.batch === undefined || outcome.kind !== "handled" && outcome.kind !== "dead") {
        continue;
      }
      const id = batch ?? batchStampOf(stamps)?.id;
      if (id === undefined) continue;
      this.#waiting.add(id);
      this.#members++;
    }
    if (this.#waiting.size > 0) this.#running ??= this.#fold();
  }

  /** Waits for folds under way, for two seconds at most. @param latest end of the wait, on performance.now() */
  async ended(latest: number): Promise<void> {
    this.close();
    if (!this.#running) return;
    const waitMs = Math.max(0, Math.min(LAST_WAIT_MS, latest - performance.now()));
    await within(this.#running, waitMs, () => new Error("the fold takes too long")).catch(() => {});
  }

  /** Ends pauses. */
  close(): void {
    this.#ending.resolve();
  }

  /** Never throws: a fold that fails is left to the next sweep. */
  async #fold(): Promise<void> {
    do {
      const pauseMs = Math.min(Math.max(this.#members, LEAST_PAUSE_MS), MOST_PAUSE_MS);
      this.#members = 0;
      const ids = [...this.#waiting].slice(0, MAX_IDS);
      for (const id of ids) this.#waiting.delete(id);
      const late = () => new Error("the transport does not answer");
      try {
        await within(this.parts.transport.foldBatches(ids), CALL_TIMEOUT_MS, late);
      } catch (error) {
        this.parts.log.warn("fold_failed", { batches: ids.length, error: String(error) });
      }
      await this.#pause(pauseMs);
    } while (this.#waiting.size > 0);
    this.#running = undefined;
  }

  async #pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => void (timer = setTimeout(resolve, ms)));
    await Promise.race([over, this.#ending.promise]);
    clearTimeout(timer);
  }
}
