/** The value that a handler returned, where its definition keeps it or another handler waits for it. */

import { batchStampOf } from "../../message/batch-stamps.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import type { Stamps } from "../../message/envelope.ts";
import { UnrecoverableError } from "../../message/errors.ts";
import { type StepResult, toResult } from "../durable/result.ts";
import type { Ready } from "./attempt.ts";

/** How long a member of a batch whose results are wanted is remembered at least, in ms: 30 days. */
const MEMBER_KEEP_MS = 30 * 86_400_000;

/** Whether a message is a member of a batch that keeps what its members return. Few batches do. */
function keepsMembers(stamps: Stamps): boolean {
  return stamps.batch?.keeps === true && batchStampOf(stamps) !== undefined;
}

/** Whether the result of a message is kept: of one handler, not of several. */
export function keepsResult(
  { attempt, definition }: Pick<Ready, "attempt" | "definition">,
): boolean {
  if (definition.handlers.length !== 1) return false;
  return definition.keepsResult || keepsMembers(attempt.task.envelope.stamps);
}

/** How long a handled message is remembered, in ms; undefined: not at all. */
export function keepMsOf(
  { attempt, definition }: Pick<Ready, "attempt" | "definition">,
): number | undefined {
  if (!keepsMembers(attempt.task.envelope.stamps)) return definition.keepMs;
  return Math.max(definition.keepMs ?? 0, MEMBER_KEEP_MS);
}

/**
 * Checks what a handler returned by its definition's `result`, and copies it as JSON.
 * @throws UnrecoverableError if the schema refuses it, or if it is no JSON of at most 256 kB
 */
export async function resultOf(
  { type, result: schema }: MessageDefinition,
  value: unknown,
): Promise<StepResult> {
  if (!schema) return toResult(value);
  const parsed = await schema.safeParseAsync(value);
  if (parsed.success) return toResult(parsed.data);
  const [issue] = parsed.error.issues;
  const place = ["result", ...issue?.path.map(String) ?? []].join(".");
  throw new UnrecoverableError(`${type}: ${place}: ${issue?.message ?? "is wrong"}`);
}
