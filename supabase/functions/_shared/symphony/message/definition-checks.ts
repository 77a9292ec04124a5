/** Checks of a definition's options that need no more than their own value. */

import { checkKey, checkPlainFunction } from "../runtime/checks.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkRetry } from "../retry/strategy-options.ts";
import {
  type BatchMessageOptions,
  type CallerOption,
  CHOSEN_OPTIONS,
  type MessageOptions,
} from "./definition.ts";
import { checkName } from "./names.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { z } from "zod";

/** Every option of a definition. `satisfies` makes the compiler refuse a list that lacks one. */
const OPTIONS = {
  type: true,
  schema: true,
  queue: true,
  lane: true,
  runsOn: true,
  transport: true,
  route: true,
  priority: true,
  retry: true,
  classify: true,
  version: true,
  timeout: true,
  stopGrace: true,
  ttl: true,
  dedupe: true,
  access: true,
  callerOptions: true,
  maxDelay: true,
  sharedGroups: true,
  rateLimit: true,
  maxPayloadBytes: true,
  keep: true,
  result: true,
  live: true,
  onRetry: true,
  onDeadLetter: true,
  handler: true,
  handleBatch: true,
  batch: true,
} satisfies Record<keyof (MessageOptions<z.ZodType> & BatchMessageOptions<z.ZodType>), true>;

/** The options that can be nothing but a function. */
const HOOKS = ["classify", "route", "onRetry", "onDeadLetter", "lane"] as const;

const CALLER_OPTIONS: readonly CallerOption[] = [...CHOSEN_OPTIONS, "cancel"];

/**
 * Checks a definition's option names, and its options that are functions or flags.
 * @throws RangeError that names the option
 */
export function checkDefinition(
  type: string,
  options: Partial<MessageOptions<z.ZodType> & BatchMessageOptions<z.ZodType>>,
): void {
  checkNames(options, Object.keys(OPTIONS), `${type}: `);
  for (const name of HOOKS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw new RangeError(`${type}: ${name}: has to be a function`);
    }
  }
  for (const name of [...HOOKS, "access", "handler", "handleBatch"] as const) {
    checkPlainFunction(options[name], `${type}: ${name}`);
  }
  if (options.retry !== undefined) checkRetry(options.retry, `${type}: retry`);
  if (options.transport !== undefined) {
    checkName(options.transport, `${type}: transport`, 100);
    if (options.route) {
      throw new RangeError(`${type}: route: give either transport or route, not both`);
    }
  }
  for (const name of ["live", "sharedGroups"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw new RangeError(
        `${type}: ${name}: has to be true or false; got ${showValue(options[name])}`,
      );
    }
  }
}

/**
 * Checks the version of a handler: a finite number, or a text of 1 to 255 characters.
 * @throws RangeError that names the field
 */
export function checkVersion(
  value: number | string | undefined,
  field: string,
): number | string | null {
  if (value === undefined) return null;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return checkKey(value, field);
}

/**
 * Checks which options the definition leaves to its callers.
 * @param field name of the option in an error
 * @throws RangeError that names the field
 */
export function checkCallerOptions(value: unknown, field: string): ReadonlySet<CallerOption> {
  const options: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const wrong = options?.find((option) => !CALLER_OPTIONS.some((known) => known === option));
  if (options === undefined || wrong !== undefined) {
    throw new RangeError(
      `${field}: has to be an array of ${CALLER_OPTIONS.join(", ")}; got ${
        showValue(options ? wrong : value)
      }`,
    );
  }
  return new Set(options as readonly CallerOption[]);
}

/**
 * Checks a number of bytes.
 * @throws RangeError that names the field
 */
export function checkBytes(value: number | undefined, field: string): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return value;
  throw new RangeError(`${field}: has to be a whole number of bytes, more than 0`);
}
