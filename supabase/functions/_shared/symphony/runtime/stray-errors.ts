/** Uncaught errors: a promise that a handler forgot, a callback that throws. */

import { describeError } from "../message/describe-error.ts";
import { isInstance } from "./inspect.ts";
import type { Logger } from "./log.ts";

let logged: Logger | undefined;

/**
 * Logs uncaught errors from now on. Without this the runtime ends the process, and with it every running
 * message. The message whose handler caused the error is settled by its outcome or its timeout. A second
 * call only replaces the log.
 */
export function surviveStrayErrors(log: Logger): void {
  const isFirst = logged === undefined;
  logged = log;
  if (!isFirst) return;
  const survive = (event: Event, thing: unknown) => {
    event.preventDefault();
    const { class: name, message, stack } = describeError(thing, { message: 500 });
    // A thrown value that is no Error may hold a payload, so its text is not logged.
    const told = isInstance(thing, Error) ? { error: message, stack } : {};
    logged?.error("stray_error", { kind: event.type, class: name, ...told });
  };
  addEventListener("unhandledrejection", (event) => survive(event, event.reason));
  addEventListener("error", (event) => survive(event, event.error));
}
