/** Errors that nobody catches: a promise that a handler forgot, a callback that throws. */

import { describeError } from "../message/describe-error.ts";
import { isInstance } from "./inspect.ts";
import type { Logger } from "./log.ts";

let logged: Logger | undefined;

/**
 * Logs such errors from now on, where the runtime would end the process and with it every message in
 * it. The message whose handler it was is settled by its own outcome or timeout. Called again, it only
 * takes another log.
 */
export function surviveStrayErrors(log: Logger): void {
  const isFirst = logged === undefined;
  logged = log;
  if (!isFirst) return;
  const survive = (event: Event, thing: unknown) => {
    event.preventDefault();
    const { class: name, message, stack } = describeError(thing, { message: 500 });
    // What is thrown and is no error may be anything, a payload too.
    const told = isInstance(thing, Error) ? { error: message, stack } : {};
    logged?.error("stray_error", { kind: event.type, class: name, ...told });
  };
  addEventListener("unhandledrejection", (event) => survive(event, event.reason));
  addEventListener("error", (event) => survive(event, event.error));
}
