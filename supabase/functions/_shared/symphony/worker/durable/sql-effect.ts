/** `ctx.effect`: a step that is a SQL function of the user's, run and stored in one transaction. */

import type { EffectOptions } from "../../message/durable-context.ts";
import { DurableUsageError } from "../../message/errors.ts";
import { toJson, UnstorableError } from "../../runtime/json.ts";
import { showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import type { Attempt, RunTools } from "../run/attempt.ts";
import type { DurableRun } from "./durable-run.ts";
import { checkStepText } from "./numbering.ts";
import { stepTimeout, withTimeout } from "./step.ts";

const OPTIONS = Object.keys(
  { key: true, retry: true, timeout: true } satisfies Record<keyof EffectOptions, true>,
);

/** Names as the Data API calls functions. */
const FUNCTION_NAME = /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/;

/**
 * Makes the call of `ctx.effect`.
 * @throws DurableUsageError or RangeError if the name, an argument or an option is wrong
 * @throws StepError if the function has failed for good
 */
export async function callEffect(
  durable: DurableRun,
  { attempt, tools }: { readonly attempt: Attempt; readonly tools: RunTools },
  sqlFunction: string,
  args: Readonly<Record<string, unknown>> = {},
  options: EffectOptions = {},
): Promise<unknown> {
  if (typeof sqlFunction !== "string" || !FUNCTION_NAME.test(sqlFunction)) {
    throw new DurableUsageError(
      `ctx.effect: function: has to be the name of a SQL function of the schema public (was ${
        showValue(sqlFunction)
      })`,
    );
  }
  const label = `ctx.effect ${showValue(sqlFunction)}`;
  checkNames(options, OPTIONS, `${label}: `);
  const { task } = attempt;
  const { key, retry } = options;
  if (key !== undefined) checkStepText(key, `${label}: key`);
  const timeoutMs = stepTimeout(label, options, tools.longestMs);
  const given = argumentsOf(label, args);
  const call = {
    ...{ kind: "effect", name: sqlFunction } as const,
    ...(key !== undefined && { key }),
    ...(retry !== undefined && { strategy: tools.retry.strategyFor(task.envelope.type, retry) }),
  };
  return await durable.run(call, async ({ identity, version, keep }) => {
    let stored: { readonly result: unknown } | undefined;
    const work = async () => {
      const request = { version, step: identity, function: sqlFunction, args: given };
      stored = { result: await tools.steps.effect(task, request) };
    };
    try {
      if (timeoutMs === undefined) await work();
      else await withTimeout(sqlFunction, timeoutMs, { attempt, tools }, work);
    } catch (error) {
      // Nothing stops a SQL function: it may have been committed while the end of a late one was awaited.
      if (!stored) throw error;
    }
    keep();
    return stored?.result;
  });
}

/** @throws DurableUsageError that names the value which is no JSON */
function argumentsOf(label: string, args: unknown): Record<string, unknown> {
  try {
    const json = toJson(args);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return json as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw error;
    throw new DurableUsageError(`${label}: ${["args", ...error.path].join(".")}: ${error.message}`);
  }
  throw new DurableUsageError(
    `${label}: args: has to be an object of arguments by name (was ${showValue(args)})`,
  );
}
