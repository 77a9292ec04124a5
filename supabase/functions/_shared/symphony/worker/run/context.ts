/** What handlers get beside the payload, and what becomes of it once their attempt is over. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../../bus/bus.ts";
import type { Envelope, ScheduleStamp, UserStamp } from "../../message/envelope.ts";
import { AttemptOverError } from "../../message/errors.ts";
import type { LogFields, Logger } from "../../runtime/log.ts";
import type { Dispatch, HandlerContext } from "../../message/handler.ts";
import { checkProgress, type ProgressReporter } from "./progress.ts";
import type { Task } from "./task.ts";

interface Dependencies {
  readonly bus: MessageBus;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Writes what handlers report; without it nothing is written. */
  readonly progress?: ProgressReporter;
}

/**
 * What a handler gets beside the payload; signal, log and progress are made when they are looked at.
 * A class, for an object literal with getters takes longer to make than all else that a message needs.
 */
export class AttemptContext implements HandlerContext {
  readonly attempt: number;
  readonly dispatch: Dispatch;
  readonly supabase: SupabaseClient;
  readonly schedule: ScheduleStamp | null;
  readonly user: UserStamp | null;
  readonly #task: Task;
  readonly #deps: Dependencies;
  #guard: CallGuard | undefined;

  constructor(task: Task, deps: Dependencies) {
    const { envelope } = task;
    Object.freeze(envelope);
    this.attempt = envelope.attempts;
    this.supabase = deps.supabase;
    const { schedule = null, user = null } = envelope.stamps;
    // Middleware and all handlers of the attempt look at the same ones.
    this.schedule = schedule && Object.freeze({ ...schedule });
    this.user = user && Object.freeze({ ...user });
    this.#task = task;
    this.#deps = deps;
    this.dispatch = (...message) => this.#guarded.dispatch(deps.bus, ...message);
  }

  /** The reader's own: a handler's changes are seen by no other. */
  get envelope(): Envelope {
    return ownEnvelope(this.#task.envelope);
  }

  get signal(): AbortSignal {
    return this.#task.signal;
  }

  get log(): Logger {
    const { id, type, attempts } = this.#task.envelope;
    return this.#guarded.logger(this.#deps.log.with({ id, type, attempt: attempts }));
  }

  get progress(): HandlerContext["progress"] {
    return reporter(this.#task, this.#deps, this.#guarded);
  }

  get #guarded(): CallGuard {
    return this.#guard ??= guardOf(this.#task, this.#deps.log);
  }
}

/** A frozen copy of an envelope with dates and stamps of its own, which freezing does not reach. */
export function ownEnvelope(envelope: Envelope): Envelope {
  const { availableAt, createdAt, expiresAt, stamps } = envelope;
  return Object.freeze({
    ...envelope,
    availableAt: new Date(availableAt),
    createdAt: new Date(createdAt),
    expiresAt: expiresAt && new Date(expiresAt),
    // Most messages have none, and a clone costs as much as all the rest.
    stamps: Object.keys(stamps).length === 0 ? {} : structuredClone(stamps),
  });
}

/** The guard of what one message's handlers call. */
export function guardOf(task: Task, log: Logger): CallGuard {
  const { id, type, attempts } = task.envelope;
  return new CallGuard(() => task.isOver, log, { id, type, attempt: attempts });
}

/** What a handler reports the progress of a message by. */
export function reporter(
  task: Task,
  { progress }: Dependencies,
  guard: CallGuard,
): HandlerContext["progress"] {
  return (value, note) => {
    if (guard.isLate("progress")) return;
    checkProgress(value, note);
    progress?.report(task.envelope, value, note);
  };
}

/**
 * Keeps what handlers call after their attempt from having an effect: a timer that they forgot, or their
 * work after a timeout. It would be counted for the next attempt, which may run by then.
 */
export class CallGuard {
  /** Calls that were warned of: one line for each is enough. */
  readonly #told = new Set<string>();

  /**
   * @param over whether the attempt is over
   * @param fields name the attempt in the warnings
   */
  constructor(
    private readonly over: () => boolean,
    private readonly log: Logger,
    private readonly fields: LogFields,
  ) {}

  get isOver(): boolean {
    return this.over();
  }

  /** Whether a call comes too late; the first of its name is logged. */
  isLate(call: string): boolean {
    if (!this.isOver) return false;
    if (!this.#told.has(call)) {
      this.#told.add(call);
      this.log.warn("late_call_ignored", { ...this.fields, call: `ctx.${call}` });
    }
    return true;
  }

  /**
   * Dispatches a message, unless the attempt is over: when it is asked for, and when it is prepared, which a
   * schema or middleware may hold up beyond the end.
   */
  dispatch(
    bus: MessageBus,
    ...[{ type }, payload, options = {}]: Parameters<Dispatch>
  ): Promise<string> {
    if (this.isOver) return this.refuse("dispatch");
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    bus.prepare({ type, payload, options }).then(async (message) => {
      if (this.isOver) {
        promise.catch(() => {});
        return resolve(this.refuse("dispatch"));
      }
      const [id] = await bus.send([message]);
      resolve(String(id));
    }).catch(reject);
    return promise;
  }

  /**
   * Answers a dispatch that comes too late. It rejects, for whoever waits for an id must not believe that
   * there is a message; where nothing waits, the rejection disturbs no one.
   */
  refuse(call: string): Promise<never> {
    this.isLate(call);
    const refused = Promise.reject(new AttemptOverError(call));
    refused.catch(() => {});
    return refused;
  }

  /** A logger whose lines are left out once the attempt is over. */
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
