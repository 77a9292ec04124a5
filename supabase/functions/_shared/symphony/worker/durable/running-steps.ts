/** The steps that run at this moment. One that runs for long is told, so that those who follow its message see it. */

import type { ToldStep } from "../../transport/receiver.ts";
import type { Task } from "../run/task.ts";

/** Interval between two looks, and shortest time that a step has run when it is told. Most steps never cost a report. */
const TOLD_AFTER_MS = 1_000;

interface Running {
  readonly step: Omit<ToldStep, "ranMs">;
  readonly beganAt: number;
  isTold: boolean;
}

/** Tells of the first of a message's running steps. */
export class RunningSteps {
  /** The steps of each task, in the order in which they began. */
  readonly #steps = new Map<Task, Set<Running>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param tell is called once for a step that has run for a second, when no step of its message began before it */
  constructor(private readonly tell: (task: Task, step: ToldStep) => void) {}

  /** Runs the function of a step. @throws what the function throws */
  async during<Result>(
    task: Task,
    step: Omit<ToldStep, "ranMs">,
    fn: () => Promise<Result> | Result,
  ): Promise<Result> {
    const running = { step, beganAt: performance.now(), isTold: false };
    const own = this.#steps.get(task) ?? new Set();
    this.#steps.set(task, own.add(running));
    this.#timer ??= setTimeout(() => this.#look(), TOLD_AFTER_MS);
    try {
      return await fn();
    } finally {
      own.delete(running);
      if (own.size === 0) this.#forget(task);
    }
  }

  #look(): void {
    const now = performance.now();
    this.#timer = setTimeout(() => this.#look(), TOLD_AFTER_MS);
    for (const [task, [first]] of this.#steps) {
      // A function that ignores its signal may never end.
      if (task.isOver) this.#forget(task);
      else if (first && !first.isTold && now - first.beganAt >= TOLD_AFTER_MS) {
        first.isTold = true;
        this.tell(task, { ...first.step, ranMs: Math.round(now - first.beganAt) });
      }
    }
  }

  #forget(task: Task): void {
    this.#steps.delete(task);
    if (this.#steps.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
