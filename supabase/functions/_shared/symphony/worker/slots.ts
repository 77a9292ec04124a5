/** The slots of a worker: a bounded number of handlers that run at once. */

import type { Batch } from "../batch.ts";
import type { Envelope } from "../envelope.ts";
import type { MessageDefinition } from "../message.ts";
import { released, type Settlement } from "../outcome.ts";
import { attempt, type AttemptDependencies } from "./attempt.ts";
import { attemptBatch } from "./batch.ts";
import type { Gate } from "./gate.ts";
import type { Pace } from "./pace.ts";
import { Deadlines, Task } from "./task.ts";

/** What slots are made of. */
export interface SlotsOptions extends Omit<AttemptDependencies, "deadlines"> {
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
  readonly #tasks = new Map<string, Task>();

  constructor(options: SlotsOptions) {
    this.#options = options;
    this.#deps = { ...options, deadlines: this.#deadlines };
  }

  get free(): number {
    return this.#options.concurrency - this.busy;
  }

  /** Messages in the slots. */
  get size(): number {
    return this.#tasks.size;
  }

  *envelopes(): Generator<Envelope> {
    for (const { envelope } of this.#tasks.values()) yield envelope;
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
    for (const task of tasks) this.#tasks.set(task.envelope.id, task);
    this.busy++;
    this.filledAt = now;
    pace.started(this.capacity(first.type));
    const work = () => this.#run(tasks, first.type);
    const end = () => {
      this.busy--;
      if (first.alone) this.runsAlone = false;
      onFree();
    };
    if (first.alone) {
      this.runsAlone = true;
      gate.exclusive(work).then(end);
    } else gate.shared(work).then(end);
  }

  /** Stops messages, whatever their handlers do. */
  stop(ids: readonly string[], reason: unknown): void {
    for (const id of ids) this.#tasks.get(id)?.stop(reason);
  }

  /** Stops all. */
  stopAll(reason: unknown): void {
    for (const task of this.#tasks.values()) task.stop(reason);
  }

  /** Ends the timer of the handlers' timeouts. */
  close(): void {
    this.#deadlines.close();
  }

  async #run(tasks: readonly Task[], type: string): Promise<void> {
    const startedAt = performance.now();
    const done = (task: Task, outcome: Settlement["outcome"]) => {
      this.#tasks.delete(task.envelope.id);
      this.#options.onOutcome(task.envelope, outcome);
    };
    // While they waited at the gate.
    if (tasks.some(({ isStopped }) => isStopped)) {
      for (const task of tasks) done(task, released);
      return;
    }
    const definition = this.#options.bus.registry.get(type);
    if (isBatched(definition)) await attemptBatch(tasks, definition, startedAt, this.#deps, done);
    else for (const task of tasks) done(task, await attempt(task, startedAt, this.#deps));
    this.#options.pace.done(performance.now() - startedAt, tasks.length);
  }
}

function isBatched(
  definition: MessageDefinition | undefined,
): definition is MessageDefinition & { readonly batch: Batch } {
  return definition !== undefined && definition.batch !== null;
}
