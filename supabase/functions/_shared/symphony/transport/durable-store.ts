/** The store of durable steps, as transports keep them for running messages. */

import type { StepIdentity, StepToStore, StoredStep } from "../message/stored-step.ts";

/** The part of each answer that is about the leases of the running messages. */
export interface LeaseAnswer {
  /** Ids whose lease another claim has. */
  readonly stale: readonly string[];
  /** Ids of messages that were cancelled, and are to be stopped; default: none. */
  readonly cancelled?: readonly string[];
}

/** Asks for the steps of a running message. */
export interface StepsRequest {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** Only this step, with its result however large it is; default: all, without large results. */
  readonly step?: StepIdentity;
}

/** Stored steps. */
export interface LoadedSteps extends LeaseAnswer {
  /** The steps of each message by its id, in the order in which they were stored; none if it has none. */
  readonly steps: Readonly<Record<string, readonly StoredStep[]>>;
  /** Identity of the store, from which idempotency keys are made. */
  readonly installation: string;
}

/** Steps of one running message, to be stored. */
export interface StepsToSave {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** The definition's version, noted with the message's first step. */
  readonly version: number | string | null;
  readonly steps: readonly StepToStore[];
}

/** A SQL function to run for a step of a running message. */
export interface EffectRequest {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** The definition's version, noted with the message's first step. */
  readonly version: number | string | null;
  readonly step: StepIdentity;
  /** Name of a function of the schema public. */
  readonly function: string;
  /** Its arguments by name, as JSON. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** The result of a SQL function, which is stored. */
export interface EffectResult {
  /** As JSON; missing if it returns void. */
  readonly result?: unknown;
  /** Another claim has the lease, and the function was not run. */
  readonly stale?: true;
  /** The message was cancelled: the function was not run, or the result beside this is stored. */
  readonly cancelled?: true;
}

/** Keeps the steps of running messages, each under its message's lease. */
export interface DurableStore {
  /** Reads the stored steps of running messages. A sleep that is over counts as done from then on. */
  loadSteps(requests: readonly StepsRequest[]): Promise<LoadedSteps>;
  /**
   * Stores steps, each under its message's lease, in one transaction. A step that is stored already stays, unless it
   * was pending. With it the message's retries, interruptions and quarantine begin again, and its ttl ends.
   * @param saves each message once
   */
  saveSteps(saves: readonly StepsToSave[]): Promise<LeaseAnswer>;
  /**
   * Runs a SQL function once for a step, and stores its result in the same transaction, under the message's lease. A
   * repeated call returns the stored result.
   * @throws RangeError if there is no such function, or it takes other arguments
   */
  effect(request: EffectRequest): Promise<EffectResult>;
}
