/**
 * The durable side of one run of a message, made at its first durable call. {@link DurableRun.run} is the seam on
 * which every durable call is built: it finds a stored result, or computes and stores one.
 */

import { describeError } from "../../message/describe-error.ts";
import type { Envelope } from "../../message/envelope.ts";
import { DurableUsageError, StepError, UnrecoverableError } from "../../message/errors.ts";
import type { StepKind } from "../../message/step-kind.ts";
import type { StepIdentity, StepToStore, StoredStep } from "../../message/stored-step.ts";
import { isInstance } from "../../runtime/inspect.ts";
import { MAX_DEPTH } from "../../runtime/json.ts";
import { isOfItsContent, isTooMuch, refusedForMs } from "../calls.ts";
import {
  type DurableAttempt,
  type DurableCall,
  type DurableTools,
  labelOf,
  type RunningStep,
} from "./durable-call.ts";
import { Ending } from "./ending.ts";
import { KnownSteps } from "./known-steps.ts";
import { idempotencyKey, Numbering } from "./numbering.ts";
import { type ResultBounds, type StepResult, toResult } from "./result.ts";
import { failureOf, replay, tellNotAwaited } from "./step-failure.ts";
import { checkCaller, StepScope } from "./step-scope.ts";

/** Kinds that do work of their own, and begin only while messages may. */
const WORKING: ReadonlySet<StepKind> = new Set<StepKind>(["step", "effect", "all"]);

/** Kinds that park the message: one of them at a time. */
const PAUSING: ReadonlySet<StepKind> = new Set<StepKind>(["sleep", "wait", "all"]);

/** Bounds of results that hold those of others, which may be as deep as any, and of many. */
const BOUNDS: Partial<Record<StepKind, ResultBounds>> = {
  wait: { levels: MAX_DEPTH + 1 },
  all: { levels: MAX_DEPTH + 1, maxBytes: 1_048_576 },
};

/** The durable side of a run. */
export class DurableRun {
  /** The end of this run of the handler that runs at this moment. */
  ending: Ending;
  readonly #attempt: DurableAttempt;
  readonly #tools: DurableTools;
  readonly #version: number | string | null;
  readonly #timeoutMs: number;
  readonly #numbering = new Numbering();
  readonly #known = new KnownSteps();
  #loading: Promise<string> | undefined;
  /** The first step that was not stored has begun; further ones have to fit into the run. */
  #hasBegun = false;
  #hasStored = false;

  /** @param definition version and timeout of the message's definition */
  constructor(
    attempt: DurableAttempt,
    tools: DurableTools,
    definition: { readonly version: number | string | null; readonly timeoutMs: number },
  ) {
    this.#attempt = attempt;
    this.ending = this.#newEnding();
    this.#tools = tools;
    const { stamps } = attempt.task.envelope;
    this.#version = stamps.durable ? stamps.durable.version : definition.version;
    this.#timeoutMs = definition.timeoutMs;
    // A stopped handler may wait for a call that does not settle any more.
    attempt.task.signal.addEventListener("abort", () => void (this.ending.isClosed = true), {
      once: true,
    });
  }

  /** The steps of the message, once its first durable call has begun. */
  get steps(): readonly StoredStep[] {
    return this.#known.all;
  }

  /** Another handler of the message begins. */
  nextHandler(): void {
    this.ending = this.#newEnding();
  }

  #newEnding(): Ending {
    return new Ending(() => this.#attempt.onDurableEnd?.());
  }

  /** The message as its row is now: stored steps have changed it since it was claimed. */
  get envelope(): Envelope {
    const { envelope } = this.#attempt.task;
    if (!this.#hasStored) return envelope;
    return {
      ...envelope,
      ...{ retryCount: 0, interruptions: 0, quarantined: false },
      stamps: this.stamps,
    };
  }

  /** The message's stamps with the durable mark. */
  get stamps() {
    return { durable: { version: this.#version }, ...this.#attempt.task.envelope.stamps };
  }

  /**
   * Makes a durable call: returns the stored result, or throws the stored failure, or calls `fn` and stores what
   * comes of it. A failure that is retried ends the run, and the promise does not settle.
   * @throws StepError if it has failed for good
   * @throws DurableUsageError if the call cannot be made here
   */
  async run(call: DurableCall, fn: (step: RunningStep) => unknown): Promise<unknown> {
    const identity = this.#begin(call);
    try {
      const installation = await this.#load();
      const stored = await this.#stored(identity, call);
      if (stored && stored.status !== "pending") return replay(stored);
      return await this.#perform(call, identity, installation, stored, fn);
    } catch (error) {
      if (isInstance(error, StepError) || isInstance(error, DurableUsageError)) throw error;
      // The steps could not be read or written: the run ends, to be repeated.
      return await this.#fail(call, identity, error, 0);
    } finally {
      this.#numbering.settled(identity);
      this.#known.settled(identity);
      this.#known.returned(identity);
      if (PAUSING.has(call.kind)) this.ending.pauseSettled();
      this.ending.done();
    }
  }

  #begin(call: DurableCall): StepIdentity {
    const { name, key = "" } = call;
    const handler = checkCaller(labelOf(call), this.#attempt.handler);
    if (PAUSING.has(call.kind)) this.ending.beginPause(labelOf(call));
    try {
      const nth = this.#numbering.begin({ handler, name, key });
      this.ending.begin();
      return { handler, name, key, nth };
    } catch (error) {
      if (PAUSING.has(call.kind)) this.ending.pauseSettled();
      throw error;
    }
  }

  /** Loads the message's steps once. Returns the identity of the store. */
  #load(): Promise<string> {
    return this.#loading ??= (async () => {
      const { task } = this.#attempt;
      const hasSteps = task.envelope.stamps.durable !== undefined;
      const { steps, installation } = await this.#tools.steps.load(task, hasSteps);
      for (const step of steps) this.#known.add(step);
      return installation;
    })();
  }

  /** The stored step of a call, with its result. */
  async #stored(identity: StepIdentity, call: DurableCall): Promise<StoredStep | undefined> {
    const known = this.#known.get(identity);
    if (!known) return undefined;
    if (known.kind !== call.kind) {
      throw new DurableUsageError(
        `${
          labelOf(call)
        }: was stored as a ${known.kind} by an earlier run; the handler has changed, and may ` +
          "keep its old course for such messages by ctx.version",
      );
    }
    if (known.leftOut === undefined) return known;
    return await this.#reload(identity) ?? await this.ending.hold();
  }

  async #perform(
    call: DurableCall,
    identity: StepIdentity,
    installation: string,
    stored: StoredStep | undefined,
    fn: (step: RunningStep) => unknown,
  ): Promise<unknown> {
    const { task } = this.#attempt;
    if (this.ending.isClosed) {
      if (this.ending.hasSucceeded) tellNotAwaited(this.#tools.log, task, call.name);
      return await this.ending.hold();
    }
    if (!stored) this.#known.begin(identity);
    if (WORKING.has(call.kind)) {
      if (this.#hasBegun && !this.#tools.mayStart()) return await this.ending.yields();
      // A message that works long before its first step would else never store it.
      if (!this.#hasBegun) this.#beginTimeout();
      this.#hasBegun = true;
    }
    const startedAt = performance.now();
    let isKept = false;
    const step: RunningStep = {
      identity,
      key: idempotencyKey(installation, task.envelope.id, identity),
      stored,
      version: this.#version,
      keep: () => void (isKept = true),
      park: (parked) => this.ending.park({ ...parked, stamps: this.stamps }),
    };
    const scope = new StepScope(call.name);
    let result: StepResult;
    try {
      const returned = await scope.call(() => this.#tell(call, identity, () => fn(step)));
      result = toResult(returned, BOUNDS[call.kind]);
      this.#known.reserve(identity, result.bytes);
      await scope.ready();
    } catch (error) {
      scope.close();
      if (isInstance(error, DurableUsageError)) throw error;
      return await this.#fail(call, identity, error, performance.now() - startedAt);
    }
    const effects = scope.close();
    if (task.isStopped) return await this.ending.hold();
    const done = { ...identity, status: "done", result: result.value } as const;
    await this.#store(call, { ...done, ...(effects && { effects }) }, result.bytes, isKept);
    return result.value;
  }

  /** Calls the function of a step, which others may see while it runs. A sleep or a wait is seen once it is stored. */
  #tell({ kind }: DurableCall, identity: StepIdentity, fn: () => unknown): unknown {
    const { progress } = this.#tools;
    return progress && !PAUSING.has(kind)
      ? progress.steps.during(this.#attempt.task, { ...identity, kind }, fn)
      : fn();
  }

  /** Stores a step. Retries, interruptions and the timeout of the message begin again with it. */
  async #store(
    { kind, details }: DurableCall,
    step: Omit<StepToStore, "kind">,
    bytes = 0,
    isKept = false,
  ): Promise<void> {
    const { task } = this.#attempt;
    const stored = { kind, ...step, ...(details !== undefined && { details }) };
    try {
      if (!isKept) await this.#tools.steps.save(task, this.#version, stored, bytes);
    } catch (error) {
      // At the next attempt a key that another transaction holds is free, and the database less busy.
      if (!isOfItsContent(error) || isTooMuch(error) || refusedForMs(error) !== undefined) {
        throw error;
      }
      const { message } = describeError(error);
      throw new UnrecoverableError(`the database refused the step: ${message}`, { cause: error });
    }
    if (task.isStopped) return await this.ending.hold();
    this.#hasStored = true;
    this.#known.add(stored, bytes);
    this.#beginTimeout();
  }

  #beginTimeout(): void {
    this.#tools.deadlines.set(this.#attempt.task, performance.now(), this.#timeoutMs);
  }

  /**
   * A call has failed: the run ends, or, if no retry is left or can help, the failure is stored and thrown. A SQL
   * function may have been committed all the same: then its result stays stored, and is returned.
   */
  async #fail(
    call: DurableCall,
    identity: StepIdentity,
    error: unknown,
    durationMs: number,
  ): Promise<unknown> {
    const { task, handledBy } = this.#attempt;
    if (task.isStopped || this.ending.failed) return await this.ending.hold();
    const outcome = this.#tools.retry.decide(this.envelope, error, {
      ...{ durationMs: Math.round(durationMs), handledBy: [...handledBy], byHandler: true },
      ...(call.strategy && { strategy: call.strategy }),
    });
    if (outcome.kind === "retry") {
      const errors = outcome.errors.map((one) => ({ ...one, step: call.name }));
      this.ending.failed = { error, outcome: { ...outcome, errors } };
      this.ending.isClosed = true;
      return await this.ending.hold();
    }
    const failure = failureOf(outcome.reason, error);
    try {
      await this.#store(call, { ...identity, status: "failed", error: failure });
      // The failure waited for the function's transaction, and replaces no result.
      const kept = call.kind === "effect" ? await this.#reload(identity) : undefined;
      if (kept?.status === "done") return kept.result;
    } catch (refusal) {
      const { id, type } = task.envelope;
      const { message } = describeError(refusal);
      this.#tools.log.error("step_not_stored", { id, type, step: call.name, error: message });
    }
    throw new StepError(call.name, failure);
  }

  async #reload(identity: StepIdentity): Promise<StoredStep | undefined> {
    const { task } = this.#attempt;
    const { steps: [step] } = await this.#tools.steps.load(task, true, identity);
    if (step) this.#known.add(step);
    return task.isStopped ? await this.ending.hold() : step;
  }
}
