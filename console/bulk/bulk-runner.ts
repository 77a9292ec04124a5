/** Takes a change of many messages to its end, request after request, until it is stopped. */

import {
  afterAnswer,
  beginning,
  boundedBy,
  type BulkAction,
  type BulkAnswer,
  type BulkCount,
  type BulkProgress,
  isAtWork,
  nextBody,
  pathOf,
} from "./bulk-action.ts";
import { type Storage, storeBulk, storedBulk } from "./bulk-store.ts";

/** The parts of the page that the runner needs. */
export interface BulkParts {
  /** Makes a request. @throws an error with a message for the operator */
  readonly send: (path: string, body: object, signal?: AbortSignal) => Promise<BulkAnswer>;
  /** The database's time, ISO. @throws an error with a message for the operator */
  readonly now: (signal: AbortSignal) => Promise<string>;
  /** Whether the same request may succeed later, such as after a 503 or without a network. */
  readonly isPassing: (error: unknown) => boolean;
  /** Waits between two tries. */
  readonly pause: (ms: number) => Promise<void>;
  readonly storage: Storage;
}

const TRIES = 5;
const PAUSE_MS = 1_000;
/** Times of the requests of a count, in ms: the first takes one step, so that a number is there at once. */
const COUNT_BUDGETS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000];

/**
 * Bounds a change by the database's time, and counts the messages that it would meet; changes nothing.
 * @param onCount is told each time that more are known, with the action that was counted
 * @param signal ends the count
 */
export async function countFromNow(
  { send, now }: Pick<BulkParts, "send" | "now">,
  action: BulkAction,
  onCount: (count: BulkCount, bounded: BulkAction) => void,
  signal: AbortSignal,
): Promise<void> {
  const bounded = action.ids ? action : boundedBy(action, await now(signal));
  await countBulk({ send }, bounded, (count) => onCount(count, bounded), signal);
}

/**
 * Counts the messages that a change would meet, and changes nothing.
 * @param onCount is told each time that more are known
 * @param signal ends the count
 */
export async function countBulk(
  { send }: Pick<BulkParts, "send">,
  action: BulkAction,
  onCount: (count: BulkCount) => void,
  signal: AbortSignal,
): Promise<void> {
  if (action.ids) return onCount({ count: action.ids.length, capped: false });
  let count = 0;
  let cursor: string | null = null;
  for (const budgetMs of COUNT_BUDGETS_MS) {
    if (signal.aborted) return;
    const place = cursor !== null && { cursor };
    const body: object = { ...action.body, dryRun: true, budgetMs, ...place };
    const answer: BulkAnswer = await send(pathOf(action), body, signal);
    count += answer.matched;
    cursor = answer.next;
    onCount({ count, capped: cursor !== null });
    if (cursor === null) return;
  }
}

/** Runs one change at a time. */
export class BulkRunner {
  readonly #parts: BulkParts;
  readonly #listeners = new Set<() => void>();
  #progress: BulkProgress | null = null;
  /** null: not known yet. */
  #operator: string | null = null;
  /** Ends the requests of the present operator. */
  #session = new AbortController();

  constructor(parts: BulkParts) {
    this.#parts = parts;
  }

  /**
   * Tells who operates. A change of theirs that an earlier page of this tab has begun is offered again, and does not
   * continue by itself; one of another operator is forgotten.
   */
  enter(operator: string): void {
    if (this.#operator === operator) return;
    if (this.#operator !== null) this.leave();
    this.#operator = operator;
    const stored = storedBulk(this.#parts.storage);
    this.#set(stored?.operator === operator ? stored : null);
  }

  /** The present change; null if there is none. */
  get progress(): BulkProgress | null {
    return this.#progress;
  }

  /** Calls back after each change of the progress, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins a change. @throws Error if another one has not ended: it could not be continued any more */
  async start(action: BulkAction, total: BulkCount): Promise<void> {
    if (this.#progress && this.#progress.state !== "ended") {
      throw new Error("bulk: another change has not ended; continue it, or dismiss it");
    }
    await this.#work(beginning(action, total, this.#operator ?? ""));
  }

  /** Continues a change that was interrupted or stopped, or that failed. */
  async resume(): Promise<void> {
    const progress = this.#progress;
    if (progress === null || isAtWork(progress) || progress.state === "ended") return;
    await this.#work({ ...progress, state: "working", problem: null });
  }

  /** Stops after the request that is under way. */
  stop(): void {
    if (this.#progress?.state === "working") this.#set({ ...this.#progress, state: "stopping" });
  }

  /** Forgets a change that is not at work. */
  dismiss(): void {
    if (this.#progress && !isAtWork(this.#progress)) this.#set(null);
  }

  /** Forgets the change, and makes no further request: another operator must not continue it unasked. */
  leave(): void {
    this.#session.abort();
    this.#session = new AbortController();
    this.#operator = null;
    this.#set(null);
  }

  async #work(progress: BulkProgress): Promise<void> {
    const { signal } = this.#session;
    this.#set(progress);
    try {
      for (let at: BulkProgress = progress; isAtWork(at);) {
        const answer = await this.#patiently(at, signal);
        if (signal.aborted) return;
        at = await this.#recount(afterAnswer(this.#progress ?? at, answer), signal);
        if (signal.aborted) return;
        this.#set(at);
      }
    } catch (error) {
      if (signal.aborted || !this.#progress) return;
      const problem = error instanceof Error ? error.message : String(error);
      const state = this.#progress.state === "stopping" ? "stopped" : "failed";
      this.#set({ ...this.#progress, state, problem });
    }
  }

  /** Where an answer was lost, its step was done but not counted: the end counts what no longer matches. */
  async #recount(progress: BulkProgress, signal: AbortSignal): Promise<BulkProgress> {
    const { action, total, isShort, state } = progress;
    if (state !== "ended" || !isShort || action.ids !== null || total.capped) return progress;
    try {
      const { send } = this.#parts;
      const rest = await send(pathOf(action), { ...action.body, dryRun: true }, signal);
      if (rest.next !== null) return progress;
      const done = Math.max(progress.done, total.count - progress.running - rest.matched);
      return { ...progress, done, isShort: false };
    } catch {
      // The change is done; its count stays a lower bound.
      return progress;
    }
  }

  /** A repetition does no harm: a finished step stays done, and the same cursor continues behind it. */
  async #patiently(progress: BulkProgress, signal: AbortSignal): Promise<BulkAnswer> {
    const { send, isPassing, pause } = this.#parts;
    for (let tried = 1;; tried++) {
      try {
        return await send(pathOf(progress.action), nextBody(progress), signal);
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        // The answer may have been lost after the step was done.
        if (this.#progress) this.#set({ ...this.#progress, isShort: true });
        if (tried === TRIES || this.#isStopping) throw error;
        await pause(PAUSE_MS * tried);
        // The operator may have stopped it, or left, in the pause.
        if (signal.aborted || this.#isStopping) throw error;
      }
    }
  }

  get #isStopping(): boolean {
    return this.#progress?.state === "stopping";
  }

  #set(progress: BulkProgress | null): void {
    this.#progress = progress;
    storeBulk(this.#parts.storage, progress);
    for (const listener of this.#listeners) listener();
  }
}
