/** The slots of a worker: a bounded number of handlers that run at once. */

import type { Batch } from "../../message/batch-handler.ts";
import { describeError } from "../../message/describe-error.ts";
import type { Envelope } from "../../message/envelope.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import { released, type Settlement } from "../../message/outcome.ts";
import { attempt, type AttemptDependencies, conclude } from "./attempt.ts";
import { attemptBatch } from "./batch.ts";
import { formerRunsOf } from "./former-runs.ts";
import type { Gate } from "./gate.ts";
import type { Pace } from "../claim/pace.ts";
import { Deadlines, Task } from "./task.ts";

/** What slots are made of. */
export interface SlotsOptions extends Omit<AttemptDependencies, "deadlines" | "formerRuns"> {
  /** Handlers running at once. */
  readonly concurrency: number;
  readonly gate: Gate;
  readonly pace: Pace;
  /** Told what became of a message. */
  readonly onOutcome: (envelope: Envelope, outcome: Settlement["outcome"]) => void;
  /** Told when a slot has become free. */
  readonly onFree: () => void;
}

/** Runs messages, and stops them. */
export class Slots {
  /** Slots that are not free. */
  busy = 0;
  /** When a slot was filled last, on the clock of performance.now(). */
  filledAt = -Infinity;
  /** Whether a message that needs the process alone runs or waits for it. */
  runsAlone = false;
  readonly #options: SlotsOptions;
  readonly #deps: AttemptDependencies;
  readonly #deadlines = new Deadlines();
  /** Those whose outcome is not told yet: their leases are kept. */
  readonly #tasks = new Set<Task>();
  /** Those whose outcome is told, while their stopped handlers may still work. */
  readonly #ending = new Set<Task>();

  constructor(options: SlotsOptions) {
    this.#options = options;
    const formerRuns = formerRunsOf(options.bus);
    this.#deps = { ...options, deadlines: this.#deadlines, formerRuns };
  }

  get free(): number {
    return this.#options.concurrency - this.busy;
  }

  /** Messages in the slots whose leases are kept. */
  get size(): number {
    return this.#tasks.size;
  }

  *envelopes(): Generator<Envelope> {
    for (const { envelope } of this.#tasks) yield envelope;
  }

  /** How many messages of a type go into one slot. */
  readonly capacity = (type: string): number =>
    this.#options.bus.registry.get(type)?.batch?.size ?? 1;

  /** Starts messages of one type in one slot. @param now on the clock of performance.now() */
  start(envelopes: readonly Envelope[], now: number): void {
    const [first] = envelopes;
    if (!first) return;
    const { gate, pace, onFree } = this.#options;
    const tasks = envelopes.map((envelope) => new Task(envelope));
    for (const task of tasks) this.#tasks.add(task);
    this.busy++;
    this.filledAt = now;
    pace.started(this.capacity(first.type));
    const work = () => this.#run(tasks, first.type);
    const end = () => {
      if (timer !== undefined) clearTimeout(timer);
      for (const task of tasks) this.#ending.delete(task);
      this.busy--;
      if (first.quarantined) this.runsAlone = false;
      onFree();
    };
    const giveBack = () => {
      if (!gate.withdraw(work)) return;
      for (const task of tasks) this.#done(task, released);
      end();
    };
    // Stopped in the line of the gate, they are given back before their turn, unless it comes just now.
    let timer: ReturnType<typeof setTimeout> | undefined;
    for (const task of tasks) task.onStop = () => timer ??= setTimeout(giveBack, 0);
    if (first.quarantined) this.runsAlone = true;
    (first.quarantined ? gate.exclusive(work) : gate.shared(work)).then(end, () => {
      for (const task of tasks) this.#tasks.delete(task);
      end();
    });
  }

  /** Stops messages, whatever their handlers do. */
  stop(ids: readonly string[], reason: unknown): void {
    const meant = new Set(ids);
    for (const task of this.#tasks) if (meant.has(task.envelope.id)) task.stop(reason);
  }

  /** Stops all. */
  stopAll(reason: unknown): void {
    for (const task of this.#tasks) task.stop(reason);
    for (const task of this.#ending) task.stop(reason);
  }

  /** Ends the timer of the handlers' timeouts. */
  close(): void {
    this.#deadlines.close();
  }

  async #run(tasks: readonly Task[], type: string): Promise<void> {
    // The gate no longer counts those that an ended worker let go.
    for (const task of tasks) if (task.envelope.quarantined) await this.#untilAlone(task);
    const startedAt = performance.now();
    const done = (task: Task, outcome: Settlement["outcome"]) => this.#done(task, outcome);
    // Between the gate's opening and this moment.
    if (tasks.some(({ isStopped }) => isStopped)) {
      for (const task of tasks) done(task, released);
      return;
    }
    try {
      const definition = this.#options.bus.registry.get(type);
      if (isBatched(definition)) await attemptBatch(tasks, definition, startedAt, this.#deps, done);
      else {
        for (const task of tasks) {
          const outcome = await attempt(task, startedAt, this.#deps);
          const ending = conclude(task, outcome, this.#deps, done);
          if (ending) await ending;
        }
      }
    } catch (error) {
      this.#brokeOff(tasks, error);
    }
    this.#options.pace.done(performance.now() - startedAt, tasks.length);
  }

  async #untilAlone(task: Task): Promise<void> {
    for (const { ended, until } of this.#deps.formerRuns.all()) {
      if (task.isStopped) return;
      await task.pause(ended, until);
    }
  }

  #done(task: Task, outcome: Settlement["outcome"]): void {
    this.#tasks.delete(task);
    if (task.isStopped) this.#ending.add(task);
    this.#options.onOutcome(task.envelope, outcome);
  }

  /** What no handler should be able to bring about: it is the attempt's failure, whatever it was. */
  #brokeOff(tasks: readonly Task[], error: unknown): void {
    const { retry, log } = this.#options;
    const { message } = describeError(error);
    for (const task of tasks) {
      if (!this.#tasks.has(task)) continue;
      const { id, type } = task.envelope;
      log.error("attempt_broke_off", { id, type, error: message });
      const failure = new Error(`the attempt broke off: ${message}`);
      this.#done(task, retry.decide(task.envelope, failure, { durationMs: 0, byHandler: true }));
    }
  }
}

function isBatched(
  definition: MessageDefinition | undefined,
): definition is MessageDefinition & { readonly batch: Batch } {
  return definition !== undefined && definition.batch !== null;
}
