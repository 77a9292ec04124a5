/** Failures of steps: how they are stored, and how a later run throws them. */

import type { DeadReason } from "../../message/dead-reason.ts";
import { describeError } from "../../message/describe-error.ts";
import { StepError } from "../../message/errors.ts";
import type { StepFailure, StoredStep } from "../../message/stored-step.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Task } from "../run/task.ts";

/** The stored result of a step. @throws StepError if it has failed for good */
export function replay({ name, status, result, error }: StoredStep): unknown {
  if (status !== "failed") return result;
  throw new StepError(
    name,
    error ?? { reason: "unrecoverable", message: "no error is stored", class: "Error" },
  );
}

/** Warns of a durable call that its handler has not awaited: it did not begin before the handler ended. */
export function tellNotAwaited(log: Logger, { envelope: { id, type } }: Task, step: string): void {
  log.warn("step_not_awaited", { id, type, step });
}

/** Describes the last error of a step that has failed for good. */
export function failureOf(reason: DeadReason, error: unknown): StepFailure {
  const { stack: _, ...described } = describeError(error);
  return { reason: reason === "exhausted" ? "exhausted" : "unrecoverable", ...described };
}
