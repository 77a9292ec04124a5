/** The timeouts of running tasks. One timer serves them all: a timer for each message would cost too much. */

import { HandlerTimeoutError } from "../../message/errors.ts";
import { LONGEST_TIMER_MS, type Task } from "./task.ts";

/** Stops tasks whose timeout has ended. */
export class Deadlines {
  readonly #timeouts = new Map<Task, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  /** The task is stopped `timeoutMs` after `startedAt`. */
  set(task: Task, startedAt: number, timeoutMs: number): void {
    task.deadline = startedAt + timeoutMs;
    this.#timeouts.set(task, timeoutMs);
    // A task that is done leaves the timer as it is: to let it fire for nothing is cheaper than to set it again.
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
