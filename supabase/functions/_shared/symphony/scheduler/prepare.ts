/**
 * Makes the messages of planned runs as a dispatch makes them: schema, definition, middleware. What goes
 * wrong with one schedule's stays its own.
 */

import type { DispatchOptions } from "../message/dispatch-options.ts";
import { isOfMiddleware, type MessageBus } from "../bus/bus.ts";
import { describeError } from "../message/describe-error.ts";
import type { Stamps } from "../message/envelope.ts";
import {
  InvalidPayloadError,
  UnknownMessageTypeError,
  UnrecoverableError,
} from "../message/errors.ts";
import { messageRow } from "../transport/supabase.ts";
import type { Plan } from "./plan.ts";
import type { Advance, Run } from "./plan.ts";
import type { DueSchedule } from "./schedule.ts";

/**
 * For how long a schedule is borne with whose messages are not right: a deploy may be under way, or what
 * its middleware needs may be down. In ms.
 */
const PATIENCE_MS = 10 * 60_000;
/** How long the making of one message may take, in ms. */
const TIMEOUT_MS = 2_000;
/** Bounds of the time until a schedule is tried again whose middleware fails, in ms. */
const SHORTEST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_REASON = 500;

/** What preparing needs. */
export interface PrepareOptions {
  readonly bus: Pick<MessageBus, "prepare">;
  /** The database's clock, in ms since 1970. */
  readonly now: number;
  readonly timeoutMs?: number;
}

/**
 * Prepares the messages of a plan's runs, in order. Never throws.
 *
 * A type that is unknown and a payload that does not fit are made as they are stored, and so wait for a
 * worker that knows them, or become dead letters. After ten minutes of it the schedule is disabled as
 * invalid. Where middleware fails, the occurrence is put off for up to ten minutes, and then recorded as
 * failed; what it refuses with an UnrecoverableError is recorded at once.
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
      // Of middleware's making it may be a deploy that is under way; the schedule is not to blame.
      if (isUnfit && !isOfMiddleware(error)) {
        if (isPatient) {
          return { schedule, plan, runs: [...runs, ...plan.runs.slice(index)], failing: true };
        }
        return invalidated(schedule, plan, [...runs, { ...run, failed }], failed);
      }
      const isRefusal = error instanceof UnrecoverableError && !isUnfit;
      if (isPatient && !isRefusal) {
        const ms = Math.min(Math.max(failingMs, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
        // It is due again at the occurrence that failed.
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
 * A message of a schedule as messenger_enqueue takes it, without the payload where that is the schedule's.
 * @throws what the bus throws, and Error where that takes too long
 */
export async function makeMessage(
  schedule: DueSchedule,
  { occurrence, number, delayMs = 0 }: {
    /** In ms since 1970. */
    readonly occurrence: number;
    /** Of the run. The database has the last word on it. */
    readonly number: number;
    readonly delayMs?: number;
  },
  { bus, timeoutMs = TIMEOUT_MS }: Omit<PrepareOptions, "now">,
): Promise<object> {
  const { id, name, message: { type, payload }, stamps } = schedule;
  const stamp = { id, name, occurrence: new Date(occurrence).toISOString(), run: number };
  const options = messageOptions(schedule, delayMs, { ...stamps, schedule: stamp });
  const prepared = await within(timeoutMs, bus.prepare({ type, payload, options }));
  const { payload: made, ...row } = messageRow(prepared);
  return { ...row, ...(JSON.stringify(made) !== JSON.stringify(payload) && { payload: made }) };
}

/** What a schedule chooses of its messages; the definition's values hold for the rest. */
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

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the message was not made within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
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
