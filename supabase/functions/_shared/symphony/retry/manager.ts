/** Decides what becomes of a message whose attempt failed, and writes it. */

import { MAX_DURATION_MS } from "../duration.ts";
import type { AttemptError, Envelope, Stamps } from "../envelope.ts";
import {
  CancelledError,
  CrashError,
  HandlersFailedError,
  InvalidPayloadError,
  MessageExpiredError,
  UnknownMessageTypeError,
} from "../errors.ts";
import { describeError } from "../describe-error.ts";
import { createLogger, type Logger } from "../log.ts";
import type { MessageDefinition, Registry } from "../message.ts";
import type { Dead, DeadReason, Retry } from "../outcome.ts";
import type { Transport } from "../transport/transport.ts";
import { classifyError } from "./classify.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./strategy.ts";
import { unknownTypeWait } from "./unknown-type.ts";

/** What becomes of a message that failed. */
export interface RetryResult {
  readonly shouldRetry: boolean;
  /** Ms until the next attempt; 0 where there is none. */
  readonly delay: number;
  /** When the next attempt is due; now where there is none. */
  readonly nextAvailableTime: Date;
  /** The retry count from now on. */
  readonly newRetryCount: number;
  readonly shouldMoveToDeadLetter: boolean;
}

/** What is known about the attempt that failed. */
export interface FailedAttempt {
  /** How long it ran, in ms. */
  readonly durationMs: number;
  /** Handlers that have succeeded, in this attempt and before. */
  readonly handledBy?: readonly string[];
}

/** What a manager is made of. */
export interface RetryManagerOptions {
  /** Decides for every type that has no strategy of its own. */
  readonly strategy: RetryStrategy;
  readonly transport: Transport;
  /** Definitions, whose `retry`, `classify` and hooks are respected. */
  readonly registry?: Registry;
  readonly log?: Logger;
  readonly now?: () => Date;
}

/** How long a hook may take, in ms; after that the worker no longer waits for it. */
const HOOK_TIMEOUT_MS = 10_000;

/** Holds where a user's own strategy throws, or answers what is no delay. */
const fallback = new ExponentialBackoffRetryStrategy({});

/** Decides between retry and dead letter queue, by classification first and strategy second. */
export class RetryManager {
  readonly #options: RetryManagerOptions;
  readonly #strategies = new Map<string, RetryStrategy>();
  readonly #log: Logger;
  readonly #now: () => Date;

  constructor(options: RetryManagerOptions) {
    this.#options = options;
    this.#log = options.log ?? createLogger();
    this.#now = options.now ?? (() => new Date());
    for (const definition of options.registry?.values() ?? []) this.#register(definition);
  }

  /** What {@link handleFailedMessage} would do; nothing is written. */
  determineRetryAction(envelope: Envelope, error: unknown): RetryResult {
    return this.#result(envelope, this.decide(envelope, error, { durationMs: 0 }));
  }

  /**
   * Decides, and writes the decision under the envelope's lease.
   * @throws TransportError if it could not be written; the lease runs out then, and the message is
   * delivered again
   */
  async handleFailedMessage(
    envelope: Envelope,
    error: unknown,
    transport: Transport = this.#options.transport,
  ): Promise<RetryResult> {
    const outcome = this.decide(envelope, error, { durationMs: 0 });
    const { id, leaseToken } = envelope;
    const { stale } = await transport.settle([{ id, leaseToken, outcome }]);
    if (stale.length > 0) this.#log.warn("settle_stale", { ids: stale });
    else await this.runHooks(envelope, outcome);
    return this.#result(envelope, outcome);
  }

  /** The outcome of a failed attempt. */
  decide(envelope: Envelope, error: unknown, attempt: FailedAttempt): Retry | Dead {
    const errors = this.#history(envelope, error, attempt);
    const stamps = withHandledBy(envelope.stamps, attempt.handledBy);
    const dead = (reason: DeadReason): Dead => ({ kind: "dead", reason, errors, ...stamps });
    const retry = (delay: number, retryCount = envelope.retryCount + 1): Retry => {
      const delayMs = delay >= 0 && delay <= MAX_DURATION_MS ? delay : fallback.getDelay(0);
      return { kind: "retry", delayMs, retryCount, errors, ...stamps };
    };
    const strategy = this.#strategies.get(envelope.type) ?? this.#options.strategy;
    const { type, retryCount } = envelope;
    const backoff = () =>
      this.#trusting(
        () => strategy.getDelay(retryCount, type),
        () => fallback.getDelay(retryCount),
      );
    const mayRetry = () =>
      this.#trusting(
        () => strategy.shouldRetry(retryCount, type),
        () => fallback.shouldRetry(retryCount),
      );

    if (error instanceof UnknownMessageTypeError && error.type === type) {
      const wait = unknownTypeWait(envelope);
      if (wait === null) return dead("unknown_type");
      return { ...retry(wait.delayMs, retryCount), stamps: wait.stamps };
    }
    if (error instanceof InvalidPayloadError) return dead("invalid");
    if (error instanceof MessageExpiredError) return dead("expired");
    if (error instanceof CancelledError) return dead("cancelled");
    if (error instanceof CrashError) {
      // A crash takes a whole batch with it. Only a message that ran alone is known to be guilty;
      // until then the crash is not charged, and the message has to run alone from now on.
      if (!envelope.alone) return { ...retry(backoff(), envelope.retryCount), alone: true };
      return mayRetry() ? { ...retry(backoff()), alone: true } : dead("crashed");
    }

    const classify = this.#options.registry?.get(type)?.classify;
    const classification = this.#trusting(() => classify?.(error), () => undefined) ??
      classifyError(error, { now: this.#now() });
    switch (classification.kind) {
      case "unrecoverable":
        return dead("unrecoverable");
      case "recoverable":
        if (classification.countsAgainstLimit && !mayRetry()) return dead("exhausted");
        return retry(classification.retryDelay ?? backoff());
      case "unknown":
        return mayRetry() ? retry(backoff()) : dead("exhausted");
    }
  }

  /** Tells the type's hooks what was written. Never throws; a hook's error is logged. */
  async runHooks(envelope: Envelope, outcome: Retry | Dead): Promise<void> {
    const definition = this.#options.registry?.get(envelope.type);
    const log = this.#log.with({ id: envelope.id, type: envelope.type });
    const failure = { envelope, errors: outcome.errors, log };
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const hook = outcome.kind === "retry"
        ? definition?.onRetry?.({ ...failure, delayMs: outcome.delayMs })
        : definition?.onDeadLetter?.({ ...failure, reason: outcome.reason });
      const timeout = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("the hook takes too long")), HOOK_TIMEOUT_MS);
      });
      await Promise.race([hook, timeout]);
    } catch (error) {
      log.error("hook_failed", { outcome: outcome.kind, error: describeError(error).message });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a user's rule; where it throws, the fallback holds, for no message may be lost by that. */
  #trusting<Answer>(rule: () => Answer, otherwise: () => Answer): Answer {
    try {
      return rule();
    } catch (error) {
      this.#log.error("retry_rule_failed", { error: describeError(error).message });
      return otherwise();
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
    const failures = error instanceof HandlersFailedError ? error.failures : [{ error }];
    return failures.map((failure) => ({
      ...describeError(failure.error),
      ...("handler" in failure && { handler: failure.handler }),
      attempt: envelope.attempts,
      at: this.#now().toISOString(),
      durationMs,
    }));
  }
}

function withHandledBy(
  stamps: Stamps,
  handledBy: readonly string[] = [],
): { stamps?: Stamps } {
  return handledBy.length > 0 ? { stamps: { ...stamps, handledBy } } : {};
}
