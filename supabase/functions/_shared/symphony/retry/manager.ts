/** Decides the outcome of a failed attempt, and writes it. */

import type { AttemptError, Envelope, Stamps } from "../message/envelope.ts";
import { HandlersFailedError } from "../message/errors.ts";
import { describeError, toStorableText } from "../message/describe-error.ts";
import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { Registry } from "../message/registry.ts";
import { type Dead, type Retry, settlementOf } from "../message/outcome.ts";
import type { Transport } from "../transport/transport.ts";
import { judgeError, type Judgement } from "./classify.ts";
import { type AppliedRules, decideFailure } from "./decision.ts";
import {
  type BackoffOptions,
  checkJitter,
  checkNames,
  checkRetry,
  checkStrategy,
  MAX_RETRY_AFTER_MS,
} from "./strategy-options.ts";
import { RetryRules } from "./rules.ts";
import { within } from "../runtime/within.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./strategy.ts";

/** The decision about a failed message. */
export interface RetryResult {
  readonly shouldRetry: boolean;
  /** Ms until the next attempt; 0 if there is none. */
  readonly delay: number;
  /** When the next attempt is due; the current time if there is none. */
  readonly nextAvailableTime: Date;
  /** The new retry count. */
  readonly newRetryCount: number;
  readonly shouldMoveToDeadLetter: boolean;
}

/** Facts about the failed attempt. */
export interface FailedAttempt {
  /** Length of the attempt, in ms. */
  readonly durationMs: number;
  /** Handlers that have succeeded, in this attempt and before. */
  readonly handledBy?: readonly string[];
  /**
   * A handler or middleware threw the error. The error is then judged like any other, even if it is of one
   * of the bus's own classes: an InvalidPayloadError then is about another message that was dispatched.
   */
  readonly byHandler?: boolean;
  /** Decides in place of the type's strategy. */
  readonly strategy?: RetryStrategy;
  /** The attempt made durable calls: an interruption costs no delay, and the second in a row counts as a failure. */
  readonly durable?: boolean;
  /** Least wait before the next attempt, in ms, without a charge: the dispatches of the handlers were refused for now. */
  readonly waitMs?: number;
}

/** Options of a manager. */
export interface RetryManagerOptions {
  /** Strategy of every type that has none of its own. */
  readonly strategy: RetryStrategy;
  /** Transport that decisions are written to; {@link RetryManager.handleFailedMessage} may be given another. */
  readonly transport?: Transport;
  /** Definitions with their `retry`, `classify` and hooks. */
  readonly registry?: Registry;
  readonly log?: Logger;
  readonly now?: () => Date;
  /** Longest wait for a Retry-After, in ms, if the strategy does not bound it; default: a day. */
  readonly maxRetryAfter?: number;
  /** How far a Retry-After is spread upwards if the type has no jitter, 0 to 1; default: 0. */
  readonly retryAfterJitter?: number;
}

const OPTIONS = Object.keys(
  {
    strategy: true,
    transport: true,
    registry: true,
    log: true,
    now: true,
    maxRetryAfter: true,
    retryAfterJitter: true,
  } satisfies Record<keyof RetryManagerOptions, true>,
);

/** Longest texts of the errors of one attempt, in characters. */
const HISTORY_LENGTH = 48_000;
/** Longest time of a hook, in ms. The worker then stops waiting for it. */
const HOOK_TIMEOUT_MS = 10_000;

/** Decides between retry and dead letter queue, by classification first and strategy second. */
export class RetryManager {
  readonly #options: RetryManagerOptions;
  readonly #strategies = new Map<string, RetryStrategy>();
  readonly #log: Logger;
  readonly #rules: RetryRules;
  readonly #now: () => Date;

  /** @throws RangeError that names the wrong option */
  constructor(options: RetryManagerOptions) {
    checkNames(options, OPTIONS);
    checkStrategy(options.strategy, "strategy");
    this.#options = options;
    this.#log = options.log ?? createLogger();
    this.#now = options.now ?? (() => new Date());
    this.#rules = new RetryRules({
      log: this.#log,
      maxRetryAfter: options.maxRetryAfter ?? MAX_RETRY_AFTER_MS,
      retryAfterJitter: checkJitter(options.retryAfterJitter ?? 0, "retryAfterJitter"),
      now: () => this.#now().getTime(),
    });
    for (const definition of options.registry?.values() ?? []) this.#register(definition);
  }

  /** Returns the decision of {@link handleFailedMessage} without writing it. */
  determineRetryAction(envelope: Envelope, error: unknown): RetryResult {
    return this.#result(envelope, this.decide(envelope, error, { durationMs: 0 }));
  }

  /**
   * Decides, and writes the decision under the envelope's lease.
   * @throws RangeError if neither the manager nor the call has a transport
   * @throws TransportError if the decision could not be written; the lease then ends, and the message is
   * delivered again
   */
  async handleFailedMessage(
    envelope: Envelope,
    error: unknown,
    transport: Transport | undefined = this.#options.transport,
  ): Promise<RetryResult> {
    if (!transport) {
      throw new RangeError("transport: is missing; give it to the manager or to this call");
    }
    const outcome = this.decide(envelope, error, { durationMs: 0 });
    const { stale } = await transport.settle([settlementOf(envelope, outcome)]);
    if (stale.length > 0) this.#log.warn("settle_stale", { ids: stale });
    else await this.runHooks(envelope, outcome);
    return this.#result(envelope, outcome);
  }

  /** Decides the outcome of a failed attempt. Never throws, whatever the error and the row hold. */
  decide(envelope: Envelope, error: unknown, attempt: FailedAttempt): Retry | Dead {
    const rules = this.#rulesFor(envelope, error, attempt.strategy);
    return {
      errors: this.#history(envelope, error, attempt),
      ...withHandledBy(envelope.stamps, attempt.handledBy),
      ...decideFailure(envelope, error, attempt, rules),
    };
  }

  /**
   * The strategy of a part of a message's work, such as a step.
   * @param retry a strategy, or options; those that are left out are the type's
   * @throws RangeError that names the wrong option
   */
  strategyFor(type: string, retry: BackoffOptions | RetryStrategy): RetryStrategy {
    checkRetry(retry, "retry");
    if ("getDelay" in retry) return retry;
    const own = this.#strategies.get(type) ?? this.#options.strategy;
    return own instanceof ExponentialBackoffRetryStrategy
      ? own.derive(type, retry)
      : new ExponentialBackoffRetryStrategy(retry);
  }

  #rulesFor(
    { type, retryCount: stored }: Envelope,
    error: unknown,
    given?: RetryStrategy,
  ): AppliedRules {
    const general = this.#options.strategy;
    const strategy = given ?? this.#strategies.get(type) ?? general;
    const strategies = strategy === general ? [general] : [strategy, general];
    // A row that was edited in the SQL editor may hold a number that is no count.
    const retryCount = Number.isSafeInteger(stored) && stored >= 0 ? stored : 0;
    return {
      retryCount,
      backoff: () => this.#rules.delay(strategies, retryCount, type),
      mayRetry: () => this.#rules.mayRetry(strategies, retryCount, type),
      retryAfter: (ms) => this.#rules.retryAfter(strategy, ms, type),
      judge: () => this.#judge(type, error),
    };
  }

  /** The verdict of the type's own rule, or of the general rules if that gives none. */
  #judge(type: string, error: unknown): Pick<Judgement, "says" | "isRequested"> {
    const says = this.#rules.classify(this.#options.registry?.get(type), error);
    return says ? { says, isRequested: false } : judgeError(error, { now: this.#now() });
  }

  /**
   * Calls the type's hook after the outcome was written. Never throws; a hook's error is logged.
   * @param signal ends the wait for a slow hook
   */
  async runHooks(envelope: Envelope, outcome: Retry | Dead, signal?: AbortSignal): Promise<void> {
    // An interruption is neither a failure of the message nor a retry.
    if (outcome.kind === "retry" && outcome.interrupted) return;
    const definition = this.#options.registry?.get(envelope.type);
    const log = this.#log.with({ id: envelope.id, type: envelope.type });
    const failure = { envelope, errors: outcome.errors, log };
    try {
      const hook = outcome.kind === "retry"
        ? definition?.onRetry?.({ ...failure, delayMs: outcome.delayMs })
        : definition?.onDeadLetter?.({ ...failure, reason: outcome.reason });
      if (hook === undefined) return;
      const late = () => new Error("the hook takes too long");
      await within(hook, HOOK_TIMEOUT_MS, late, signal);
    } catch (error) {
      log.error("hook_failed", { outcome: outcome.kind, error: describeError(error).message });
    }
  }

  #register({ type, retry }: MessageDefinition): void {
    const { strategy } = this.#options;
    if (retry === undefined) return;
    if ("getDelay" in retry) this.#strategies.set(type, retry);
    else if (strategy instanceof ExponentialBackoffRetryStrategy) {
      strategy.registerMessageType(type, retry);
    } else this.#strategies.set(type, new ExponentialBackoffRetryStrategy(retry));
  }

  #result(envelope: Envelope, outcome: Retry | Dead): RetryResult {
    const shouldRetry = outcome.kind === "retry";
    const delay = shouldRetry ? outcome.delayMs : 0;
    return {
      shouldRetry,
      delay,
      nextAvailableTime: new Date(this.#now().getTime() + delay),
      newRetryCount: shouldRetry ? outcome.retryCount : envelope.retryCount,
      shouldMoveToDeadLetter: !shouldRetry,
    };
  }

  #history(envelope: Envelope, error: unknown, { durationMs }: FailedAttempt): AttemptError[] {
    const several = isInstance(error, HandlersFailedError) ? readList(error, "failures") : [];
    const failures: unknown[] = several.length > 0 ? several : [{ error }];
    // Postgres keeps 64 KB of a history. Beyond that, the texts of each handler are cut, and no handler is left out.
    const share = Math.floor(HISTORY_LENGTH / failures.length);
    const bounds = share < 6_000 ? { message: share / 3, stack: share * 2 / 3 } : {};
    return failures.map((failure) => ({
      ...describeError(readProperty(failure, "error"), bounds),
      ...handlerOf(failure),
      attempt: envelope.attempts,
      at: this.#now().toISOString(),
      durationMs,
    }));
  }
}

function handlerOf(failure: unknown): { handler?: string } {
  const handler = readProperty(failure, "handler");
  return typeof handler === "string" ? { handler: toStorableText(handler, 255) } : {};
}

function withHandledBy(
  stamps: Stamps,
  handledBy: readonly string[] = [],
): { stamps?: Stamps } {
  return handledBy.length > 0 ? { stamps: { ...stamps, handledBy } } : {};
}
