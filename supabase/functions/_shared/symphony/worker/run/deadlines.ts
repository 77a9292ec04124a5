/** The timeouts of running tasks. One timer serves them all: a timer for each message would cost too much. */

import { HandlerTimeoutError } from "../../message/errors.ts";
import { LONGEST_TIMER_MS, type Task } from "./task.ts";

/** Stops tasks whose timeout has ended. */
export class Deadlines {
  readonly #tasks: Iterable<Task>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  /** @param tasks those that run. A list of its own would cost each message more than its timeout does otherwise */
  constructor(tasks: Iterable<Task>) {
    this.#tasks = tasks;
  }

  /** The task is stopped `timeoutMs` after `startedAt`. */
  set(task: Task, startedAt: number, timeoutMs: number): void {
    task.deadline = startedAt + timeoutMs;
    task.timeoutMs = timeoutMs;
    // A task that is done leaves the timer as it is: to let it fire for nothing is cheaper than to set it again.
    if (task.deadline < this.#firesAt) this.#fireAt(task.deadline);
  }

  /** Forgets a task that is done. */
  clear(task: Task): void {
    task.deadline = Infinity;
  }

  /** Ends the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #fireAt(time: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = time;
    if (time === Infinity) return;
    const inMs = Math.min(Math.max(0, time - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#fire(), inMs);
  }

  #fire(): void {
    const now = performance.now();
    let next = Infinity;
    for (const task of this.#tasks) {
      if (task.deadline > now) next = Math.min(next, task.deadline);
      else {
        task.deadline = Infinity;
        task.stop(new HandlerTimeoutError(task.timeoutMs));
      }
    }
    this.#fireAt(next);
  }
}
