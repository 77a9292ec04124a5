/** `ctx.step`: runs a function once, with a timeout and retries of its own, and stores its result. */

import type { StepContext, StepOptions } from "../../message/durable-context.ts";
import { DurableUsageError, StepTimeoutError } from "../../message/errors.ts";
import { checkPlainFunction } from "../../runtime/checks.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { readProperty, showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import type { Attempt, RunTools } from "../run/attempt.ts";
import { stoppedHandlersEnd } from "../run/former-runs.ts";
import { LONGEST_TIMER_MS } from "../run/task.ts";
import type { DurableCall, RunningStep } from "./durable-call.ts";
import type { DurableRun } from "./durable-run.ts";
import { checkStepText } from "./numbering.ts";

const OPTIONS = Object.keys(
  { key: true, retry: true, timeout: true } satisfies Record<keyof StepOptions, true>,
);

/** The message's timeout ends this long, in ms, after the timeout of a step: its outcome has to be stored. */
const TIME_TO_STORE_MS = 5_000;

/** A function of the user's that a step runs. */
export type StepFunction = (step: StepContext) => unknown;

/**
 * Makes the call of `ctx.step`.
 * @param detailsOf called before the function; returns the details that are stored beside the result or failure
 * @throws DurableUsageError or RangeError if the name, the function or an option is wrong
 * @throws StepError if the step has failed for good
 */
export async function callStep(
  durable: DurableRun,
  { attempt, tools }: { readonly attempt: Attempt; readonly tools: RunTools },
  name: string,
  fn: StepFunction,
  options: StepOptions = {},
  detailsOf?: (step: RunningStep) => unknown,
): Promise<unknown> {
  checkStepText(name, "ctx.step: name");
  if (typeof fn !== "function") {
    throw new DurableUsageError(
      `ctx.step ${showValue(name)}: needs a function (was ${showValue(fn)})`,
    );
  }
  checkPlainFunction(fn, `ctx.step ${showValue(name)}: function`);
  checkNames(options, OPTIONS, `ctx.step ${showValue(name)}: `);
  const { key, retry } = options;
  if (key !== undefined) checkStepText(key, `ctx.step ${showValue(name)}: key`);
  const timeoutMs = stepTimeout(`ctx.step ${showValue(name)}`, options, tools.longestMs);
  const { type } = attempt.task.envelope;
  const call: { -readonly [Part in keyof DurableCall]: DurableCall[Part] } = {
    ...{ kind: "step", name } as const,
    ...(key !== undefined && { key }),
    ...(retry !== undefined && { strategy: tools.retry.strategyFor(type, retry) }),
  };
  return await durable.run(call, (running) => {
    const { key } = running;
    if (detailsOf) call.details = detailsOf(running);
    const { span, task: { signal } } = attempt;
    const perform = () =>
      timeoutMs === undefined
        ? fn({ key, signal })
        : withTimeout(name, timeoutMs, { attempt, tools }, (signal) => fn({ key, signal }));
    return span ? span.step(name, perform) : perform();
  });
}

/**
 * The timeout of a step, in ms; undefined if it has none of its own.
 * @param label the call, such as `ctx.step "pay"`
 * @param longestMs how long a tick can run, in ms
 * @throws DurableUsageError or RangeError if it is no such time
 */
export function stepTimeout(
  label: string,
  { timeout }: Pick<StepOptions, "timeout">,
  longestMs: number,
): number | undefined {
  if (timeout === undefined) return undefined;
  const field = `${label}: timeout`;
  const ms = parseDuration(timeout, field);
  if (ms === 0) throw new DurableUsageError(`${field}: has to be more than 0`);
  if (ms > longestMs) {
    throw new DurableUsageError(
      `${field}: is ${ms} ms, longer than a tick can run (${longestMs} ms); divide the step, or run the ` +
        "message in a worker",
    );
  }
  return ms;
}

/**
 * Calls a step's function, and fails when it takes too long. Waits for a function that ends when its signal says so.
 * @throws StepTimeoutError after `timeoutMs`
 */
export async function withTimeout(
  step: string,
  timeoutMs: number,
  { attempt: { task }, tools }: { readonly attempt: Attempt; readonly tools: RunTools },
  call: (signal: AbortSignal) => unknown,
): Promise<unknown> {
  const now = performance.now();
  const leftMs = Math.max(task.deadline - now, timeoutMs + TIME_TO_STORE_MS);
  tools.deadlines.set(task, now, leftMs);
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new StepTimeoutError(step, timeoutMs);
    controller.abort(error);
    late.reject(error);
  }, Math.min(timeoutMs, LONGEST_TIMER_MS));
  const work = (async () => await call(AbortSignal.any([task.signal, controller.signal])))();
  try {
    return await Promise.race([work, late.promise]);
  } catch (error) {
    // The next attempt must not run beside this function.
    if (error === controller.signal.reason && readProperty(error, "step") === step) {
      await stoppedHandlersEnd(task, work.then(() => {}), tools);
    }
    throw error;
  } finally {
    clearTimeout(timer);
    late.promise.catch(() => {});
  }
}
