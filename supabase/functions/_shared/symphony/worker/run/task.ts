/** A message in a slot: it can be stopped, and it has a deadline. */

import type { Effects } from "../../message/effects.ts";
import type { Envelope } from "../../message/envelope.ts";
import { WorkerStoppedError } from "../../message/errors.ts";

/** One attempt at one message, as long as it lasts. */
export class Task {
  /** When its timeout ends, on the clock of performance.now(). */
  deadline = Infinity;
  /** Length of the timeout, in ms. */
  timeoutMs = Infinity;
  /** Called once, when the task is stopped. */
  onStop: ((reason: unknown) => void) | undefined;
  /** Set when the handlers begin; settles when they have ended. */
  handling: Promise<void> | undefined;
  /** Written with the outcome; undefined if there is nothing. */
  effects: Effects | undefined;
  /** The outcome is known: calls that the handlers make from now on have no effect. */
  isFinished = false;
  #stopped: { readonly reason: unknown } | undefined;
  #left: { readonly reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  // Made on first use: few handlers read their signal.
  #controller: AbortController | undefined;
  #isLetGo = false;
  #endPause: (() => void) | undefined;

  constructor(readonly envelope: Envelope) {}

  /** Aborted when the task is stopped, or left by its run. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      const ended = this.#stopped ?? this.#left;
      if (ended) this.#controller.abort(ended.reason);
    }
    return this.#controller.signal;
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Whether calls that the handlers make have no effect any more. */
  get isOver(): boolean {
    return this.isFinished || this.isStopped;
  }

  /** Why the task was stopped; undefined if it was not. */
  get stopReason(): unknown {
    return this.#stopped?.reason;
  }

  /**
   * Stops the task, and aborts the handler's signal. If the worker has to end, the task also stops waiting
   * for a handler that was stopped before.
   */
  stop(reason: unknown): void {
    if (reason instanceof WorkerStoppedError) {
      this.#isLetGo = true;
      this.#endPause?.();
    }
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#controller?.abort(reason);
    this.#reject?.(reason);
    this.onStop?.(reason);
  }

  /** The run has ended, and its handler has not: what works beside the durable call that ended it has to stop. */
  leave(reason: unknown): void {
    this.#left = { reason };
    this.#controller?.abort(reason);
  }

  /**
   * Settles with the work, or rejects when the task is stopped, whichever comes first. The work of a task
   * that is already stopped does not start.
   */
  race<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#stopped) return reject(this.#stopped.reason);
      this.#reject = reject;
      work().then(resolve, reject);
    });
  }

  /**
   * Waits until a handler that was stopped has ended.
   * @param ended settles when the handler has ended
   * @param until end of the wait, on the clock of performance.now()
   * @returns which came first: the handler's end, that moment ("late"), or the worker's end ("let go")
   */
  pause(ended: Promise<unknown>, until: number): Promise<"ended" | "late" | "let go"> {
    if (this.#isLetGo) return Promise.resolve("let go");
    const { promise, resolve } = Promise.withResolvers<"ended" | "late" | "let go">();
    const waitMs = Math.min(Math.max(0, until - performance.now()), LONGEST_TIMER_MS);
    const timer = setTimeout(() => resolve("late"), waitMs);
    const end = () => resolve("ended");
    ended.then(end, end);
    this.#endPause = () => resolve("let go");
    return promise.finally(() => clearTimeout(timer));
  }
}

/** Longest time, in ms, that a timer can be set for. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
