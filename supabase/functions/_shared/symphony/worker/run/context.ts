/** The context that a handler gets beside the payload. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../../bus/bus.ts";
import type { Envelope, ScheduleStamp, UserStamp } from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Dispatch, HandlerContext } from "../../message/handler.ts";
import { type CallGuard, guardOf } from "./call-guard.ts";
import { checkProgress, type ProgressReporter } from "./progress.ts";
import type { Task } from "./task.ts";

interface Dependencies {
  readonly bus: MessageBus;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Writes the progress that handlers report; by default it is not written. */
  readonly progress?: ProgressReporter;
}

/**
 * The context of one attempt. Its signal, log and progress are made on first use. It is a class, because an
 * object literal with getters takes 2 µs to make, longer than everything else that a message needs.
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
    // Middleware and all handlers of the attempt see the same two objects.
    this.schedule = schedule && Object.freeze({ ...schedule });
    this.user = user && Object.freeze({ ...user });
    this.#task = task;
    this.#deps = deps;
    this.dispatch = (...message) => this.#guarded.dispatch(deps.bus, ...message);
  }

  /** A copy for each reader: what one handler changes in it reaches no other. */
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

/** A frozen copy of an envelope. Freezing does not reach dates and stamps, so the copy has its own. */
export function ownEnvelope(envelope: Envelope): Envelope {
  const { availableAt, createdAt, expiresAt, stamps } = envelope;
  return Object.freeze({
    ...envelope,
    availableAt: new Date(availableAt),
    createdAt: new Date(createdAt),
    expiresAt: expiresAt && new Date(expiresAt),
    // Most messages have no stamps, and a clone costs as much as all the rest.
    stamps: Object.keys(stamps).length === 0 ? {} : structuredClone(stamps),
  });
}

/** The function that a handler reports the progress of its message with. */
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
