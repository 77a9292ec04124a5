/** The errors that users of the bus throw and see. */

import type { z } from "zod";
import { describeError } from "./describe-error.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { askedDelayOf } from "../retry/asked-delay.ts";

export { describeError } from "./describe-error.ts";

/** What the errors of this file have in common: `name` is the class's name, also of a subclass. */
export abstract class SymphonyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Options of {@link RecoverableError}. */
export interface RecoverableErrorOptions extends ErrorOptions {
  /** Waits this long instead of the strategy's delay, with neither jitter nor cap. */
  readonly retryDelay?: Duration;
  /** Whether `maxRetries` applies, so that the message is given up at some time; false if absent. */
  readonly countsAgainstLimit?: boolean;
  /** The delay is what the other side asked for: at most `maxRetryAfter`, spread upwards by the jitter. */
  readonly isRetryAfter?: boolean;
}

/** Options of the `fromResponse` helpers. */
export interface FromResponseOptions extends ErrorOptions {
  /** The error's text; the status and the URL where absent. */
  readonly message?: string;
  /** What a date in Retry-After is measured from; the current time where absent. */
  readonly now?: Date;
}

/** Throw it when trying again later will help: the message is retried whatever `maxRetries` says. */
export class RecoverableError extends SymphonyError {
  /** Ms to wait instead of the strategy's delay. */
  readonly retryDelay: number | undefined;
  /** Whether the strategy's `maxRetries` applies. */
  readonly countsAgainstLimit: boolean;
  /** Whether the delay is what the other side asked for. */
  readonly isRetryAfter: boolean;

  /** @throws RangeError if `retryDelay` is no duration */
  constructor(message: string, options: RecoverableErrorOptions = {}) {
    super(message, options);
    this.retryDelay = options.retryDelay === undefined
      ? undefined
      : parseDuration(options.retryDelay, "retryDelay");
    this.countsAgainstLimit = options.countsAgainstLimit ?? false;
    this.isRetryAfter = options.isRetryAfter ?? false;
  }

  /** An error for an HTTP response that asks to come back later; waits as its Retry-After says. */
  static fromResponse(
    response: Response,
    options: FromResponseOptions & Pick<RecoverableErrorOptions, "countsAgainstLimit"> = {},
  ): RecoverableError {
    const retryDelay = askedDelayOf(response, options.now ?? new Date());
    return new RecoverableError(
      options.message ?? httpMessage(response.status, withoutSecrets(response.url)),
      retryDelay === undefined ? options : { ...options, retryDelay, isRetryAfter: true },
    );
  }
}

/** Throw it when trying again cannot help: the message goes to the dead letters at once. */
export class UnrecoverableError extends SymphonyError {}

/** Options of {@link HttpError}. */
export interface HttpErrorOptions extends ErrorOptions {
  /** What was asked; query, fragment and credentials are not kept. */
  readonly url?: string | URL;
  /** How long the server asks to wait. */
  readonly retryAfter?: Duration;
  /** The error's text; the status and the URL where absent. */
  readonly message?: string;
}

/**
 * Throw it when an HTTP API refused: 408, 425, 429 and 5xx are retried, after what Retry-After
 * says if it is there; other 4xx are not.
 */
export class HttpError extends SymphonyError {
  readonly status: number;
  /** The URL without query, fragment and credentials. */
  readonly url: string | undefined;
  /** Ms the server asked to wait. */
  readonly retryAfter: number | undefined;

  /** @throws RangeError if `status` is no whole number, or `retryAfter` no duration */
  constructor(status: number, options: HttpErrorOptions = {}) {
    if (!Number.isInteger(status)) {
      throw new RangeError(`status: has to be an HTTP status code; got ${showValue(status)}`);
    }
    const url = withoutSecrets(String(options.url ?? ""));
    super(options.message ?? httpMessage(status, url), options);
    this.status = status;
    this.url = url;
    this.retryAfter = options.retryAfter === undefined
      ? undefined
      : parseDuration(options.retryAfter, "retryAfter");
  }

  /** An error for a response; its body is left unread. */
  static fromResponse(response: Response, options: FromResponseOptions = {}): HttpError {
    const retryAfter = askedDelayOf(response, options.now ?? new Date());
    return new HttpError(response.status, {
      ...options,
      url: response.url,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
}

/** A handler took longer than its timeout. Retried, as timeouts are. */
export class HandlerTimeoutError extends SymphonyError {
  /** The timeout in ms. */
  readonly timeout: number;

  constructor(timeout: number, options?: ErrorOptions) {
    super(`the handler took longer than its timeout of ${timeout} ms`, options);
    this.timeout = timeout;
  }
}

/** A worker died while it handled the message: its lease ran out unsettled. */
export class CrashError extends SymphonyError {
  constructor(
    message = "the worker died while it handled the message: its lease ran out",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The worker has to end before the handler is done. Retried as the strategy says. */
export class WorkerStoppedError extends SymphonyError {
  constructor(message = "the worker has to end", options?: ErrorOptions) {
    super(message, options);
  }
}

/** The message's lease is over, or another's: another worker may handle it by now. */
export class LeaseLostError extends SymphonyError {
  constructor(message = "the lease was lost", options?: ErrorOptions) {
    super(message, options);
  }
}

/** An operator cancelled the message. Never retried; the reason of its handler's abort signal. */
export class CancelledError extends UnrecoverableError {
  constructor(message = "the message was cancelled", options?: ErrorOptions) {
    super(message, options);
  }
}

/** A handler used its context after its attempt was over: it went on after a timeout, or forgot a timer. */
export class AttemptOverError extends SymphonyError {
  /** @param call what it called, such as `dispatch` */
  constructor(call: string, options?: ErrorOptions) {
    super(`ctx.${call}: the attempt is over, nothing was done`, options);
  }
}

/** Middleware did not keep to what `next` is for; the attempt has failed. */
export class MiddlewareError extends SymphonyError {}

/** A schema with an asynchronous part, or dispatch middleware, took too long; nothing was dispatched. */
export class DispatchTimeoutError extends SymphonyError {
  /** @param part what took so long @param timeout the bound in ms */
  constructor(part: string, readonly timeout: number, options?: ErrorOptions) {
    super(`${part}: took longer than ${timeout} ms`, options);
  }
}

/** No definition has this type. A message of such a type waits some minutes for a worker that knows it. */
export class UnknownMessageTypeError extends UnrecoverableError {
  readonly type: string;

  constructor(type: string, options?: ErrorOptions) {
    super(`type: no message is defined with the type ${showValue(type)}`, options);
    this.type = type;
  }
}

/** The schema refused a payload. Never retried. */
export class InvalidPayloadError extends UnrecoverableError {
  readonly type: string;
  /** What zod found, with the path to each field. */
  readonly issues: readonly z.core.$ZodIssue[];

  constructor(type: string, issues: readonly z.core.$ZodIssue[], options?: ErrorOptions) {
    const fields = issues.slice(0, 5).map(({ path, message }) =>
      `${["payload", ...path].map(String).join(".")}: ${message}`
    );
    const rest = issues.length > fields.length ? [`${issues.length - fields.length} more`] : [];
    super(`${type}: ${[...fields, ...rest].join("; ")}`, options);
    this.type = type;
    this.issues = issues;
  }
}

/** The message's time to live was over before it was handled. Never retried. */
export class MessageExpiredError extends UnrecoverableError {
  readonly expiredAt: Date;

  constructor(expiredAt: Date, options?: ErrorOptions) {
    super(`the message expired at ${expiredAt.toISOString()}, before it was handled`, options);
    this.expiredAt = expiredAt;
  }
}

/** What an id or a name means is not there. */
export class NotFoundError extends RangeError {
  override readonly name = "NotFoundError";
}

/** What was asked for does not go with the state that things are in. */
export class ConflictError extends RangeError {
  override readonly name = "ConflictError";

  /** @param index which of the messages that were dispatched together it is about; 0 is the first */
  constructor(message: string, options?: ErrorOptions, readonly index?: number) {
    super(message, options);
  }
}

/** A handler's name, and what it threw. */
export interface HandlerFailure {
  readonly handler: string;
  readonly error: unknown;
}

/** Handlers of one message failed; those that succeeded are not run again. */
export class HandlersFailedError extends AggregateError {
  readonly failures: readonly HandlerFailure[];

  constructor(failures: readonly HandlerFailure[], options?: ErrorOptions) {
    const texts = failures.map(({ handler, error }) =>
      `${handler}: ${describeError(error, { message: 500 }).message}`
    );
    super(failures.map(({ error }) => error), `handlers failed: ${texts.join("; ")}`, options);
    this.name = new.target.name;
    this.failures = failures;
  }
}

function httpMessage(status: number, url: string | undefined): string {
  return url === undefined ? `HTTP ${status}` : `HTTP ${status} from ${url}`;
}

/** The URL without what may hold a secret; undefined where there is none. */
function withoutSecrets(url: string): string | undefined {
  if (url === "") return undefined;
  if (!URL.canParse(url)) return url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
  const parsed = new URL(url);
  return Object.assign(parsed, { username: "", password: "", search: "", hash: "" }).href;
}
