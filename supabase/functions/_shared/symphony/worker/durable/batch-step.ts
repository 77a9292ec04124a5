/**
 * `ctx.dispatchBatch`: a step that dispatches a batch under the step's idempotency key. A batch may be too large for
 * one transaction. Its chunks are therefore written as they come, and a repeated run continues behind them.
 */

import { checkMembers } from "../../bus/dispatch-batch.ts";
import type { BatchMember } from "../../message/dispatched-batch.ts";
import type { ContextBatchOptions } from "../../message/durable-context.ts";
import { readProperty } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import type { Attempt, RunTools } from "../run/attempt.ts";
import type { DurableRun } from "./durable-run.ts";
import { batchKey, checkStepText } from "./numbering.ts";
import { callStep } from "./step.ts";
import { asUsageError } from "./usage-error.ts";

const OPTIONS = Object.keys(
  {
    ...{ name: true, key: true, retry: true, timeout: true },
    ...{ onFinished: true, onSucceeded: true, onFailed: true },
  } satisfies Record<keyof ContextBatchOptions, true>,
);

/**
 * Makes the call of `ctx.dispatchBatch`.
 * @returns the batch's id
 * @throws DurableUsageError or RangeError if an option is wrong
 * @throws StepError if it has failed for good
 */
export async function dispatchBatch(
  durable: () => DurableRun,
  parts: { readonly attempt: Attempt; readonly tools: RunTools },
  members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
  options: ContextBatchOptions,
): Promise<string> {
  checkNames(options, OPTIONS, "ctx.dispatchBatch: ");
  checkMembers(members, "ctx.dispatchBatch: ");
  checkStepText(options.name, "ctx.dispatchBatch: name");
  const { key, retry, timeout, ...batch } = options;
  const given = Object.entries({ key, retry, timeout }).filter(([, value]) => value !== undefined);
  let idempotencyKey = "";
  const dispatched = await callStep(
    durable(),
    parts,
    options.name,
    async ({ signal }) => {
      const read = new MembersUntil(signal, members);
      try {
        const head = { ...batch, idempotencyKey };
        return await parts.tools.bus.dispatchBatch(read, head, { span: parts.attempt.span });
      } catch (error) {
        // An error of the caller's own iterable is no argument.
        throw read.error === error ? error : asUsageError(error, "ctx.dispatchBatch: ");
      }
    },
    Object.fromEntries(given),
    ({ key, stored }) => {
      // A failed step that a redrive lets run again, without those behind it, continues its batch.
      const known = readProperty(stored?.details, "batchKey");
      idempotencyKey = typeof known === "string"
        ? known
        : batchKey(key, parts.attempt.task.envelope.stamps, stored?.details);
      return { batchKey: idempotencyKey };
    },
  );
  return dispatched as string;
}

/** The members until a signal is aborted: a run that is stopped writes no further chunk beside the next one. */
class MembersUntil implements AsyncIterable<BatchMember> {
  /** The error that the iterable has thrown. */
  error: unknown;

  constructor(
    private readonly signal: AbortSignal,
    private readonly members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<BatchMember> {
    try {
      for await (const member of this.members) {
        this.signal.throwIfAborted();
        yield member;
      }
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}
