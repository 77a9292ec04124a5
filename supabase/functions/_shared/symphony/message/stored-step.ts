/** Durable steps as they are stored: what a later run of the message finds. */

import type { Effects } from "./effects.ts";
import type { StepKind } from "./step-kind.ts";

/** The identity of a step within its message. */
export interface StepIdentity {
  /** Name of the handler that the step belongs to. */
  readonly handler: string;
  readonly name: string;
  /** Key that tells steps of one name apart; empty if the code gives none. */
  readonly key: string;
  /** Which call of this name and key it is; the first is 1. */
  readonly nth: number;
}

/** Why a step failed for good. */
export interface StepFailure {
  /** `exhausted`: no retry is left. `unrecoverable`: no retry can help. */
  readonly reason: "exhausted" | "unrecoverable";
  /** Text of its last error. */
  readonly message: string;
  /** Class of that error. */
  readonly class: string;
  /** A code that the error carried. */
  readonly code?: string;
}

interface StepContent extends StepIdentity {
  readonly kind: StepKind;
  readonly status: "done" | "failed" | "pending";
  /** JSON; missing if the step returned undefined. */
  readonly result?: unknown;
  readonly error?: StepFailure;
  /** Kept beside the result by its kind, as JSON. */
  readonly details?: unknown;
}

/** A step that was stored by an earlier run. */
export interface StoredStep extends StepContent {
  /** Bytes of the result, if it was too large to be loaded with the others. */
  readonly leftOut?: number;
  /** Ms until a sleep or wait ends, when it was loaded; below 0 if it is over, missing if it has no end. */
  readonly leftMs?: number;
}

/** A step to be stored. */
export interface StepToStore extends StepContent {
  /** Dispatches and emits of the step's function, written with the step. */
  readonly effects?: Effects;
  /** When a sleep or wait ends. */
  readonly until?: Date;
  /** Ms from the settle call to the end of a sleep or wait; for a step that parks its message. */
  readonly untilMs?: number;
}
