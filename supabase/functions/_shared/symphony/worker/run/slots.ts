/** The slots of a worker: they bound how many handlers run at once, and can stop them. */

import { describeError } from "../../message/describe-error.ts";
import type { Effects } from "../../message/effects.ts";
import type { Envelope } from "../../message/envelope.ts";
import { LeaseLostError } from "../../message/errors.ts";
import { released, type Settlement } from "../../message/outcome.ts";
import { isInstance } from "../../runtime/inspect.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Change } from "../change.ts";
import type { PrefetchSize } from "../claim/prefetch-size.ts";
import { EventReader } from "../durable/event-reader.ts";
import { StepStore } from "../durable/step-store.ts";
import type { RunTools } from "./attempt.ts";
import { type BatchDefinition, Gathering, isBatched } from "./batch.ts";
import { Deadlines } from "./deadlines.ts";
import { formerRunsOf, stoppedHandlersEnd } from "./former-runs.ts";
import type { ProcessLock } from "./process-lock.ts";
import { run } from "./run.ts";
import type { SlotShare } from "./slot-pool.ts";
import type { SeriesCounter } from "../series/series-counter.ts";
import { Task } from "./task.ts";

type AnyOutcome = Settlement["outcome"];

/** The parts of slots. */
export interface SlotsOptions
  extends Omit<RunTools, "deadlines" | "formerRuns" | "steps" | "eventReader"> {
  readonly transport: Transport;
  /** Handlers that run at once. */
  readonly concurrency: number;
  readonly lock: ProcessLock;
  /** Measures how long slots are busy. */
  readonly prefetchSize: PrefetchSize;
  /** Takes the outcomes. */
  readonly outcomes: {
    add(envelope: Envelope, outcome: AnyOutcome, effects?: Effects): void;
  };
  readonly changed: Change;
  /** The part in slots that workers of several transports share; by default the slots are this worker's. */
  readonly share?: SlotShare | undefined;
  /** Counts for the time series; by default nothing is counted. */
  readonly series?: SeriesCounter | undefined;
}

/** Runs messages, each slot one message or one batch. */
export class Slots {
  /** Slots that are not free. */
  busy = 0;
  /** When a slot was filled last, on the clock of performance.now(). */
  filledAt = -Infinity;
  /** Whether a quarantined message runs, or waits for the process lock. */
  runsQuarantined = false;
  readonly #options: SlotsOptions;
  readonly #tools: RunTools;
  /** Messages without an outcome: their leases are kept. */
  readonly #tasks = new Set<Task>();
  /** Messages with an outcome whose stopped handlers may still work. */
  readonly #ending = new Set<Task>();

  constructor(options: SlotsOptions) {
    this.#options = options;
    // The other workers may have taken all of the shared slots, which is no stall yet.
    if (options.share) this.filledAt = performance.now();
    const formerRuns = formerRunsOf(options.bus);
    const steps = new StepStore(options);
    const eventReader = new EventReader(options);
    const deadlines = new Deadlines(this.#tasks);
    this.#tools = { ...options, deadlines, formerRuns, steps, eventReader };
  }

  get free(): number {
    return this.#options.share?.free ?? this.#options.concurrency - this.busy;
  }

  /** Messages in the slots whose leases are kept. */
  get size(): number {
    return this.#tasks.size;
  }

  /** The messages in the slots whose leases are kept. */
  *envelopes(): Generator<Envelope> {
    for (const { envelope } of this.#tasks) yield envelope;
  }

  /** How many messages of a type one slot takes. */
  readonly capacity = (type: string): number =>
    this.#options.bus.registry.get(type)?.batch?.size ?? 1;

  /** Starts messages of one type in one slot. @param now on the clock of performance.now() */
  start(envelopes: readonly Envelope[], now: number): void {
    const [first] = envelopes;
    if (!first) return;
    const tasks = envelopes.map((envelope) => new Task(envelope));
    for (const task of tasks) this.#tasks.add(task);
    this.busy++;
    this.#options.share?.take();
    this.filledAt = now;
    this.#options.prefetchSize.started(this.capacity(first.type));
    this.#occupy(tasks, first);
  }

  /** Stops messages, whatever their handlers do. */
  stop(ids: readonly string[], reason: unknown): void {
    const meant = new Set(ids);
    for (const task of this.#tasks) if (meant.has(task.envelope.id)) task.stop(reason);
  }

  /** Stops all messages. */
  stopAll(reason: unknown): void {
    for (const task of this.#tasks) task.stop(reason);
    for (const task of this.#ending) task.stop(reason);
  }

  /** Tells those that share the slots whether messages wait for one. */
  want(waiting: boolean): void {
    this.#options.share?.want(waiting);
  }

  /** Ends the timer of the timeouts, and leaves shared slots to the others. */
  close(): void {
    this.#tools.deadlines.close();
    this.#options.share?.leave();
  }

  /** Keeps a slot busy from its turn at the process lock until its messages have ended. Never throws. */
  async #occupy(tasks: readonly Task[], { type, quarantined }: Envelope): Promise<void> {
    const { lock, changed } = this.#options;
    const work = () => this.#runAll(tasks, type);
    // A message that is stopped while it waits for its turn is given back, unless the turn comes just now.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const withdraw = () => void (timer ??= setTimeout(() => lock.withdraw(work), 0));
    for (const task of tasks) task.onStop = withdraw;
    if (quarantined) this.runsQuarantined = true;
    try {
      await (quarantined ? lock.exclusive(work) : lock.shared(work));
    } catch {
      // Messages without an outcome are delivered again when their leases run out.
      for (const task of tasks) this.#tasks.delete(task);
    }
    if (timer !== undefined) clearTimeout(timer);
    for (const task of tasks) {
      if (this.#tasks.has(task)) this.#conclude(task, released);
      this.#ending.delete(task);
    }
    this.busy--;
    this.#options.share?.give();
    if (quarantined) this.runsQuarantined = false;
    changed.notify();
  }

  /** Runs the messages of one slot to their outcomes. Never throws. */
  async #runAll(tasks: readonly Task[], type: string): Promise<void> {
    // The process lock does not count handlers that an ended worker has let go.
    for (const task of tasks) {
      if (task.envelope.quarantined) await this.#tools.formerRuns.allEnded(task);
    }
    if (this.#tools.yieldToLoop) await this.#tools.yieldToLoop();
    const startedAt = performance.now();
    let endedAt: number | undefined;
    // Stopped after its turn came: given back.
    if (tasks.some(({ isStopped }) => isStopped)) return;
    try {
      const definition = this.#options.bus.registry.get(type);
      if (isBatched(definition)) await this.#runBatch(tasks, definition, startedAt);
      else {
        for (const task of tasks) {
          const outcome = await run(task, startedAt, this.#tools);
          endedAt = performance.now();
          this.#options.series?.ran(task.envelope, outcome, startedAt, endedAt);
          const ending = this.#end(task, outcome);
          if (ending) {
            await ending;
            endedAt = performance.now();
          }
        }
      }
    } catch (error) {
      this.#brokeOff(tasks, error);
    }
    // Reading the clock costs a message more than its counting does.
    this.#options.prefetchSize.done((endedAt ?? performance.now()) - startedAt, tasks.length);
  }

  async #runBatch(
    tasks: readonly Task[],
    definition: BatchDefinition,
    startedAt: number,
  ): Promise<void> {
    const gathering = new Gathering(tasks, definition, this.#tools);
    const runs = tasks.map(async (task) => {
      const outcome = await run(task, startedAt, this.#tools, gathering.call);
      gathering.leave(task);
      this.#options.series?.ran(task.envelope, outcome, startedAt, performance.now());
      await this.#end(task, outcome);
    });
    gathering.limit();
    await Promise.all(runs);
    gathering.close();
  }

  /**
   * Hands over an outcome. If a stop found handlers at work, their message keeps its lease until they have
   * ended or their grace is over, and with the lease its place in its group and in its queue's limits: the
   * next attempt does not run beside them. A message whose lease is lost has nothing to keep.
   * @returns when the slot is free; undefined if it is free at once, as it usually is
   */
  #end(task: Task, outcome: AnyOutcome): Promise<void> | undefined {
    const { isStopped, handling, stopReason } = task;
    if (!isStopped || !handling) return this.#conclude(task, outcome);
    const ended = stoppedHandlersEnd(task, handling, this.#tools);
    if (!isInstance(stopReason, LeaseLostError)) {
      return ended.then(() => this.#conclude(task, outcome));
    }
    this.#conclude(task, outcome);
    return ended;
  }

  #conclude(task: Task, outcome: AnyOutcome): undefined {
    const { outcomes, changed } = this.#options;
    this.#tasks.delete(task);
    if (task.isStopped) this.#ending.add(task);
    outcomes.add(task.envelope, outcome, task.effects);
    changed.notify();
  }

  /** An error that no handler should be able to cause still fails only the attempts of this slot. */
  #brokeOff(tasks: readonly Task[], error: unknown): void {
    const { retry, log } = this.#options;
    const { message } = describeError(error);
    for (const task of tasks) {
      if (!this.#tasks.has(task)) continue;
      const { id, type } = task.envelope;
      log.error("attempt_broke_off", { id, type, error: message });
      const failure = new Error(`the attempt broke off: ${message}`);
      const outcome = retry.decide(task.envelope, failure, { durationMs: 0, byHandler: true });
      this.#conclude(task, outcome);
    }
  }
}
