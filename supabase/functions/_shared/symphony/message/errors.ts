/** Errors that handlers throw and that users of the bus see. */

import type { z } from "zod";
import { showValue } from "../runtime/inspect.ts";
import { describeError } from "./describe-error.ts";
import type { StepFailure } from "./stored-step.ts";
import { SymphonyError } from "./symphony-error.ts";
import { UnrecoverableError } from "./verdict-errors.ts";

export { describeError } from "./describe-error.ts";
export { SymphonyError } from "./symphony-error.ts";
export {
  type FromResponseOptions,
  HttpError,
  type HttpErrorOptions,
  RecoverableError,
  type RecoverableErrorOptions,
  UnrecoverableError,
} from "./verdict-errors.ts";

/** A handler took longer than its timeout. The message is retried. */
export class HandlerTimeoutError extends SymphonyError {
  /** The timeout in ms. */
  readonly timeout: number;

  constructor(timeout: number, options?: ErrorOptions) {
    super(`the handler took longer than its timeout of ${timeout} ms`, options);
    this.timeout = timeout;
  }
}

/** A step's function took longer than the step's timeout. The step is retried. */
export class StepTimeoutError extends SymphonyError {
  /** @param step the step's name @param timeout its timeout in ms */
  constructor(readonly step: string, readonly timeout: number, options?: ErrorOptions) {
    super(`step ${showValue(step)}: took longer than its timeout of ${timeout} ms`, options);
  }
}

/** A worker died while it handled the message: the lease ended without an outcome. */
export class CrashError extends SymphonyError {
  constructor(
    message = "the worker died while it handled the message: its lease ran out",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The worker must end before the handler does. The message is retried as the strategy says. */
export class WorkerStoppedError extends SymphonyError {
  constructor(message = "the worker has to end", options?: ErrorOptions) {
    super(message, options);
  }
}

/** The lease has ended or belongs to another claim: another worker may handle the message now. */
export class LeaseLostError extends SymphonyError {
  constructor(message = "the lease was lost", options?: ErrorOptions) {
    super(message, options);
  }
}

/** An operator or its user cancelled the message. Never retried; it is the reason of the handler's abort signal. */
export class CancelledError extends UnrecoverableError {
  constructor(message = "the message was cancelled", options?: ErrorOptions) {
    super(message, options);
  }
}

/** A handler used its context after its attempt was over, after a timeout or in a forgotten timer. */
export class AttemptOverError extends SymphonyError {
  /** @param call the method that it called, such as `dispatch` */
  constructor(call: string, options?: ErrorOptions) {
    super(`ctx.${call}: the attempt is over, nothing was done`, options);
  }
}

/**
 * A step has failed for good. It is thrown in the run in which that happens, and in every later one, until the
 * message is redriven. A handler may catch it, to undo what earlier steps did. Never retried.
 */
export class StepError extends UnrecoverableError {
  /** Name of the step. */
  readonly step: string;
  /** `exhausted`: no retry is left. `unrecoverable`: no retry can help. */
  readonly reason: StepFailure["reason"];
  /** The step's last error, as it is stored: message, class, code. */
  override readonly cause: Omit<StepFailure, "reason">;

  /** @param failure why it failed, as it is stored */
  constructor(step: string, { reason, ...cause }: StepFailure) {
    super(`step ${showValue(step)}: failed for good (${reason}): ${cause.message}`);
    this.step = step;
    this.reason = reason;
    // The name is for stacks, which show it in front of the text; it is not part of the failure.
    this.cause = Object.freeze(Object.defineProperty({ ...cause }, "name", { value: cause.class }));
  }
}

/** A durable call, such as `ctx.step`, where or how it cannot be made. Never retried. */
export class DurableUsageError extends UnrecoverableError {}

/** Middleware misused `next`; the attempt has failed. */
export class MiddlewareError extends SymphonyError {}

/** An asynchronous schema or dispatch middleware took too long; nothing was dispatched. */
export class DispatchTimeoutError extends SymphonyError {
  /** @param part the part that took too long @param timeout the bound in ms */
  constructor(part: string, readonly timeout: number, options?: ErrorOptions) {
    super(`${part}: took longer than ${timeout} ms`, options);
  }
}

/** No definition has this type. The message waits some minutes for a worker that knows the type. */
export class UnknownMessageTypeError extends UnrecoverableError {
  readonly type: string;

  constructor(type: string, options?: ErrorOptions) {
    super(`type: no message is defined with the type ${showValue(type)}`, options);
    this.type = type;
  }
}

type InvalidOptions = ErrorOptions & { readonly part?: string };

/** The schema refused the payload. Never retried. */
export class InvalidPayloadError extends UnrecoverableError {
  readonly type: string;
  /** zod's issues, with the path to each field. */
  readonly issues: readonly z.core.$ZodIssue[];

  /** @param more `part`: what the issues are about, the `value` of an event or by default the `payload` */
  constructor(type: string, issues: readonly z.core.$ZodIssue[], more?: InvalidOptions) {
    const fields = issues.slice(0, 5).map(({ path, message }) =>
      `${[more?.part ?? "payload", ...path].map(String).join(".")}: ${message}`
    );
    const rest = issues.length > fields.length ? [`${issues.length - fields.length} more`] : [];
    super(`${type}: ${[...fields, ...rest].join("; ")}`, more);
    this.type = type;
    this.issues = issues;
  }
}

/** The message's time to live ended before it was handled. Never retried. */
export class MessageExpiredError extends UnrecoverableError {
  readonly expiredAt: Date;

  constructor(expiredAt: Date, options?: ErrorOptions) {
    super(`the message expired at ${expiredAt.toISOString()}, before it was handled`, options);
    this.expiredAt = expiredAt;
  }
}

/** An id or a name that does not exist. */
export class NotFoundError extends RangeError {
  override readonly name = "NotFoundError";
}

/** The request contradicts the current state, such as a key that is in use. */
export class ConflictError extends RangeError {
  override readonly name = "ConflictError";

  /** @param index position of the message in its dispatch, from 0 */
  constructor(message: string, options?: ErrorOptions, readonly index?: number) {
    super(message, options);
  }
}

/** A handler's name and the value that it threw. */
export interface HandlerFailure {
  readonly handler: string;
  readonly error: unknown;
}

/** Handlers of one message failed. Handlers that succeeded do not run again. */
export class HandlersFailedError extends AggregateError {
  readonly failures: readonly HandlerFailure[];

  constructor(failures: readonly HandlerFailure[], options?: ErrorOptions) {
    const texts = failures.map(({ handler, error }) =>
      `${handler}: ${describeError(error, { message: 500, stack: 0 }).message}`
    );
    super(failures.map(({ error }) => error), `handlers failed: ${texts.join("; ")}`, options);
    this.name = new.target.name;
    this.failures = failures;
  }
}
