/** `ctx.sleep` and `ctx.sleepUntil`: the message is parked, and a later run continues behind the pause. */

import type { SleepOptions } from "../../message/durable-context.ts";
import { LONGEST_WAIT_MS } from "../../bus/events.ts";
import { checkMoment } from "../../runtime/checks.ts";
import { type Duration, parseDuration } from "../../runtime/duration.ts";
import { showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import { DurableUsageError } from "../../message/errors.ts";
import type { DurableRun } from "./durable-run.ts";

/** When a pause ends: after a time from the call, or at a moment. */
type End = { readonly untilMs: number } | { readonly until: Date };

/** Makes the call of `ctx.sleep`. @throws RangeError if the duration is none, or longer than 400 days */
export async function sleep(
  durable: () => DurableRun,
  duration: Duration,
  options: SleepOptions = {},
): Promise<void> {
  const untilMs = parseDuration(duration, "ctx.sleep", LONGEST_WAIT_MS);
  await pause(durable(), "ctx.sleep", () => untilMs > 0 ? { untilMs } : null, options);
}

/**
 * Makes the call of `ctx.sleepUntil`.
 * @param now returns the store's clock, in ms since 1970
 * @throws RangeError if the date is none
 * @throws DurableUsageError if it is more than 400 days ahead
 */
export async function sleepUntil(
  durable: () => DurableRun,
  now: () => number,
  date: Date,
  options: SleepOptions = {},
): Promise<void> {
  const ms = checkMoment(date, "ctx.sleepUntil");
  await pause(durable(), "ctx.sleepUntil", () => {
    const leftMs = ms - now();
    if (leftMs > LONGEST_WAIT_MS) {
      throw new DurableUsageError(
        `ctx.sleepUntil: has to be at most ${LONGEST_WAIT_MS / 86_400_000} days ahead; got ${
          new Date(ms).toISOString()
        }`,
      );
    }
    return leftMs > 0 ? { until: new Date(ms) } : null;
  }, options);
}

/** @param endOf decides at the first call when the pause ends; null if it is over already */
async function pause(
  durable: DurableRun,
  label: string,
  endOf: () => End | null,
  options: SleepOptions,
): Promise<void> {
  checkNames(options, ["leaveGroup"], `${label}: `);
  const { leaveGroup = false } = options;
  if (typeof leaveGroup !== "boolean") {
    throw new DurableUsageError(
      `${label}: leaveGroup: has to be true or false (was ${showValue(leaveGroup)})`,
    );
  }
  await durable.run({ kind: "sleep", name: "sleep", label }, ({ identity, stored, park }) => {
    const step = { ...identity, kind: "sleep", status: "pending" } as const;
    // The step is named: another one may be pending since before the handler was changed, and over for long.
    if (stored) return (stored.leftMs ?? 0) > 0 ? park({ delayMs: null, step }) : undefined;
    const end = endOf();
    if (end === null) return undefined;
    return park({ delayMs: null, step: { ...step, ...end }, ...(leaveGroup && { leaveGroup }) });
  });
}
