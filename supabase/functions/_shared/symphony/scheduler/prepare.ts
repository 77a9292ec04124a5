/**
 * Makes the messages of planned runs like a dispatch: schema, definition, middleware. A problem of one
 * schedule affects no other schedule.
 */

import type { DispatchOptions } from "../message/dispatch-options.ts";
import type { MessageBus } from "../bus/bus.ts";
import { isOfMiddleware } from "../bus/message-preparer.ts";
import { describeError } from "../message/describe-error.ts";
import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import {
  InvalidPayloadError,
  UnknownMessageTypeError,
  UnrecoverableError,
} from "../message/errors.ts";
import { within } from "../runtime/within.ts";
import type { Advance, Plan, Run } from "./plan.ts";
import type { DueSchedule } from "./schedule.ts";

/**
 * How long, in ms, a schedule may have messages with problems before it is disabled. A deploy may be under
 * way, or a service that its middleware needs may be down.
 */
const PATIENCE_MS = 10 * 60_000;
/** Longest time for making one message, in ms. */
const TIMEOUT_MS = 2_000;
/** Shortest pause, in ms, before a schedule is tried again whose middleware failed. */
const SHORTEST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_REASON = 500;

/** Dependencies of the preparation. */
export interface PrepareOptions {
  readonly bus: Pick<MessageBus, "prepare">;
  /** The database's clock, in ms since 1970. */
  readonly now: number;
  readonly timeoutMs?: number;
}

/**
 * Prepares the messages of a plan's runs, in order. Never throws.
 *
 * A message of unknown type, or with a payload that does not fit, is made as it is stored. It waits for a
 * worker that knows it, or becomes a dead letter. After ten minutes the schedule is disabled as invalid.
 * If middleware fails, the occurrence is put off for up to ten minutes and then recorded as failed. If
 * middleware throws an UnrecoverableError, the occurrence is recorded as failed at once.
 */
export async function prepareRuns(
  schedule: DueSchedule,
  plan: Plan,
  options: PrepareOptions,
): Promise<Advance> {
  const { now } = options;
  const failingMs = schedule.failingSince === null ? 0 : now - schedule.failingSince.getTime();
  const isPatient = failingMs < PATIENCE_MS;
  const runs: Run[] = [];
  let failing: boolean | null = null;
  for (const [index, run] of plan.runs.entries()) {
    try {
      const number = schedule.runCount + index + 1;
      runs.push({ ...run, message: await makeMessage(schedule, { ...run, number }, options) });
      failing = false;
    } catch (error) {
      const failed = describeError(error, { message: LONGEST_REASON }).message;
      const isUnfit = isOfUnfit(error);
      // If middleware made the message unfit, a deploy may be under way; the schedule is not to blame.
      if (isUnfit && !isOfMiddleware(error)) {
        if (isPatient) {
          return { schedule, plan, runs: [...runs, ...plan.runs.slice(index)], failing: true };
        }
        return invalidated(schedule, plan, [...runs, { ...run, failed }], failed);
      }
      const isRefusal = error instanceof UnrecoverableError && !isUnfit;
      if (isPatient && !isRefusal) {
        const ms = Math.min(Math.max(failingMs, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
        // The occurrence that failed is due again.
        const rest = { ...plan, nextRunAt: run.occurrence, disabled: null };
        return { schedule, plan: rest, runs, failing: true, putOff: { ms, reason: failed } };
      }
      runs.push({ ...run, failed });
      failing ??= isRefusal ? null : true;
    }
  }
  return { schedule, plan, runs, failing };
}

/**
 * Makes a schedule's message, with the values of its definition and the changes of middleware.
 * @throws the bus's errors, and Error if it takes too long
 */
export async function makeMessage(
  schedule: DueSchedule,
  { occurrence, number, delayMs = 0 }: {
    /** In ms since 1970. */
    readonly occurrence: number;
    /** Number of the run. The database may correct it. */
    readonly number: number;
    readonly delayMs?: number;
  },
  { bus, timeoutMs = TIMEOUT_MS }: Omit<PrepareOptions, "now">,
): Promise<OutgoingMessage> {
  const { id, name, message: { type, payload }, stamps } = schedule;
  const stamp = { id, name, occurrence: new Date(occurrence).toISOString(), run: number };
  const options = messageOptions(schedule, delayMs, { ...stamps, schedule: stamp });
  const late = () => new Error(`the message was not made within ${timeoutMs} ms`);
  return await within(bus.prepare({ type, payload, options }), timeoutMs, late);
}

/** Message options of a schedule; the definition's values hold for the others. */
function messageOptions(
  { queue, priority, groupKey, ttl }: Pick<DueSchedule, "queue" | "priority" | "groupKey" | "ttl">,
  delayMs: number,
  stamps: Stamps,
): DispatchOptions {
  return {
    ...(delayMs > 0 && { delay: delayMs }),
    ...(queue !== null && { queue }),
    ...(priority !== null && { priority }),
    ...(groupKey !== null && { groupKey }),
    ...(ttl !== null && { ttl }),
    stamps,
  };
}

function isOfUnfit(error: unknown): boolean {
  return error instanceof UnknownMessageTypeError || error instanceof InvalidPayloadError;
}

function invalidated(
  schedule: DueSchedule,
  plan: Plan,
  runs: readonly Run[],
  reason: string,
): Advance {
  const disabled = { by: "invalid", reason } as const;
  return { schedule, plan: { ...plan, nextRunAt: null, disabled }, runs, failing: true };
}
