/** Failures of steps: how they are stored, and how a later run throws them. */

import type { DeadReason } from "../../message/dead-reason.ts";
import { describeError } from "../../message/describe-error.ts";
import { StepError } from "../../message/errors.ts";
import type { StepFailure, StoredStep } from "../../message/stored-step.ts";

/** The stored result of a step. @throws StepError if it has failed for good */
export function replay({ name, status, result, error }: StoredStep): unknown {
  if (status !== "failed") return result;
  throw new StepError(
    name,
    error ?? { reason: "unrecoverable", message: "no error is stored", class: "Error" },
  );
}

/** Describes the last error of a step that has failed for good. */
export function failureOf(reason: DeadReason, error: unknown): StepFailure {
  const { stack: _, ...described } = describeError(error);
  return { reason: reason === "exhausted" ? "exhausted" : "unrecoverable", ...described };
}
