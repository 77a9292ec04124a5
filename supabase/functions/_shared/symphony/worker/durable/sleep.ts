/** `ctx.sleep` and `ctx.sleepUntil`: the message is parked, and a later run continues behind the pause. */

import type { SleepOptions } from "../../message/durable-context.ts";
import { MAX_DELAY_MS } from "../../message/outcome.ts";
import { checkMoment } from "../../runtime/checks.ts";
import { type Duration, parseDuration } from "../../runtime/duration.ts";
import { showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import { DurableUsageError } from "../../message/errors.ts";
import type { DurableRun } from "./durable-run.ts";

/** When a pause ends: after a time from the call, or at a moment. */
type End = { readonly untilMs: number } | { readonly until: Date };

/** Makes the call of `ctx.sleep`. @throws RangeError if the duration is none */
export async function sleep(
  durable: () => DurableRun,
  duration: Duration,
  options: SleepOptions = {},
): Promise<void> {
  const untilMs = parseDuration(duration, "ctx.sleep", MAX_DELAY_MS);
  await pause(durable(), "ctx.sleep", { untilMs }, untilMs > 0, options);
}

/** Makes the call of `ctx.sleepUntil`. @throws RangeError if the date is none */
export async function sleepUntil(
  durable: () => DurableRun,
  date: Date,
  options: SleepOptions = {},
): Promise<void> {
  const ms = checkMoment(date, "ctx.sleepUntil");
  await pause(durable(), "ctx.sleepUntil", { until: new Date(ms) }, true, options);
}

async function pause(
  durable: DurableRun,
  label: string,
  end: End,
  isLong: boolean,
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
    if (stored) return (stored.leftMs ?? 0) > 0 ? park({ delayMs: null }) : undefined;
    if (!isLong) return undefined;
    const step = { ...identity, kind: "sleep", status: "pending", ...end } as const;
    return park({ delayMs: null, step, ...(leaveGroup && { leaveGroup }) });
  });
}
