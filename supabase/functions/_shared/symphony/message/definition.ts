/** Message definitions: their types, schemas, handlers and rules. */

import type { z } from "zod";
import type { Classification } from "../retry/classify.ts";
import type { BackoffOptions, RetryStrategy } from "../retry/strategy.ts";
import type { Duration } from "../runtime/duration.ts";
import type { Logger } from "../runtime/log.ts";
import type { Access } from "./access.ts";
import type { Batch, BatchHandler, BatchOptions } from "./batch-handler.ts";
import type { Dedupe } from "./dedupe.ts";
import type { AttemptError, Envelope, OutgoingMessage } from "./envelope.ts";
import type { Handler, NamedHandler } from "./handler.ts";
import type { DeadReason } from "./dead-reason.ts";
import type { CheckedRateLimit, RateLimit } from "./rate-limit.ts";

/** Options of a dispatch that callers without a secret key may choose if the definition says so. */
export const CHOSEN_OPTIONS = [
  "delay",
  "availableAt",
  "queue",
  "lane",
  "priority",
  "groupKey",
  "dedupeKey",
  "transport",
  "schedule",
] as const;

/**
 * A right that a definition may give to callers without a secret key: to choose an option of a dispatch, or, by
 * `cancel`, to cancel messages that they dispatched.
 */
export type CallerOption = typeof CHOSEN_OPTIONS[number] | "cancel";

/** Where a message runs: `tick`: the function, and workers that name the queue. `worker`: resident workers only. */
export type RunsOn = "tick" | "worker";

/** A failed message, as hooks receive it. */
export interface Failure {
  readonly envelope: Envelope;
  /** The errors of the attempt that failed. */
  readonly errors: readonly AttemptError[];
  readonly log: Logger;
}

/** A message as a route's function sees it. Its payload is JSON: a Date is a text by then. */
export interface RoutedMessage<Payload = unknown> extends OutgoingMessage {
  readonly payload: Payload;
}

/** Options of a definition that are the same for single and batch handlers. */
export interface MessageRules<Schema extends z.ZodType> {
  /** Unique name: letters, digits and `_ . : -`. */
  readonly type: string;
  /** Checks the payload when it is dispatched, and again before it is handled. */
  readonly schema: Schema;
  /** Queue that the message waits in; default: `default`. */
  readonly queue?: string;
  /**
   * Finds the message's lane in its queue: the tenant that the payload belongs to. Each lane is a queue of its own, and
   * lanes share what their queue gets, so that no tenant waits behind the backlog of another. Any text of 1 to 100
   * bytes names a lane. Default: no lane.
   */
  readonly lane?: (payload: z.output<Schema>) => string;
  /**
   * Where its handlers run; default: `tick`, the function. With `worker` they run in resident workers only
   * (`symphony-messenger worker`), and the message needs a queue of its own.
   */
  readonly runsOn?: RunsOn;
  /**
   * Transport that the message goes through, one of `config.transports`; default: `home`, the project's Postgres.
   * `config.routing` and the option of a dispatch come before it. A type that always goes to another project needs no
   * handler here.
   */
  readonly transport?: string;
  /** Returns the transport of each message, instead of `transport`. SQL cannot call it, and names the transport itself. */
  readonly route?: (message: RoutedMessage<z.input<Schema>>) => string;
  /** Priority within the queue, -1000 to 1000; higher goes first; default: 0. */
  readonly priority?: number;
  /** Backoff of this type (options that are left out are inherited), or a strategy. */
  readonly retry?: BackoffOptions | RetryStrategy;
  /** Classifies this type's errors before the general rules; undefined leaves an error to those rules. */
  readonly classify?: (error: unknown) => Classification | undefined;
  /**
   * Version of the handler. A message keeps the version that it had at its first durable step, which the
   * handler reads as `ctx.version`; default: null.
   */
  readonly version?: number | string;
  /** Longest time of one attempt, or from one stored step to the next; default: 30 s. */
  readonly timeout?: Duration;
  /**
   * How long a handler that ignores its abort signal keeps its slot, and its message its place in its
   * group and its queue's limits; default: 30 s. After that the retry may run beside the handler.
   */
  readonly stopGrace?: Duration;
  /** Time to live. An older message goes to the dead letters without an attempt. */
  readonly ttl?: Duration;
  /** How long a dispatch's `dedupeKey` is held, and which payload wins; default: the first, until it is finished. */
  readonly dedupe?: Dedupe;
  /** Access rule for dispatches over HTTPS; default: secret keys only. */
  readonly access?: Access<z.output<Schema>>;
  /** Options that callers without a secret key may choose, and whether users may cancel; default: none. */
  readonly callerOptions?: readonly CallerOption[];
  /** Longest delay that callers without a secret key may choose, by `delay` or `availableAt`; default: 30 days. */
  readonly maxDelay?: Duration;
  /**
   * Whether a group key means one group for all callers without a secret key; default: false. Each caller
   * then has groups of their own, so that no caller can make another's messages wait.
   */
  readonly sharedGroups?: boolean;
  /** How many messages callers without a secret key may dispatch; default: no limit. */
  readonly rateLimit?: RateLimit;
  /** Largest payload, in bytes of JSON in UTF-8; default: the request's limit. */
  readonly maxPayloadBytes?: number;
  /**
   * How long a handled message is remembered; default: not at all. With `result: true` what the handler returned
   * is remembered too: JSON of at most 256 kB, for those who follow the message.
   */
  readonly keep?: Duration | { readonly for: Duration; readonly result?: boolean };
  /** Checks what the handler returned, where it is kept; a value that it refuses makes the message a dead letter. */
  readonly result?: z.ZodType;
  /** Whether the user who dispatched the message is told of each change over Realtime; default: false. */
  readonly live?: boolean;
  /** Called at each retry, but not at interruptions and snoozes. An error in the hook is logged and changes nothing. */
  readonly onRetry?: (failure: Failure & { readonly delayMs: number }) => unknown;
  /** Called when a message becomes a dead letter; the place for an alert. An error in the hook is logged. */
  readonly onDeadLetter?: (failure: Failure & { readonly reason: DeadReason }) => unknown;
}

/** Options of {@link defineMessage} for a handler of single messages. */
export interface MessageOptions<Schema extends z.ZodType> extends MessageRules<Schema> {
  /** One handler, or several by name: a retry skips handlers that have succeeded. */
  readonly handler: Handler<z.output<Schema>> | Readonly<Record<string, Handler<z.output<Schema>>>>;
}

/** Options of {@link defineMessage} for a handler of several messages at once. */
export interface BatchMessageOptions<Schema extends z.ZodType> extends MessageRules<Schema> {
  /** Handles up to `batch.size` due messages in one call; replaces `handler`. */
  readonly handleBatch: BatchHandler<z.output<Schema>>;
  readonly batch?: BatchOptions;
}

/** Options of {@link defineMessage} for a message that another project handles. */
export interface SentMessageOptions<Schema extends z.ZodType> extends MessageRules<Schema> {
  readonly transport: string;
}

/** A checked definition. Durations are in ms, defaults are filled in, and `Type` is the type's literal name. */
export interface MessageDefinition<
  Schema extends z.ZodType = z.ZodType,
  Type extends string = string,
  Result extends z.ZodType = z.ZodType,
> {
  readonly type: Type;
  readonly schema: Schema;
  readonly queue: string;
  /** Finds the lane in the payload, as the schema returned it; undefined if messages have no lanes. */
  readonly lane: ((payload: unknown) => string) | undefined;
  readonly runsOn: RunsOn;
  readonly transport: string | undefined;
  readonly route: ((message: RoutedMessage) => string) | undefined;
  readonly priority: number;
  readonly retry: BackoffOptions | RetryStrategy | undefined;
  readonly classify: ((error: unknown) => Classification | undefined) | undefined;
  readonly version: number | string | null;
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
  /** Whether what the handler returned is kept as well. */
  readonly keepsResult: boolean;
  /** Checks what the handler returned; undefined if any JSON will do. */
  readonly result: Result | undefined;
  readonly live: boolean;
  /** Handlers by name; empty where the definition has a batch handler. */
  readonly handlers: readonly NamedHandler[];
  /** The batch handler; null where each message is handled by itself. */
  readonly batch: Batch | null;
  readonly onRetry: MessageRules<Schema>["onRetry"];
  readonly onDeadLetter: MessageRules<Schema>["onDeadLetter"];
}
