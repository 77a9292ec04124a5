/** Decides what becomes of a message whose attempt failed, and writes it. */

import type { AttemptError, Envelope, Stamps } from "../message/envelope.ts";
import {
  CancelledError,
  CrashError,
  HandlersFailedError,
  InvalidPayloadError,
  LeaseLostError,
  MessageExpiredError,
  UnknownMessageTypeError,
  WorkerStoppedError,
} from "../message/errors.ts";
import { describeError, toStorableText } from "../message/describe-error.ts";
import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { Registry } from "../message/registry.ts";
import {
  boundedDelay,
  type Dead,
  type DeadReason,
  MAX_DELAY_MS,
  MIN_DELAY_MS,
  type Retry,
  settlementOf,
} from "../message/outcome.ts";
import type { Transport } from "../transport/transport.ts";
import { judgeError, type Judgement } from "./classify.ts";
import { checkJitter, checkNames, checkStrategy, MAX_RETRY_AFTER_MS } from "./strategy-options.ts";
import { RetryRules } from "./rules.ts";
import { within } from "../runtime/within.ts";
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
  /**
   * A handler or middleware threw the error. Then it is judged as any other, also where the bus has a reason of
   * its own for errors of this class: an InvalidPayloadError is of another message that was dispatched.
   */
  readonly byHandler?: boolean;
}

/** What a manager is made of. */
export interface RetryManagerOptions {
  /** Decides for every type that has no strategy of its own. */
  readonly strategy: RetryStrategy;
  /** Where decisions are written, unless {@link RetryManager.handleFailedMessage} is given another. */
  readonly transport?: Transport;
  /** Definitions, whose `retry`, `classify` and hooks are respected. */
  readonly registry?: Registry;
  readonly log?: Logger;
  readonly now?: () => Date;
  /** Longest wait for a Retry-After, in ms, where the strategy does not say; a day where absent. */
  readonly maxRetryAfter?: number;
  /** How far a Retry-After is spread upwards where the type has no jitter, 0 to 1; 0 where absent. */
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

/** How long a hook may take, in ms; after that the worker no longer waits for it. */
const HOOK_TIMEOUT_MS = 10_000;

/** After this many interruptions the message is a dead letter: its worker never lives long enough for it. */
const MAX_INTERRUPTIONS = 10;
/** Retries that may come after less than {@link MIN_DELAY_MS}: a user's strategy may never end. */
const FAST_RETRIES = 10;

/** Decides between retry and dead letter queue, by classification first and strategy second. */
export class RetryManager {
  readonly #options: RetryManagerOptions;
  readonly #strategies = new Map<string, RetryStrategy>();
  readonly #log: Logger;
  readonly #rules: RetryRules;
  readonly #now: () => Date;

  /** @throws RangeError that names the option which is wrong */
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

  /** What {@link handleFailedMessage} would do; nothing is written. */
  determineRetryAction(envelope: Envelope, error: unknown): RetryResult {
    return this.#result(envelope, this.decide(envelope, error, { durationMs: 0 }));
  }

  /**
   * Decides, and writes the decision under the envelope's lease.
   * @throws RangeError if neither the manager nor the call has a transport
   * @throws TransportError if it could not be written; the lease runs out then, and the message is
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

  /** The outcome of a failed attempt. Never throws, whatever was thrown and whatever the row holds. */
  decide(envelope: Envelope, error: unknown, attempt: FailedAttempt): Retry | Dead {
    const { type } = envelope;
    // A row that was written in the SQL editor may hold a number that counts nothing.
    const isCount = Number.isSafeInteger(envelope.retryCount) && envelope.retryCount >= 0;
    const retryCount = isCount ? envelope.retryCount : 0;
    const errors = this.#history(envelope, error, attempt);
    const stamps = withHandledBy(envelope.stamps, attempt.handledBy);
    const dead = (reason: DeadReason): Dead => ({ kind: "dead", reason, errors, ...stamps });
    const retry = (delay: number, nextCount = retryCount + 1): Retry => {
      const delayMs = boundedDelay(delay, nextCount > FAST_RETRIES ? MIN_DELAY_MS : 0);
      return { kind: "retry", delayMs, retryCount: nextCount, errors, ...stamps };
    };
    const general = this.#options.strategy;
    const strategy = this.#strategies.get(type) ?? general;
    const strategies = strategy === general ? [general] : [strategy, general];
    const backoff = () => this.#rules.delay(strategies, retryCount, type);
    const mayRetry = () => this.#rules.mayRetry(strategies, retryCount, type);

    if (isInterruption(error)) {
      if ((envelope.interruptions ?? 0) >= MAX_INTERRUPTIONS) return dead("interrupted");
      return { ...retry(MIN_DELAY_MS, retryCount), interrupted: true };
    }

    if (!attempt.byHandler) {
      if (isInstance(error, UnknownMessageTypeError) && error.type === type) {
        const wait = unknownTypeWait(envelope);
        if (wait === null) return dead("unknown_type");
        return { ...retry(wait.delayMs, retryCount), stamps: wait.stamps };
      }
      if (isInstance(error, InvalidPayloadError)) return dead("invalid");
      if (isInstance(error, MessageExpiredError)) return dead("expired");
      if (isInstance(error, CancelledError)) return dead("cancelled");
      if (isInstance(error, CrashError)) {
        // A crash takes all running messages with it. Only a quarantined message ran alone and is
        // known to be guilty; any other is quarantined, and the crash is not charged to it.
        if (!envelope.quarantined) return { ...retry(backoff(), retryCount), quarantined: true };
        return mayRetry() ? { ...retry(backoff()), quarantined: true } : dead("crashed");
      }
    }

    const delayOf = (ms: number | undefined, isRequested: boolean) => {
      // No wait at all, or one of more than a year, is nothing that the other side can mean.
      if (ms === undefined || ms > MAX_DELAY_MS || (isRequested && ms === 0)) return backoff();
      return isRequested ? this.#rules.retryAfter(strategy, ms, type) : ms;
    };
    const { says, isRequested } = this.#judge(type, error);
    switch (says.kind) {
      case "unrecoverable":
        return dead("unrecoverable");
      case "recoverable":
        if (says.countsAgainstLimit && !mayRetry()) return dead("exhausted");
        return retry(Math.max(
          delayOf(says.retryDelay, isRequested),
          says.countsAgainstLimit ? 0 : MIN_DELAY_MS,
        ));
      case "unknown":
        return mayRetry() ? retry(backoff()) : dead("exhausted");
    }
  }

  /** What the type's own rule says about an error, and the general ones where it says nothing. */
  #judge(type: string, error: unknown): Pick<Judgement, "says" | "isRequested"> {
    const says = this.#rules.classify(this.#options.registry?.get(type), error);
    return says ? { says, isRequested: false } : judgeError(error, { now: this.#now() });
  }

  /**
   * Tells the type's hooks what was written. Never throws; a hook's error is logged.
   * @param signal ends the wait for a hook that takes long
   */
  async runHooks(envelope: Envelope, outcome: Retry | Dead, signal?: AbortSignal): Promise<void> {
    // It counts neither as a failure of the message nor as a retry.
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
    return failures.map((failure) => ({
      ...describeError(readProperty(failure, "error")),
      ...handlerOf(failure),
      attempt: envelope.attempts,
      at: this.#now().toISOString(),
      durationMs,
    }));
  }
}

/**
 * Its worker had to end, or to let go of the message, before its handlers were done. Of several errors all
 * have to say so: a handler that failed for another reason has failed.
 */
function isInterruption(error: unknown): boolean {
  const errors = isInstance(error, HandlersFailedError) ? readList(error, "errors") : [error];
  return errors.length > 0 &&
    errors.every((one) => isInstance(one, WorkerStoppedError) || isInstance(one, LeaseLostError));
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
