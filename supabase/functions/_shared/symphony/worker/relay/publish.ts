/** Publishes one batch of the outbox. Pure but for the engine's calls. */

import { Buffer } from "node:buffer";
import type { BatchReport, Publication } from "../../database/outbox-calls.ts";
import { describeError } from "../../message/describe-error.ts";
import { isInstance } from "../../runtime/inspect.ts";
import { within } from "../../runtime/within.ts";
import { writeBody } from "../../transport/engine-body.ts";
import type { EngineMessage, EngineSender, Published } from "../../transport/engine.ts";

/** Longest time of one publish, in ms. */
const PUBLISH_TIMEOUT_MS = 15_000;
/** Longest text of an error that is kept. */
const LONGEST_ERROR = 2_000;

/**
 * Publishes a batch in waves: a message of a group goes when the one before it is confirmed, so that none overtakes
 * another. After the first failure in a group its rest is left for the next batch.
 * @param origin identity of the installation, to which the ids belong
 * @param mayStart whether a further wave may begin
 * @returns the fates. Never throws
 */
export async function publishBatch(
  engine: Pick<EngineSender, "publish">,
  batch: readonly Publication[],
  origin: string,
  mayStart: () => boolean,
): Promise<BatchReport> {
  const report = { sent: [] as string[], refused: [] as BatchReport["refused"][number][] };
  const failedGroups = new Set<string>();
  for (const wave of wavesOf(batch)) {
    const messages = wave.filter((one) => !failedGroups.has(groupOf(one) ?? ""));
    if (messages.length === 0) continue;
    if (!mayStart()) break;
    const fates = await publishWave(engine, messages.map((one) => toEngine(one, origin)));
    if (!Array.isArray(fates)) return { ...report, failure: textOf(fates) };
    let unknown: string | null = null;
    for (const [index, one] of messages.entries()) {
      const fate: Published | undefined = fates[index];
      if (fate?.kind === "confirmed") {
        report.sent.push(one.position);
        continue;
      }
      const group = groupOf(one);
      if (group !== undefined) failedGroups.add(group);
      if (fate?.kind === "refused") {
        const tooLarge = fate.tooLarge && { tooLarge: fate.tooLarge };
        report.refused.push({ position: one.position, error: textOf(fate.error), ...tooLarge });
      } else unknown = fate ? textOf(fate.error) : "the engine told too few fates";
    }
    if (unknown !== null) return { ...report, failure: unknown };
  }
  return { ...report, failure: null };
}

/** The k-th wave has the k-th message of each group; the first one all messages without a group too. */
export function wavesOf(batch: readonly Publication[]): Publication[][] {
  const waves: Publication[][] = [];
  const counts = new Map<string, number>();
  for (const one of batch) {
    const group = groupOf(one);
    const number = group === undefined ? 0 : counts.get(group) ?? 0;
    if (group !== undefined) counts.set(group, number + 1);
    (waves[number] ??= []).push(one);
  }
  return waves;
}

function groupOf({ queue, groupKey }: Publication): string | undefined {
  return groupKey === undefined ? undefined : JSON.stringify([queue, groupKey]);
}

/** @returns the fates; or the error with which nothing was published */
async function publishWave(
  engine: Pick<EngineSender, "publish">,
  messages: readonly EngineMessage[],
): Promise<readonly Published[] | Error> {
  const late = () => new Error(`gave no answer within ${PUBLISH_TIMEOUT_MS / 1_000} s`);
  try {
    const signal = AbortSignal.timeout(PUBLISH_TIMEOUT_MS);
    return await within(engine.publish(messages, signal), PUBLISH_TIMEOUT_MS, late);
  } catch (error) {
    return isInstance(error, Error) ? error : new Error(textOf(error));
  }
}

/** Makes the message of a row. Facts that equal their defaults are left out. */
export function toEngine(row: Publication, origin: string): EngineMessage {
  const { id, publication, type, queue, priority, groupKey = null } = row;
  const {
    payload,
    createdAt,
    availableAt,
    expiresAt,
    retryCount,
    attempts,
    snoozes,
    interruptions,
  } = row;
  const body = writeBody({
    ...{ origin, payload, createdAt },
    ...(priority !== 0 && { priority }),
    ...(groupKey !== null && { groupKey }),
    ...(availableAt !== createdAt && { availableAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(retryCount > 0 && { retryCount }),
    ...(attempts > 0 && { attempts }),
    ...(snoozes > 0 && { snoozes }),
    ...(interruptions > 0 && { interruptions }),
    ...(row.stamps && { stamps: row.stamps }),
    ...(row.errors && { errors: row.errors }),
    ...(row.repeated && { repeated: true }),
  });
  const bytes = Buffer.byteLength(body);
  return { id, publication, type, queue, priority, groupKey, body, bytes };
}

/** A text that the database can keep: one that it refuses would leave the whole batch to be published again. */
function textOf(error: unknown): string {
  return describeError(error, { message: LONGEST_ERROR, stack: 0 }).message;
}
