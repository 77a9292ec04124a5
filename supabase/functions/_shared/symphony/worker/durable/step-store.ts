/**
 * The steps of all messages of a worker: loads and saves of many messages share a call. A call that fails is
 * repeated while its messages run. If what one step holds is at fault, the call is split until only that step fails.
 */

import type { StepIdentity, StepToStore, StoredStep } from "../../message/stored-step.ts";
import type { Logger } from "../../runtime/log.ts";
import type { EffectRequest, LeaseAnswer } from "../../transport/durable-store.ts";
import type { Transport } from "../../transport/transport.ts";
import { isOfItsContent, isTooMuch, repeating } from "../calls.ts";
import type { Task } from "../run/task.ts";
import { Gatherer } from "./gatherer.ts";
import { leaseOf, stopTold, whileAnyRuns } from "./lease-calls.ts";

/** Most messages whose steps one call loads. Together they have some megabytes at most. */
const MOST_LOADS = 100;
/** Weight of a load of one step with its result, which may have 256 kB, where that of a message's steps is 1. */
const WHOLE_RESULT = 10;
/** Most bytes of steps in one call that saves. */
const MOST_BYTES = 4 * 1_048_576;
/** Weight of a step beside its result, in bytes. */
const STEP_BYTES = 10_000;

/** How often a SQL function is called whose answer is lost, or that met another transaction. */
const EFFECT_TRIES = 3;
const SAVE_TRIES = 3;

interface Load {
  readonly task: Task;
  readonly step?: StepIdentity;
}

interface Save {
  readonly task: Task;
  readonly version: number | string | null;
  readonly step: StepToStore;
  readonly bytes: number;
}

/** Steps of one message as they were loaded. */
export interface LoadedOnce {
  readonly steps: readonly StoredStep[];
  readonly installation: string;
}

/** Loads and saves steps. */
export class StepStore {
  readonly #loads = new Gatherer<Load, LoadedOnce>(
    (loads) => this.#load(loads),
    MOST_LOADS,
    ({ step }) => step ? WHOLE_RESULT : 1,
  );
  readonly #saves = new Gatherer<Save, { readonly error?: unknown }>(
    (saves) => this.#save(saves),
    MOST_BYTES,
    ({ bytes }) => bytes + STEP_BYTES,
  );
  #installation: string | undefined;

  constructor(private readonly parts: { readonly transport: Transport; readonly log: Logger }) {}

  /**
   * Loads the steps of a message, or one of them with its result however large. A message without steps costs
   * no call, except for the first one of this worker.
   * @param hasSteps whether the message has steps; if not, only the identity of the store is needed
   * @throws TransportError if the database stayed out of reach for as long as the message ran
   */
  async load(task: Task, hasSteps: boolean, step?: StepIdentity): Promise<LoadedOnce> {
    if (!hasSteps && this.#installation !== undefined) {
      return { steps: [], installation: this.#installation };
    }
    return await this.#loads.ask({ task, ...(step && { step }) });
  }

  /**
   * Stores a step. If the message's lease is lost, or the message cancelled, its task is stopped.
   * @param bytes of the step's result
   * @throws RangeError or TransportError if the database refused the step, or stayed out of reach
   */
  async save(
    task: Task,
    version: number | string | null,
    step: StepToStore,
    bytes: number,
  ): Promise<void> {
    const { error } = await this.#saves.ask({ task, version, step, bytes });
    if (error) throw error;
  }

  /**
   * Runs a SQL function for a step and stores its result, in a call of its own. A call whose answer is lost is
   * repeated a few times. If the message's lease is lost, or the message cancelled, its task is stopped.
   * @returns the result as JSON
   * @throws RangeError or TransportError if the function failed, or the database stayed out of reach
   */
  async effect(
    task: Task,
    request: Omit<EffectRequest, "id" | "leaseToken">,
  ): Promise<unknown> {
    let tries = EFFECT_TRIES;
    const keepTrying = () => --tries > 0 && !task.isOver;
    const call = () => this.parts.transport.effect({ ...leaseOf(task), ...request });
    const { answer } = await repeating(call, { ...this.parts, keepTrying });
    const own = [task.envelope.id];
    this.#stopTold([{ task }], {
      stale: answer.stale ? own : [],
      cancelled: answer.cancelled ? own : [],
    });
    return answer.result;
  }

  async #load(loads: readonly Load[]): Promise<LoadedOnce[]> {
    const { transport } = this.parts;
    const requests = loads.map(({ task, step }) => ({ ...leaseOf(task), ...(step && { step }) }));
    // The steps of a message and one of its steps are asked for in different calls.
    const { answer } = await repeating(
      () => transport.loadSteps(requests),
      whileAnyRuns(this.parts, loads),
    );
    this.#installation = answer.installation;
    this.#stopTold(loads, answer);
    return loads.map(({ task: { envelope: { id } }, step }) => ({
      installation: answer.installation,
      steps: (answer.steps[id] ?? []).filter((one) => !step || isSame(one, step)),
    }));
  }

  /** @param tries how often a single step is saved whose call takes too long, as it may under load */
  async #save(
    saves: readonly Save[],
    tries = SAVE_TRIES,
  ): Promise<{ readonly error?: unknown }[]> {
    try {
      const byTask = Map.groupBy(saves, ({ task }) => task);
      const calls = [...byTask].map(([task, own]) => ({
        ...leaseOf(task),
        version: own[0]?.version ?? null,
        steps: own.map(({ step }) => step),
      }));
      const { answer } = await repeating(
        () => this.parts.transport.saveSteps(calls),
        whileAnyRuns(this.parts, saves),
      );
      this.#stopTold(saves, answer);
      return saves.map(() => ({}));
    } catch (error) {
      if (isTooMuch(error) && saves.length === 1 && tries > 1) {
        return await this.#save(saves, tries - 1);
      }
      if (!isOfItsContent(error) || saves.length === 1) return saves.map(() => ({ error }));
      const middle = Math.ceil(saves.length / 2);
      return [
        ...await this.#save(saves.slice(0, middle)),
        ...await this.#save(saves.slice(middle)),
      ];
    }
  }

  #stopTold(some: readonly { readonly task: Task }[], answer: LeaseAnswer): void {
    stopTold(this.parts.log, some, answer);
  }
}

function isSame(a: StepIdentity, b: StepIdentity): boolean {
  return a.handler === b.handler && a.name === b.name && a.key === b.key && a.nth === b.nth;
}
