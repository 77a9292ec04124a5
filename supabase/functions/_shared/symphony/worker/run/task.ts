/** A message that is being handled: it can be stopped, and it has a deadline. */

import type { Envelope } from "../../message/envelope.ts";
import { HandlerTimeoutError, WorkerStoppedError } from "../../message/errors.ts";

/** One attempt at one message, as long as it lasts. */
export class Task {
  /** When it is too late, on the clock of performance.now(). */
  deadline = Infinity;
  /** Called once, when it is stopped. */
  onStop: ((reason: unknown) => void) | undefined;
  /** What the handlers do, once they have begun; it settles when they have ended. */
  handling: Promise<void> | undefined;
  /** The outcome is known: what the handlers call from now on has no effect. */
  isFinished = false;
  #stopped: { readonly reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  // Made when it is asked for: few handlers look at their signal.
  #controller: AbortController | undefined;
  #isLetGo = false;
  #endPause: (() => void) | undefined;

  constructor(readonly envelope: Envelope) {}

  /** Aborted when the task is stopped. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Whether its handlers have nothing more to say. */
  get isOver(): boolean {
    return this.isFinished || this.isStopped;
  }

  /** Why it was stopped; undefined where it was not. */
  get stopReason(): unknown {
    return this.#stopped?.reason;
  }

  /**
   * Ends it: the handler is told by the signal. A worker that has to end no longer waits for a handler
   * that was stopped before, either.
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

  /** Ends with the work or when it is stopped, whatever comes first; stopped before, it does not start. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#stopped) return reject(this.#stopped.reason);
      this.#reject = reject;
      work().then(resolve, reject);
    });
  }

  /**
   * Waits until a handler that was stopped has ended.
   * @param until the latest moment, on the clock of performance.now()
   * @returns what came first: its end, that moment, or the worker's end
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

/** A timer cannot be set for longer, in ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Stops tasks that take longer than their timeout. One timer serves them all. */
export class Deadlines {
  readonly #timeouts = new Map<Task, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  /** Gives a task `timeoutMs` from its start on. */
  set(task: Task, startedAt: number, timeoutMs: number): void {
    task.deadline = startedAt + timeoutMs;
    this.#timeouts.set(task, timeoutMs);
    // One that is done leaves the timer as it is: it fires in vain, which is cheaper than to set it anew.
    if (task.deadline < this.#firesAt) this.#fireAt(task.deadline);
  }

  /** Forgets a task that is done. */
  clear(task: Task): void {
    this.#timeouts.delete(task);
  }

  /** Ends the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #fireAt(time: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = time;
    if (time === Infinity) return;
    const inMs = Math.min(time - performance.now(), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#fire(), inMs);
  }

  #fire(): void {
    const now = performance.now();
    let next = Infinity;
    for (const [task, timeoutMs] of this.#timeouts) {
      if (task.deadline > now) next = Math.min(next, task.deadline);
      else {
        this.#timeouts.delete(task);
        task.stop(new HandlerTimeoutError(timeoutMs));
      }
    }
    this.#fireAt(next);
  }
}
