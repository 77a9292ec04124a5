/**
 * What users' rules say about retries, checked where it is taken in: a strategy's delays and limits, and a
 * type's own classification. A rule that throws or gives something else is logged, and the general rule holds.
 */

import { describeError } from "../message/describe-error.ts";
import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import type { Logger } from "../runtime/log.ts";
import type { Classification } from "./classify.ts";
import { boundRetryAfter } from "./jitter.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./strategy.ts";

/** Holds where the bus's strategy fails as well. */
const fallback = new ExponentialBackoffRetryStrategy({});

/** Interval between two log lines about the same rule of the same type: many messages may meet it. */
const LOG_INTERVAL_MS = 10_000;
const MAX_RULES_REMEMBERED = 1_000;

/** Asks the rules of users. No method throws. */
export class RetryRules {
  readonly #loggedAt = new Map<string, number>();

  /**
   * @param options.maxRetryAfter bound of a Retry-After, in ms, for strategies without one of their own
   * @param options.retryAfterJitter spreads a Retry-After upwards where the strategy does not, 0 to 1
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

  /** Whole ms until the next attempt. @param strategies the type's own first, the general one behind it */
  delay(strategies: readonly RetryStrategy[], retryCount: number, type: string): number {
    for (const strategy of strategies) {
      const ask = () => strategy.getDelay(retryCount, type);
      const delay = this.#ask("getDelay", type, ask, readDelay);
      if (delay !== undefined) return delay;
    }
    return fallback.getDelay(retryCount);
  }

  /** Whether another retry is allowed. @param strategies as of {@link delay} */
  mayRetry(strategies: readonly RetryStrategy[], retryCount: number, type: string): boolean {
    for (const strategy of strategies) {
      const ask = () => strategy.shouldRetry(retryCount, type);
      const mayRetry = this.#ask("shouldRetry", type, ask, readBoolean);
      if (mayRetry !== undefined) return mayRetry;
    }
    return fallback.shouldRetry(retryCount);
  }

  /** Whole ms to wait where the other side asked for `ms`. */
  retryAfter(strategy: RetryStrategy, ms: number, type: string): number {
    const { maxRetryAfter: maxDelay, retryAfterJitter: jitter } = this.options;
    const general = () => boundRetryAfter(ms, { maxDelay, jitter, random: Math.random });
    if (strategy.getRetryAfter === undefined) return general();
    const ask = (asked: number) =>
      this.#ask("getRetryAfter", type, () => strategy.getRetryAfter?.(asked, type), readDelay);
    const delay = ask(ms) ?? general();
    const asked = Math.ceil(ms);
    // It has spread them itself.
    if (jitter === 0 || delay !== asked && ask(ms) !== delay) return delay;
    // Without a jitter of the type's all would come back in one instant. The strategy bounds what is spread
    // as it bounds what was asked for; where it has cut that off, they are spread below its bound.
    const part = jitter * Math.random();
    if (delay < asked) return delay - Math.floor(delay * part);
    const spread = Math.ceil(asked * (1 + part));
    const further = spread === asked ? delay : ask(spread) ?? delay;
    return Math.max(delay, delay === asked ? Math.min(spread, further) : further);
  }

  /** What a type's own rule says about an error; undefined where it leaves it to the general ones. */
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

/** @throws RangeError if the answer is a promise; its rejection is no stray error then */
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
    // Left out, it does not count, as with a RecoverableError.
    countsAgainstLimit: counts === undefined ? false : readBoolean(counts),
    ...(retryDelay !== undefined && { retryDelay: readDelay(retryDelay) }),
  };
}
