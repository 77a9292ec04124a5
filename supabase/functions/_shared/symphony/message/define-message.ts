/** Defines a message: its options are checked once, when the project starts. */

import type { z } from "zod";
import { checkKey, checkPlainFunction } from "../runtime/checks.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { type Access, checkAccess } from "./access.ts";
import { checkBatch } from "./batch-handler.ts";
import { checkDebounce, parseDedupe } from "./dedupe.ts";
import type {
  BatchMessageOptions,
  MessageDefinition,
  MessageOptions,
  MessageRules,
  SentMessageOptions,
} from "./definition.ts";
import {
  checkBytes,
  checkCallerOptions,
  checkDefinition,
  checkVersion,
} from "./definition-checks.ts";
import type { NamedHandler } from "./handler.ts";
import { checkKeep, checkSchema } from "./keep.ts";
import { checkName, checkPriority } from "./names.ts";
import { parseRateLimit } from "./rate-limit.ts";
import { checkRunsOn } from "./runs-on.ts";
import { checkIsOptions, isOptions } from "../runtime/option-names.ts";

/** Default of `stopGrace`: how long a message keeps its slot for a handler that ignores its abort signal. */
const STOP_GRACE_MS = 30_000;

/**
 * Defines a message: its name, its schema, its handlers and its rules.
 * @throws RangeError that names the wrong option
 */
export function defineMessage<
  Schema extends z.ZodType,
  Type extends string,
  Result extends z.ZodType = z.ZodType,
>(
  options: (MessageOptions<Schema> | BatchMessageOptions<Schema> | SentMessageOptions<Schema>) & {
    readonly type: Type;
    readonly result?: Result;
  },
): MessageDefinition<Schema, Type, Result> {
  checkIsOptions(options, "defineMessage: ");
  const { type } = options;
  checkName(type, "type", 200);
  checkDefinition(type, options as Parameters<typeof checkDefinition>[1]);
  const own = <Name extends "classify" | "route" | "onRetry" | "onDeadLetter" | "access" | "lane">(
    name: Name,
  ) => boundTo(options, options[name]);
  return Object.freeze({
    type,
    schema: checkSchema(options.schema, `${type}: schema`),
    ...placeOf(type, options),
    lane: own("lane") as MessageDefinition["lane"],
    transport: options.transport,
    // The function sees only messages of this definition, so the cast is safe.
    route: own("route") as MessageDefinition["route"],
    retry: options.retry,
    classify: own("classify"),
    version: checkVersion(options.version, `${type}: version`),
    ...timesOf(type, options),
    // The rule, as `lane`, is called only with payloads that this definition's schema returned.
    access: checkAccess(
      options.access === undefined ? "secret" : own("access") as Access<z.output<Schema>>,
      `${type}: access`,
    ) as Access,
    ...callersOf(type, options),
    maxPayloadBytes: checkBytes(options.maxPayloadBytes, `${type}: maxPayloadBytes`),
    ...checkKeep(type, options),
    result: options.result === undefined
      ? undefined
      : checkSchema(options.result, `${type}: result`),
    live: options.live ?? false,
    ...handling(type, options),
    onRetry: own("onRetry"),
    onDeadLetter: own("onDeadLetter"),
  });
}

/** Where a message waits and runs. @throws RangeError that names the option */
function placeOf(
  type: string,
  { queue = "default", runsOn = "tick", priority = 0 }: Pick<
    MessageRules<z.ZodType>,
    "queue" | "runsOn" | "priority"
  >,
) {
  return {
    queue: checkName(queue, `${type}: queue`, 100),
    runsOn: checkRunsOn(runsOn, type, queue),
    priority: checkPriority(priority, `${type}: priority`),
  };
}

/** The rights of callers without a secret key. @throws RangeError that names the option */
function callersOf(
  type: string,
  { callerOptions = [], sharedGroups = false, rateLimit }: Pick<
    MessageRules<z.ZodType>,
    "callerOptions" | "sharedGroups" | "rateLimit"
  >,
) {
  return {
    callerOptions: checkCallerOptions(callerOptions, `${type}: callerOptions`),
    sharedGroups,
    rateLimit: rateLimit === undefined
      ? undefined
      : parseRateLimit(rateLimit, `${type}: rateLimit`),
  };
}

/** The durations of a definition, in ms, and how long it holds keys. @throws RangeError that names the option */
function timesOf(
  type: string,
  { timeout = "30s", stopGrace = STOP_GRACE_MS, ttl, maxDelay = "30d", dedupe = "until-finished" }:
    Pick<MessageRules<z.ZodType>, "timeout" | "stopGrace" | "ttl" | "maxDelay" | "dedupe">,
) {
  const ttlMs = ttl === undefined ? undefined : positiveMs(ttl, `${type}: ttl`);
  checkDebounce(type, parseDedupe(dedupe, `${type}: dedupe`), ttlMs);
  return {
    dedupe,
    timeoutMs: positiveMs(timeout, `${type}: timeout`),
    stopGraceMs: parseDuration(stopGrace, `${type}: stopGrace`),
    ttlMs,
    maxDelayMs: parseDuration(maxDelay, `${type}: maxDelay`),
  };
}

/** Parses a duration that has to be more than 0. @throws RangeError that names the field */
function positiveMs(duration: Duration, field: string): number {
  const ms = parseDuration(duration, field);
  if (ms === 0) throw new RangeError(`${field}: has to be more than 0`);
  return ms;
}

/** Binds a method to its object, so that `this` is right wherever the function is called from. */
function boundTo<Value>(owner: object, value: Value): Value {
  return typeof value === "function" ? value.bind(owner) : value;
}

function handling<Schema extends z.ZodType>(
  type: string,
  options: Partial<MessageOptions<Schema> & BatchMessageOptions<Schema>>,
): Pick<MessageDefinition<Schema>, "handlers" | "batch"> {
  const { handler, handleBatch, batch, transport } = options;
  if (handler !== undefined && handleBatch !== undefined) {
    throw new RangeError(`${type}: handleBatch: give either handler or handleBatch, not both`);
  }
  if (handleBatch === undefined && batch !== undefined) {
    throw new RangeError(`${type}: batch: needs handleBatch`);
  }
  // Whether another project handles it is known once the transports are.
  const isSent = transport !== undefined && handler === undefined && handleBatch === undefined;
  if (isSent) return { handlers: [], batch: null };
  return handleBatch === undefined
    ? { handlers: namedHandlers(type, boundTo(options, handler)), batch: null }
    : { handlers: [], batch: checkBatch(type, boundTo(options, handleBatch), batch) };
}

function checkedHandler<Handle>(handle: Handle, field: string): Handle {
  checkPlainFunction(handle, field);
  return handle;
}

function namedHandlers<Schema extends z.ZodType>(
  type: string,
  handler: MessageOptions<Schema>["handler"] | undefined,
): NamedHandler[] {
  // The entries of an array would be handlers with numbers for names.
  const isNamed = handler === undefined || isOptions(handler);
  const handlers = typeof handler === "function"
    ? [{ name: "handler", handle: handler }]
    : Object.entries(isNamed ? handler ?? {} : {}).map(([name, handle]) => ({
      // The name is stored in the message's stamps and in its error history.
      name: checkKey(name, `${type}: handler: name`),
      handle: boundTo(handler ?? {}, checkedHandler(handle, `${type}: handler: ${name}`)),
    }));
  const isWrong = ({ handle }: NamedHandler) => typeof handle !== "function";
  if (handlers.length === 0 || handlers.some(isWrong)) {
    throw new RangeError(
      `${type}: handler: has to be a function, or functions by name; no generator`,
    );
  }
  return handlers;
}
