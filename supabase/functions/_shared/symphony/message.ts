/** Message definitions: a type's name, its schema, its handlers and its rules, written once. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { z } from "zod";
import { type Access, checkAccess } from "./access.ts";
import { type Batch, type BatchHandler, type BatchOptions, checkBatch } from "./batch.ts";
import type { DispatchOptions } from "./bus.ts";
import { checkKey } from "./checks.ts";
import { type Dedupe, parseDedupe } from "./dedupe.ts";
import { type Duration, parseDuration } from "./duration.ts";
import type { AttemptError, Envelope, ScheduleStamp, UserStamp } from "./envelope.ts";
import { isGenerator } from "./inspect.ts";
import type { Logger } from "./log.ts";
import { checkBytes, checkCallerOptions, checkDefinition } from "./message-checks.ts";
import type { DeadReason } from "./outcome.ts";
import { type CheckedRateLimit, parseRateLimit, type RateLimit } from "./rate-limit.ts";
import type { Classification } from "./retry/classify.ts";
import type { BackoffOptions, RetryStrategy } from "./retry/strategy.ts";

/**
 * What a handler gets beside the payload. Pass it on as it is: a copy made by `{ ...ctx }` lacks signal,
 * log and progress, which are made only when they are looked at.
 */
export interface HandlerContext {
  readonly envelope: Envelope;
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** Aborted at the timeout, when the message is cancelled or its lease lost, and at the worker's end. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Dispatches a further message. */
  readonly dispatch: Dispatch;
  /** A client with the secret key; it passes row level security by. */
  readonly supabase: SupabaseClient;
  /** The occurrence this message was made for, if a schedule made it. */
  readonly schedule: ScheduleStamp | null;
  /** Who dispatched it over HTTPS, if a user did. */
  readonly user: UserStamp | null;
  /**
   * Tells whoever follows the message how much is done, from 0 to 1, and a note of at most 200
   * characters, which they may read. Written once a second at most; throws a RangeError for others.
   */
  readonly progress: (value: number, note?: string) => void;
}

/** Dispatches one message and answers its id. */
export type Dispatch = <Schema extends z.ZodType>(
  definition: MessageDefinition<Schema>,
  payload: z.input<Schema>,
  options?: DispatchOptions,
) => Promise<string>;

/**
 * Does the work of a message. Throwing is failing; returning what `snooze()` made asks for the message
 * again later; what else it returns is not looked at.
 */
export type Handler<Payload> = (payload: Payload, ctx: HandlerContext) => unknown;

/** Options of a dispatch that a definition may leave to its users. */
export type CallerOption = "delay" | "availableAt" | "queue" | "priority" | "groupKey" | "schedule";

/** What a hook is told about a message that failed. */
export interface Failure {
  readonly envelope: Envelope;
  /** What went wrong this time. */
  readonly errors: readonly AttemptError[];
  readonly log: Logger;
}

/** What a user writes about a message, whatever handles it. */
export interface MessageRules<Schema extends z.ZodType> {
  /** Unique name: letters, digits and `_ . : -`. */
  readonly type: string;
  /** Checks the payload, when it is dispatched and again before it is handled. */
  readonly schema: Schema;
  /** Queue it waits in; `default` where absent. */
  readonly queue?: string;
  /** Higher goes first within the queue, -1000 to 1000; 0 where absent. */
  readonly priority?: number;
  /** Backoff of this type (what it leaves out is inherited), or a strategy of its own. */
  readonly retry?: BackoffOptions | RetryStrategy;
  /** Judges this type's errors before the general rules; undefined leaves the error to them. */
  readonly classify?: (error: unknown) => Classification | undefined;
  /** How long one attempt may take; 30 s where absent. */
  readonly timeout?: Duration;
  /**
   * A handler that a stop did not end keeps its slot, and its message its place in its group and its
   * queue's limits, for so long at most; 30 s where absent. After that the retry may run beside it.
   */
  readonly stopGrace?: Duration;
  /** How long the message matters: older ones go to the dead letters unrun. */
  readonly ttl?: Duration;
  /** How long a dispatch's `dedupeKey` is held; until the message is finished where absent. */
  readonly dedupe?: Dedupe;
  /** Who may dispatch it over HTTPS; secret keys only where absent. */
  readonly access?: Access<z.output<Schema>>;
  /** Which options callers without a secret key may choose; none where absent. */
  readonly callerOptions?: readonly CallerOption[];
  /** How far ahead callers without a secret key may put it, by delay or availableAt; 30 days where absent. */
  readonly maxDelay?: Duration;
  /**
   * Whether group keys of callers without a secret key mean the same group for all; where absent, each
   * caller has groups of their own, for a group's messages wait for each other.
   */
  readonly sharedGroups?: boolean;
  /** How many of it callers without a secret key may dispatch; no limit where absent. */
  readonly rateLimit?: RateLimit;
  /** How long its payload may be as JSON, in bytes of UTF-8; the request's limit holds where absent. */
  readonly maxPayloadBytes?: number;
  /** For how long it is remembered that a message was handled; not at all where absent. */
  readonly keep?: Duration;
  /** Tells the user who dispatched it of each change, over Realtime; not done where absent. */
  readonly live?: boolean;
  /** Told of each retry; an interruption or a snooze is none. An error in it is logged and changes nothing. */
  readonly onRetry?: (failure: Failure & { readonly delayMs: number }) => unknown;
  /** Told when a message is given up: an alert goes here. An error in it is logged. */
  readonly onDeadLetter?: (failure: Failure & { readonly reason: DeadReason }) => unknown;
}

/** What a user writes; see {@link defineMessage}. */
export interface MessageOptions<Schema extends z.ZodType> extends MessageRules<Schema> {
  /** One handler, or several by name: a retry skips those that already succeeded. */
  readonly handler: Handler<z.output<Schema>> | Readonly<Record<string, Handler<z.output<Schema>>>>;
}

/** What a user writes where several messages are handled at once; see {@link defineMessage}. */
export interface BatchMessageOptions<Schema extends z.ZodType> extends MessageRules<Schema> {
  /** Handles up to `batch.size` messages that are due, in the place of `handler`. */
  readonly handleBatch: BatchHandler<z.output<Schema>>;
  readonly batch?: BatchOptions;
}

/** A checked definition, with durations in ms and defaults filled in. Its type's name is a type too. */
export interface MessageDefinition<
  Schema extends z.ZodType = z.ZodType,
  Type extends string = string,
> {
  readonly type: Type;
  readonly schema: Schema;
  readonly queue: string;
  readonly priority: number;
  readonly retry: BackoffOptions | RetryStrategy | undefined;
  readonly classify: ((error: unknown) => Classification | undefined) | undefined;
  readonly timeoutMs: number;
  readonly stopGraceMs: number;
  readonly ttlMs: number | undefined;
  readonly dedupe: Dedupe;
  readonly access: Access;
  readonly callerOptions: ReadonlySet<CallerOption>;
  readonly maxDelayMs: number;
  readonly sharedGroups: boolean;
  readonly rateLimit: CheckedRateLimit | undefined;
  readonly maxPayloadBytes: number | undefined;
  readonly keepMs: number | undefined;
  readonly live: boolean;
  /** Empty where messages are handled in batches. */
  readonly handlers: readonly NamedHandler[];
  /** What handles several messages at once; null where each is handled by itself. */
  readonly batch: Batch | null;
  readonly onRetry: MessageRules<Schema>["onRetry"];
  readonly onDeadLetter: MessageRules<Schema>["onDeadLetter"];
}

/** A handler and the name it is remembered by. */
export interface NamedHandler {
  readonly name: string;
  // The payload was parsed by the definition's own schema before it gets here.
  // deno-lint-ignore no-explicit-any
  readonly handle: Handler<any>;
}

/** How long a stopped handler that still works is waited for where the definition does not say, in ms. */
const STOP_GRACE_MS = 30_000;

const NAME = /^[A-Za-z0-9_.:-]+$/;

/**
 * Checks a name and answers it.
 * @throws RangeError that names the field
 */
export function checkName(value: unknown, field: string, maxLength: number): string {
  if (typeof value !== "string" || value.length > maxLength || !NAME.test(value)) {
    throw new RangeError(`${field}: has to be 1 to ${maxLength} letters, digits or _ . : -`);
  }
  return value;
}

/**
 * Checks a priority and answers it.
 * @throws RangeError that names the field
 */
export function checkPriority(value: unknown, field: string): number {
  if (!Number.isInteger(value) || Number(value) < -1000 || Number(value) > 1000) {
    throw new RangeError(`${field}: has to be a whole number from -1000 to 1000`);
  }
  return Number(value);
}

/**
 * Defines a message: its name, its schema, its handlers and its rules.
 * @throws RangeError that names the option which is wrong
 */
export function defineMessage<Schema extends z.ZodType, Type extends string>(
  options: (MessageOptions<Schema> | BatchMessageOptions<Schema>) & { readonly type: Type },
): MessageDefinition<Schema, Type> {
  const { type } = options;
  checkName(type, "type", 200);
  checkDefinition(type, options as Parameters<typeof checkDefinition>[1]);
  if (typeof options.schema?.safeParse !== "function" || !("_zod" in options.schema)) {
    throw new RangeError(`${type}: schema: has to be a zod schema, of zod 4`);
  }
  const timeoutMs = parseDuration(options.timeout ?? "30s", `${type}: timeout`);
  if (timeoutMs === 0) throw new RangeError(`${type}: timeout: has to be more than 0`);
  const dedupe = options.dedupe ?? "until-finished";
  parseDedupe(dedupe, `${type}: dedupe`);
  const ttlMs = options.ttl === undefined ? undefined : parseDuration(options.ttl, `${type}: ttl`);
  if (ttlMs === 0) throw new RangeError(`${type}: ttl: has to be more than 0`);
  const own = <Name extends "classify" | "onRetry" | "onDeadLetter" | "access">(name: Name) =>
    boundTo(options, options[name]);
  return Object.freeze({
    type,
    schema: options.schema,
    queue: checkName(options.queue ?? "default", `${type}: queue`, 100),
    priority: checkPriority(options.priority ?? 0, `${type}: priority`),
    retry: options.retry,
    classify: own("classify"),
    timeoutMs,
    stopGraceMs: parseDuration(options.stopGrace ?? STOP_GRACE_MS, `${type}: stopGrace`),
    ttlMs,
    dedupe,
    // The rule is asked only about payloads that the definition's own schema gave.
    access: checkAccess(own("access") ?? "secret", `${type}: access`) as Access,
    callerOptions: checkCallerOptions(options.callerOptions ?? [], `${type}: callerOptions`),
    maxDelayMs: parseDuration(options.maxDelay ?? "30d", `${type}: maxDelay`),
    sharedGroups: options.sharedGroups ?? false,
    rateLimit: options.rateLimit === undefined
      ? undefined
      : parseRateLimit(options.rateLimit, `${type}: rateLimit`),
    maxPayloadBytes: checkBytes(options.maxPayloadBytes, `${type}: maxPayloadBytes`),
    keepMs: options.keep === undefined ? undefined : parseDuration(options.keep, `${type}: keep`),
    live: options.live ?? false,
    ...handling(type, options),
    onRetry: own("onRetry"),
    onDeadLetter: own("onDeadLetter"),
  });
}

/** What may be a method, so that it finds its object as `this` wherever it is called from. */
function boundTo<Value>(owner: object, value: Value): Value {
  return typeof value === "function" ? value.bind(owner) : value;
}

function handling<Schema extends z.ZodType>(
  type: string,
  options: Partial<MessageOptions<Schema> & BatchMessageOptions<Schema>>,
): Pick<MessageDefinition<Schema>, "handlers" | "batch"> {
  const { handler, handleBatch, batch } = options;
  if (handler !== undefined && handleBatch !== undefined) {
    throw new RangeError(`${type}: handleBatch: give either handler or handleBatch, not both`);
  }
  if (handleBatch === undefined && batch !== undefined) {
    throw new RangeError(`${type}: batch: needs handleBatch`);
  }
  return handleBatch === undefined
    ? { handlers: namedHandlers(type, boundTo(options, handler)), batch: null }
    : { handlers: [], batch: checkBatch(type, boundTo(options, handleBatch), batch) };
}

function namedHandlers<Schema extends z.ZodType>(
  type: string,
  handler: MessageOptions<Schema>["handler"] | undefined,
): NamedHandler[] {
  const handlers = typeof handler === "function"
    ? [{ name: "handler", handle: handler }]
    : Object.entries(handler ?? {}).map(([name, handle]) => ({
      // It is stored with the message: in the stamps, and in the history of what failed.
      name: checkKey(name, `${type}: handler: name`),
      handle: boundTo(handler ?? {}, handle),
    }));
  const isWrong = ({ handle }: NamedHandler) => typeof handle !== "function" || isGenerator(handle);
  if (handlers.length === 0 || handlers.some(isWrong)) {
    throw new RangeError(
      `${type}: handler: has to be a function, or functions by name; no generator`,
    );
  }
  return handlers;
}

/** The definitions of a project by type. */
export type Registry = ReadonlyMap<string, MessageDefinition>;

/**
 * Makes the registry of a project's definitions.
 * @throws RangeError if two definitions have one type
 */
export function createRegistry(messages: readonly MessageDefinition[]): Registry {
  const registry = new Map<string, MessageDefinition>();
  for (const definition of messages) {
    if (registry.has(definition.type)) {
      throw new RangeError(`messages: two definitions have the type ${definition.type}`);
    }
    registry.set(definition.type, definition);
  }
  return registry;
}
