/** A durable call, and the parts of a run that it needs. */

import type { Parked } from "../../message/outcome.ts";
import type { StepKind } from "../../message/step-kind.ts";
import type { StepIdentity, StoredStep } from "../../message/stored-step.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { RetryStrategy } from "../../retry/strategy.ts";
import { showValue } from "../../runtime/inspect.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Deadlines } from "../run/deadlines.ts";
import type { ProgressReporter } from "../run/progress.ts";
import type { Task } from "../run/task.ts";
import type { EventReader } from "./event-reader.ts";
import type { StepStore } from "./step-store.ts";

/** The attempt that durable calls belong to. */
export interface DurableAttempt {
  readonly task: Task;
  /** Names of the handlers that have succeeded, in this attempt and before. */
  readonly handledBy: readonly string[];
  /** Name of the handler that runs at this moment. */
  handler?: string | undefined;
  /** Called when a durable call ends the run, though the handler has not ended. */
  onDurableEnd?: (() => void) | undefined;
}

/** The tools of a worker that durable calls use. */
export interface DurableTools {
  readonly retry: RetryManager;
  readonly log: Logger;
  readonly deadlines: Deadlines;
  /** Whether a message, or a step of one that runs, may start: the run has time and CPU left. */
  readonly mayStart: () => boolean;
  /** Longest time, in ms, that anything can run; Infinity in a resident worker. */
  readonly longestMs: number;
  /** The store's clock, in ms since 1970. */
  readonly now: () => number;
  /** Loads and stores durable steps. */
  readonly steps: StepStore;
  /** Reads the events that messages wait for. */
  readonly eventReader: EventReader;
  /** Tells of steps that run for long; by default they are not told. */
  readonly progress?: Pick<ProgressReporter, "steps">;
}

/** A durable call. */
export interface DurableCall {
  readonly kind: StepKind;
  readonly name: string;
  /** Default: empty. */
  readonly key?: string;
  /** Stored beside the result, as JSON. */
  readonly details?: unknown;
  /** Decides about retries of this call; default: the message's. */
  readonly strategy?: RetryStrategy;
  /** How the call is named in errors, such as `ctx.sleep`; default: `ctx.<kind> "<name>"`. */
  readonly label?: string;
}

/** The name of a call in errors. */
export function labelOf({ label, kind, name }: DurableCall): string {
  return label ?? `ctx.${kind} ${showValue(name)}`;
}

/** The argument of a durable call's function. */
export interface RunningStep {
  readonly identity: StepIdentity;
  /** The idempotency key. */
  readonly key: string;
  /** The definition's version at the message's first durable write. */
  readonly version: number | string | null;
  /** Says that the function has stored its result itself. */
  readonly keep: () => void;
  /** The pending step that an earlier run has stored; undefined if there is none. */
  readonly stored: StoredStep | undefined;
  /**
   * Parks the message; the returned promise never settles, and is to be returned. A later run calls the function
   * again. Without `step` in it, the step that is stored stays. For the kinds sleep, wait and all.
   */
  readonly park: (parked: Omit<Parked, "kind" | "stamps">) => Promise<never>;
}
