/** What a message definition says: its type, its schema, its handlers and its rules. */

import type { z } from "zod";
import type { Classification } from "../retry/classify.ts";
import type { BackoffOptions, RetryStrategy } from "../retry/strategy.ts";
import type { Duration } from "../runtime/duration.ts";
import type { Logger } from "../runtime/log.ts";
import type { Access } from "./access.ts";
import type { Batch, BatchHandler, BatchOptions } from "./batch-handler.ts";
import type { Dedupe } from "./dedupe.ts";
import type { AttemptError, Envelope } from "./envelope.ts";
import type { Handler, NamedHandler } from "./handler.ts";
import type { DeadReason } from "./outcome.ts";
import type { CheckedRateLimit, RateLimit } from "./rate-limit.ts";

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
