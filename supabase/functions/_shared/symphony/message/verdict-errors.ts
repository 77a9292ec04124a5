/** Errors that handlers throw to say whether another attempt helps. */

import { checkMoment } from "../runtime/checks.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { askedDelayOf } from "../retry/asked-delay.ts";
import { shouldRetryOf } from "../retry/should-retry.ts";
import { readErrorOptions } from "./error-options.ts";
import { checkResponse, httpMessage, withoutSecrets } from "./http-message.ts";
import { SymphonyError } from "./symphony-error.ts";

/** Options of {@link RecoverableError}. */
export interface RecoverableErrorOptions extends ErrorOptions {
  /** Waits this long instead of the strategy's delay, without jitter and cap. */
  readonly retryDelay?: Duration;
  /** Whether `maxRetries` applies; default: false, so that the message is retried without end. */
  readonly countsAgainstLimit?: boolean;
  /** Whether the delay is a Retry-After: bounded by `maxRetryAfter`, and spread by the jitter. */
  readonly isRetryAfter?: boolean;
}

/** Options of the `fromResponse` helpers. */
export interface FromResponseOptions extends ErrorOptions {
  /** The error's text; default: the status and the URL. */
  readonly message?: string;
  /** The time from which a date in Retry-After is measured; default: the current time. */
  readonly now?: Date;
}

/**
 * Throw it when a later attempt will help: the message is retried whatever `maxRetries` is.
 *
 * An option that does not exist, or that has a wrong value, is a RangeError, which the handler then throws in this
 * error's place. Its `cause` is this error with the options that are right: the message is retried all the same, and
 * its history shows both. A subclass may pass options of its own on; of those, only misspelled names are refused.
 */
export class RecoverableError extends SymphonyError {
  /** Ms to wait instead of the strategy's delay. */
  readonly retryDelay: number | undefined;
  /** Whether the strategy's `maxRetries` applies. */
  readonly countsAgainstLimit: boolean;
  /** Whether the delay is a Retry-After. */
  readonly isRetryAfter: boolean;

  /** @throws RangeError that names the wrong option, if `options` are no object, or `retryDelay` no duration */
  constructor(message: string, options: RecoverableErrorOptions = {}) {
    const retryDelay = readErrorOptions(options, {
      names: ["cause", "retryDelay", "countsAgainstLimit", "isRetryAfter"],
      flags: ["countsAgainstLimit", "isRetryAfter"],
      isSubclass: new.target !== RecoverableError,
      meant: (right) => new RecoverableError(message, right),
    }, (given) => optionalDuration(given.retryDelay, "retryDelay"));
    super(message, options);
    this.retryDelay = retryDelay;
    this.countsAgainstLimit = options.countsAgainstLimit ?? false;
    this.isRetryAfter = options.isRetryAfter ?? false;
  }

  /**
   * Makes an error for a response that asks for a later attempt. It waits as the response's Retry-After says.
   * @throws RangeError that names the wrong option, or if `response` is none
   */
  static fromResponse(
    response: Response,
    options: FromResponseOptions & Pick<RecoverableErrorOptions, "countsAgainstLimit"> = {},
  ): RecoverableError {
    checkResponse(response);
    const now = readErrorOptions(options, {
      names: ["cause", "message", "now", "countsAgainstLimit"],
      flags: ["countsAgainstLimit"],
      isSubclass: false,
      meant: (right) => RecoverableError.fromResponse(response, right),
    }, readNow);
    const retryDelay = askedDelayOf(response, now);
    const { message, now: _now, ...rest } = options;
    return new RecoverableError(
      message ?? httpMessage(response.status, withoutSecrets(String(response.url ?? ""))),
      retryDelay === undefined ? rest : { ...rest, retryDelay, isRetryAfter: true },
    );
  }
}

/**
 * Throw it when no attempt can help: the message goes to the dead letters at once. Options that are refused are no
 * loss, as in {@link RecoverableError}: the RangeError's `cause` is this error, and the message is dead.
 */
export class UnrecoverableError extends SymphonyError {
  /** @throws RangeError that names the option, if there is one beside `cause`, or `options` are no object */
  constructor(message: string, options: ErrorOptions = {}) {
    readErrorOptions(options, {
      names: ["cause"],
      isSubclass: new.target !== UnrecoverableError,
      meant: (right) => new UnrecoverableError(message, right),
    }, () => {});
    super(message, options);
  }
}

/** Options of {@link HttpError}. */
export interface HttpErrorOptions extends ErrorOptions {
  /** The requested URL; query, fragment and credentials are not kept. */
  readonly url?: string | URL;
  /** How long the server asks the client to wait. */
  readonly retryAfter?: Duration;
  /** Whether the server says that a retry can help; default: it says nothing, and the status decides. */
  readonly shouldRetry?: boolean | undefined;
  /** The error's text; default: the status and the URL. */
  readonly message?: string;
}

/**
 * Throw it when an HTTP API refused the request. 408, 425, 429 and 5xx are retried, after the
 * Retry-After if there is one; other 4xx are not retried. Options that are refused are no loss, as in
 * {@link RecoverableError}: the status still decides.
 */
export class HttpError extends SymphonyError {
  readonly status: number;
  /** The URL without query, fragment and credentials. */
  readonly url: string | undefined;
  /** Ms that the server asked the client to wait. */
  readonly retryAfter: number | undefined;
  /** Whether the server says that a retry can help; undefined if it says nothing. */
  readonly shouldRetry: boolean | undefined;

  /** @throws RangeError that names the wrong option, or if `status` is no whole number */
  constructor(status: number, options: HttpErrorOptions = {}) {
    if (!Number.isInteger(status)) {
      const refusal = `status: has to be an HTTP status code; got ${showValue(status)}`;
      throw new RangeError(refusal, { cause: options?.cause });
    }
    const url = withoutSecrets(String(options?.url ?? ""));
    const text = options?.message ?? httpMessage(status, url);
    const retryAfter = readErrorOptions(options, {
      names: ["cause", "url", "retryAfter", "shouldRetry", "message"],
      flags: ["shouldRetry"],
      isSubclass: new.target !== HttpError,
      meant: (right) => new HttpError(status, { ...right, message: String(text) }),
    }, (given) => optionalDuration(given.retryAfter, "retryAfter"));
    super(text, options);
    this.status = status;
    this.url = url;
    this.retryAfter = retryAfter;
    this.shouldRetry = options.shouldRetry;
  }

  /** Makes an error for a response; its body is left unread. @throws RangeError as the constructor, or if `response` is none */
  static fromResponse(response: Response, options: FromResponseOptions = {}): HttpError {
    checkResponse(response);
    const now = readErrorOptions(options, {
      names: ["cause", "message", "now"],
      isSubclass: false,
      meant: (right) => HttpError.fromResponse(response, right),
    }, readNow);
    const retryAfter = askedDelayOf(response, now);
    const { now: _now, ...rest } = options;
    return new HttpError(response.status, {
      ...rest,
      url: response.url,
      shouldRetry: shouldRetryOf(response),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
}

function optionalDuration(value: unknown, name: string): number | undefined {
  return value === undefined ? undefined : parseDuration(value, name);
}

function readNow({ now = new Date() }: FromResponseOptions): Date {
  checkMoment(now, "now");
  return now;
}
