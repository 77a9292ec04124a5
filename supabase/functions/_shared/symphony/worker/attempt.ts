/** One attempt at one message, from the envelope to its outcome. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus.ts";
import type { Envelope, ScheduleStamp, UserStamp } from "../envelope.ts";
import {
  type HandlerFailure,
  HandlersFailedError,
  MessageExpiredError,
  UnknownMessageTypeError,
} from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Dispatch, HandlerContext, MessageDefinition } from "../message.ts";
import { handled, type Outcome, type Snoozed, snoozed } from "../outcome.ts";
import { parseStored } from "../payload.ts";
import type { RetryManager } from "../retry/manager.ts";
import { Snooze } from "../snooze.ts";
import { checkProgress, type ProgressReporter } from "./progress.ts";
import type { Deadlines, Task } from "./task.ts";

/** What an attempt needs beside the message. */
export interface AttemptDependencies {
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  readonly deadlines: Deadlines;
  /** Writes what handlers report; nothing is written where absent. */
  readonly progress?: ProgressReporter;
}

/**
 * Runs a message's handlers and answers what becomes of it. Never throws.
 * @param startedAt when the attempt began, on the clock of performance.now(): its timeout counts from there
 */
export async function attempt(
  task: Task,
  startedAt: number,
  deps: AttemptDependencies,
): Promise<Outcome | Snoozed> {
  const { envelope } = task;
  const handledBy = [...envelope.stamps.handledBy ?? []];
  const snoozes: Snooze[] = [];
  try {
    const definition = runnable(envelope, deps.bus);
    const payload = await parseStored(definition, envelope.payload);
    const ctx = new AttemptContext(task, deps);
    deps.deadlines.set(task, startedAt, definition.timeoutMs);
    await task.run(() =>
      deps.bus.handle(ctx, () => runHandlers(definition, payload, ctx, { handledBy, snoozes }))
    );
    const progressed = await deps.progress?.end(envelope, snoozes.length === 0) ?? false;
    if (snoozes.length === 0) return handledAs(definition, progressed);
    const delayMs = Math.max(...snoozes.map(({ delayMs }) => delayMs));
    return snoozed(delayMs, { ...envelope.stamps, handledBy });
  } catch (error) {
    await deps.progress?.end(envelope, false);
    return deps.retry.decide(envelope, error, {
      durationMs: Math.round(performance.now() - startedAt),
      handledBy,
    });
  } finally {
    deps.deadlines.clear(task);
  }
}

/** The outcome of a message that was handled. @param progressed whether its progress was written */
export function handledAs({ keepMs }: MessageDefinition, progressed: boolean): Outcome {
  return keepMs === undefined && !progressed ? handled : {
    ...handled,
    ...(keepMs !== undefined && { keepMs }),
    ...(progressed && { progressed }),
  };
}

/**
 * The definition of a message that may be run.
 * @throws UnknownMessageTypeError, or MessageExpiredError
 */
export function runnable(envelope: Envelope, bus: MessageBus): MessageDefinition {
  const definition = bus.registry.get(envelope.type);
  if (!definition) throw new UnknownMessageTypeError(envelope.type);
  if (envelope.expired && envelope.expiresAt) throw new MessageExpiredError(envelope.expiresAt);
  return definition;
}

/** What the handlers of an attempt have done so far. */
interface Progress {
  /** Names of those that have succeeded, in this attempt and before. */
  readonly handledBy: string[];
  readonly snoozes: Snooze[];
}

/** Runs each handler that has not succeeded yet, also after another has failed or snoozed. */
async function runHandlers(
  definition: MessageDefinition,
  payload: unknown,
  ctx: HandlerContext,
  { handledBy, snoozes }: Progress,
): Promise<void> {
  const failures: HandlerFailure[] = [];
  for (const { name, handle } of definition.handlers) {
    if (handledBy.includes(name)) continue;
    try {
      const answer = await handle(payload, ctx);
      if (answer instanceof Snooze) snoozes.push(answer);
      else handledBy.push(name);
    } catch (error) {
      failures.push({ handler: name, error });
    }
  }
  if (failures.length === 0) return;
  const [only] = failures;
  if (definition.handlers.length === 1 && only) throw only.error;
  throw new HandlersFailedError(failures);
}

/**
 * What a handler gets beside the payload; signal, log and progress are made when they are looked at.
 * A class, for an object literal with getters takes longer to make than all else that a message needs.
 */
export class AttemptContext implements HandlerContext {
  readonly envelope: Envelope;
  readonly attempt: number;
  readonly dispatch: Dispatch;
  readonly supabase: SupabaseClient;
  readonly schedule: ScheduleStamp | null;
  readonly user: UserStamp | null;
  readonly #task: Task;
  readonly #deps: AttemptDependencies;

  constructor(task: Task, deps: AttemptDependencies) {
    const { envelope } = task;
    this.envelope = envelope;
    this.attempt = envelope.attempts;
    this.dispatch = deps.bus.dispatch;
    this.supabase = deps.supabase;
    this.schedule = envelope.stamps.schedule ?? null;
    this.user = envelope.stamps.user ?? null;
    this.#task = task;
    this.#deps = deps;
  }

  get signal(): AbortSignal {
    return this.#task.signal;
  }

  get log(): Logger {
    const { id, type, attempts } = this.envelope;
    return this.#deps.log.with({ id, type, attempt: attempts });
  }

  get progress(): HandlerContext["progress"] {
    return reporter(this.#task, this.#deps);
  }
}

/** What a handler reports the progress of a message by. */
export function reporter(task: Task, deps: AttemptDependencies): HandlerContext["progress"] {
  return (value, note) => {
    checkProgress(value, note);
    if (!task.isStopped) deps.progress?.report(task.envelope, value, note);
  };
}
