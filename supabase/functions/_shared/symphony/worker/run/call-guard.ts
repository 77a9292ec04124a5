/**
 * Calls that a handler makes after its attempt is over: from a timer that it forgot, or after its timeout.
 * They have no effect, because they would count for the next attempt, which may already run.
 */

import type { MessageBus } from "../../bus/bus.ts";
import { isOfMiddleware } from "../../bus/message-preparer.ts";
import { AttemptOverError } from "../../message/errors.ts";
import { noteWrongArgument } from "../../message/wrong-argument.ts";
import { typeOf } from "../../message/definition-lists.ts";
import type { OutgoingMessage } from "../../message/envelope.ts";
import type { Dispatch } from "../../message/handler.ts";
import { isInstance } from "../../runtime/inspect.ts";
import type { LogFields, Logger } from "../../runtime/log.ts";
import type { AttemptSpan } from "../../tracing/attempt-span.ts";
import type { Task } from "./task.ts";

/** The guard of the calls that one message's handlers make. */
export function guardOf(task: Task, log: Logger): CallGuard {
  const { id, type, attempts } = task.envelope;
  const fields = { id, type, attempt: attempts };
  return new CallGuard(() => task.isOver, () => task.signal, log, fields);
}

/** Guards the calls of one attempt, or of one call of a batch handler. */
export class CallGuard {
  /** Names of late calls that were logged: one line for each name is enough. */
  readonly #logged = new Set<string>();

  /**
   * @param over whether the attempt is over
   * @param signalOf its signal is aborted when the attempt is stopped
   * @param fields name the attempt in the warnings
   */
  constructor(
    private readonly over: () => boolean,
    private readonly signalOf: () => AbortSignal,
    private readonly log: Logger,
    private readonly fields: LogFields,
  ) {}

  get isOver(): boolean {
    return this.over();
  }

  /** Aborted when the attempt is stopped. */
  get signal(): AbortSignal {
    return this.signalOf();
  }

  /** Whether a call comes too late. The first late call of each name is logged. */
  isLate(call: string): boolean {
    if (!this.isOver) return false;
    this.#warn(call);
    return true;
  }

  #warn(call: string): void {
    if (this.#logged.has(call)) return;
    this.#logged.add(call);
    this.log.warn("late_call_ignored", { ...this.fields, call: `ctx.${call}` });
  }

  /** Writes a message at once, unless the attempt is over. @param span the attempt's */
  dispatchNow(bus: MessageBus, message: Parameters<Dispatch>, span?: AttemptSpan): Promise<string> {
    const write = async (prepared: OutgoingMessage) =>
      String((await bus.send([span?.adopt(prepared) ?? prepared]))[0]);
    return this.dispatch(bus, message, write, "dispatchNow");
  }

  /**
   * Dispatches a message unless the attempt is over. That is checked twice, because a schema or middleware
   * may take beyond the end of the attempt to prepare the message. A stop ends the wait for them, so that the
   * handler that waits does not keep its slot.
   * @param write writes the prepared message, or keeps it for the outcome; returns its id
   * @param call name of the function, for the warnings
   */
  dispatch(
    bus: MessageBus,
    [definition, payload, options = {}]: Parameters<Dispatch>,
    write: (message: OutgoingMessage) => Promise<string>,
    call = "dispatch",
  ): Promise<string> {
    // deno-lint-ignore require-await -- a wrong definition must reject the promise
    const prepare = async () => bus.prepare({ type: typeOf(definition), payload, options });
    return this.keep(call, prepare, write);
  }

  /**
   * Prepares something and writes it, unless the attempt is over by then. A wrong argument is noted as one.
   * @param call name of the function, for the warnings
   * @param write throws an AttemptOverError if the function of the step that makes the call has ended
   */
  keep<Prepared, Answer>(
    call: string,
    prepare: () => Promise<Prepared>,
    write: (prepared: Prepared) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.isOver) return this.refuse(call);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const signal = this.signal;
    const tooLate = () => {
      promise.catch(() => {});
      resolve(this.refuse(call));
    };
    signal.addEventListener("abort", tooLate, { once: true });
    const prepared = prepare()
      .finally(() => signal.removeEventListener("abort", tooLate));
    prepared.then(async (one) => {
      if (this.isOver) return tooLate();
      resolve(await write(one));
    }).catch((error) => {
      // A stop has ended its wait for room, or the attempt was over when it came.
      if (signal.aborted || isInstance(error, AttemptOverError)) return tooLate();
      reject(isOfMiddleware(error) ? error : noteWrongArgument(error));
    });
    return promise;
  }

  /**
   * Refuses a late call. The promise rejects, because a caller that waits for an id must not believe that
   * there is a message. If no caller waits, the rejection is not reported as unhandled.
   */
  refuse(call: string): Promise<never> {
    this.#warn(call);
    const refused = Promise.reject(new AttemptOverError(call));
    refused.catch(() => {});
    return refused;
  }

  /** A logger that writes nothing once the attempt is over. */
  logger(log: Logger): Logger {
    const at =
      (level: "debug" | "info" | "warn" | "error") => (event: string, fields?: LogFields) => {
        if (!this.isLate("log")) log[level](event, fields);
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => this.logger(log.with(fields)),
    };
  }
}
