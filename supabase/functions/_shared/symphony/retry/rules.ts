/**
 * Calls the users' retry rules and checks their results: a strategy's delays and limits, and a type's own
 * classification. If a rule throws or returns something else, that is logged and the general rule holds.
 */

import { describeError } from "../message/describe-error.ts";
import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import type { Logger } from "../runtime/log.ts";
import type { Classification } from "./classify.ts";
import { boundRetryAfter } from "./jitter.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./strategy.ts";

/** The strategy that holds if the bus's strategy fails too. */
const fallback = new ExponentialBackoffRetryStrategy({});

/** Interval between two log lines about the same rule of the same type; many messages may meet it at once. */
const LOG_INTERVAL_MS = 10_000;
const MAX_RULES_REMEMBERED = 1_000;

/** Calls the users' rules. No method throws. */
export class RetryRules {
  readonly #loggedAt = new Map<string, number>();

  /**
   * @param options.maxRetryAfter longest Retry-After, in ms, for strategies without a bound of their own
   * @param options.retryAfterJitter spread of a Retry-After if the strategy does not spread it, 0 to 1
   * @param options.now in ms since 1970
   */
  constructor(
    private readonly options: {
      readonly log: Logger;
      readonly maxRetryAfter: number;
      readonly retryAfterJitter: number;
      readonly now: () => number;
    },
  ) {}

  /** Whole ms until the next attempt. @param strategies the type's own first, then the general one */
  delay(strategies: readonly RetryStrategy[], retryCount: number, type: string): number {
    for (const strategy of strategies) {
      const ask = () => strategy.getDelay(retryCount, type);
      const delay = this.#ask("getDelay", type, ask, readDelay);
      if (delay !== undefined) return delay;
    }
    return fallback.getDelay(retryCount);
  }

  /** Whether another retry is allowed. @param strategies as for {@link delay} */
  mayRetry(strategies: readonly RetryStrategy[], retryCount: number, type: string): boolean {
    for (const strategy of strategies) {
      const ask = () => strategy.shouldRetry(retryCount, type);
      const mayRetry = this.#ask("shouldRetry", type, ask, readBoolean);
      if (mayRetry !== undefined) return mayRetry;
    }
    return fallback.shouldRetry(retryCount);
  }

  /** Whole ms to wait after a Retry-After of `ms`. */
  retryAfter(strategy: RetryStrategy, ms: number, type: string): number {
    const { maxRetryAfter: maxDelay, retryAfterJitter: jitter } = this.options;
    const general = () => boundRetryAfter(ms, { maxDelay, jitter, random: Math.random });
    if (strategy.getRetryAfter === undefined) return general();
    const ask = (asked: number) =>
      this.#ask("getRetryAfter", type, () => strategy.getRetryAfter?.(asked, type), readDelay);
    const delay = ask(ms) ?? general();
    const asked = Math.ceil(ms);
    // The strategy has spread the delay itself.
    if (jitter === 0 || delay !== asked && ask(ms) !== delay) return delay;
    // Without a jitter of the type's, all messages would return in one instant. If a bound cut the delay, it is
    // spread below the bound, else upwards: never earlier than asked.
    const part = Math.floor(delay * jitter * Math.random());
    return delay < asked ? delay - part : delay + part;
  }

  /** The verdict of a type's own rule on an error; undefined if the rule leaves it to the general rules. */
  classify(
    definition: { readonly type: string; classify?: unknown } | undefined,
    error: unknown,
  ): Classification | undefined {
    if (typeof definition?.classify !== "function") return undefined;
    const { classify } = definition;
    const ask = () => Reflect.apply(classify, definition, [error]);
    return this.#ask("classify", definition.type, ask, readClassification) ?? undefined;
  }

  #ask<Answer>(
    rule: string,
    type: string,
    ask: () => unknown,
    read: (answer: unknown) => Answer,
  ): Answer | undefined {
    try {
      const answer = ask();
      refusePromise(answer);
      return read(answer);
    } catch (error) {
      this.#report(rule, type, describeError(error).message);
      return undefined;
    }
  }

  #report(rule: string, type: string, error: string): void {
    const key = `${rule} ${type}`;
    const now = this.options.now();
    if (now - (this.#loggedAt.get(key) ?? -Infinity) < LOG_INTERVAL_MS) return;
    if (this.#loggedAt.size >= MAX_RULES_REMEMBERED) this.#loggedAt.clear();
    this.#loggedAt.set(key, now);
    this.options.log.error("retry_rule_failed", { rule, type, error });
  }
}

/** @throws RangeError if the rule returned a promise, whose rejection is then caught */
function refusePromise(answer: unknown): void {
  if (typeof readProperty(answer, "then") !== "function") return;
  Promise.resolve(answer).catch(() => {});
  throw new RangeError("the rule returned a promise; it has to return its answer at once");
}

function readDelay(answer: unknown): number {
  if (typeof answer === "number" && answer >= 0 && answer <= MAX_DURATION_MS) {
    return Math.ceil(answer);
  }
  throw new RangeError(`the rule has to return a number of ms from 0; got ${showValue(answer)}`);
}

function readBoolean(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new RangeError(`the rule has to return true or false; got ${showValue(answer)}`);
}

function readClassification(answer: unknown): Classification | undefined {
  if (answer === undefined || answer === null) return undefined;
  const kind = readProperty(answer, "kind");
  if (kind === "unrecoverable" || kind === "unknown") return { kind };
  if (kind !== "recoverable") {
    throw new RangeError(
      `kind: has to be recoverable, unrecoverable or unknown; got ${showValue(kind)}`,
    );
  }
  const retryDelay = readProperty(answer, "retryDelay");
  const counts = readProperty(answer, "countsAgainstLimit");
  return {
    kind,
    // Default: false, as in a RecoverableError.
    countsAgainstLimit: counts === undefined ? false : readBoolean(counts),
    ...(retryDelay !== undefined && { retryDelay: readDelay(retryDelay) }),
  };
}
