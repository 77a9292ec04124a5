/** One attempt at one message, from the envelope to its outcome. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../../bus/bus.ts";
import type { Envelope } from "../../message/envelope.ts";
import {
  type HandlerFailure,
  HandlersFailedError,
  LeaseLostError,
  UnknownMessageTypeError,
} from "../../message/errors.ts";
import { isInstance } from "../../runtime/inspect.ts";
import type { Logger } from "../../runtime/log.ts";
import type { HandlerContext } from "../../message/handler.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import { handled, type Outcome, type Snoozed, snoozed } from "../../message/outcome.ts";
import { payloadReader } from "../../message/payload.ts";
import type { RetryManager } from "../../retry/manager.ts";
import { Snooze } from "../../message/snooze.ts";
import { AttemptContext } from "./context.ts";
import type { FormerRuns } from "./former-runs.ts";
import type { ProgressReporter } from "./progress.ts";
import type { Deadlines, Task } from "./task.ts";

/** What an attempt needs beside the message. */
export interface AttemptDependencies {
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  readonly deadlines: Deadlines;
  /** Handlers that were stopped and still work. */
  readonly formerRuns: FormerRuns;
  /** Writes what handlers report; nothing is written where absent. */
  readonly progress?: ProgressReporter;
}

/** What the handlers of an attempt have done so far. */
export interface Progress {
  /** Names of those that have succeeded, in this attempt and before. */
  readonly handledBy: string[];
  readonly snoozes: Snooze[];
}

/** What an attempt is in the middle of: a message that has passed its checks. */
export interface Passed {
  readonly definition: MessageDefinition;
  /** The payload as its schema gives it. */
  readonly payload: unknown;
  /** Parses the payload once more, for another handler. */
  readonly read: () => unknown;
  readonly ctx: HandlerContext;
  readonly progress: Progress;
  readonly task: Task;
}

/** Does the work of a message that has passed its checks. */
export type Work = (passed: Passed) => Promise<void>;

/**
 * Takes a message through its checks and its middleware to its handlers, and answers what becomes of it.
 * All of it is within the definition's timeout. Never throws.
 * @param startedAt when the attempt began, on the clock of performance.now(): its timeout counts from there
 * @param work runs the handlers
 */
export async function attempt(
  task: Task,
  startedAt: number,
  deps: AttemptDependencies,
  work: Work = runHandlers,
): Promise<Outcome | Snoozed> {
  const { envelope } = task;
  const progress: Progress = { handledBy: [...envelope.stamps.handledBy ?? []], snoozes: [] };
  let began = false;
  let timedFrom = startedAt;
  try {
    const definition = definitionOf(envelope, deps.bus);
    const former = deps.formerRuns.get(envelope.id);
    if (former) {
      deps.log.warn("former_run_awaited", { id: envelope.id, type: envelope.type });
      await task.run(() => task.pause(former.ended, former.until));
      timedFrom = performance.now();
    }
    deps.deadlines.set(task, timedFrom, definition.timeoutMs);
    const read = payloadReader(definition, envelope.payload, isShared(definition, deps.bus));
    const parsed = read();
    const payload = parsed instanceof Promise ? await task.run(() => parsed) : parsed;
    const ctx = new AttemptContext(task, deps);
    const passed = { definition, payload, read, ctx, progress, task };
    began = true;
    await task.run(() =>
      deps.bus.handle(ctx, () => {
        // Middleware that ignored the stop must not start what is another attempt's by now.
        if (task.isStopped) return Promise.reject(task.stopReason);
        return task.handling = work(passed);
      })
    );
    task.isFinished = true;
    const { snoozes } = progress;
    const progressed = await deps.progress?.end(envelope, snoozes.length === 0) ?? false;
    return snoozes.length === 0
      ? handledAs(definition, progressed)
      : snoozedFor(snoozes, envelope, progress.handledBy);
  } catch (error) {
    task.isFinished = true;
    const durationMs = Math.round(performance.now() - timedFrom);
    const handledBy = [...progress.handledBy];
    await deps.progress?.end(envelope, false);
    const byHandler = began && !task.isStopped;
    return deps.retry.decide(envelope, error, { durationMs, handledBy, byHandler });
  } finally {
    deps.deadlines.clear(task);
  }
}

/**
 * Tells an attempt's outcome. Where a stop found handlers at work, their message keeps its lease, and with
 * it its place in its group and in its queue's limits, until they have ended or their grace is over; so the
 * next attempt does not run beside them. Only a worker that has to end, and one that has lost the lease,
 * tell it at once.
 * @returns when the slot is free; nothing where it is already
 */
export function conclude(
  task: Task,
  outcome: Outcome | Snoozed,
  deps: Pick<AttemptDependencies, "bus" | "formerRuns" | "log">,
  done: (task: Task, outcome: Outcome | Snoozed) => void,
): Promise<void> | void {
  const { isStopped, handling } = task;
  if (isStopped && handling) return concludeStopped(task, handling, outcome, deps, done);
  done(task, outcome);
}

async function concludeStopped(
  task: Task,
  ended: Promise<void>,
  outcome: Outcome | Snoozed,
  { bus, formerRuns, log }: Pick<AttemptDependencies, "bus" | "formerRuns" | "log">,
  done: (task: Task, outcome: Outcome | Snoozed) => void,
): Promise<void> {
  const { id, type, attempts } = task.envelope;
  const graceMs = bus.registry.get(type)?.stopGraceMs ?? 0;
  const until = performance.now() + graceMs;
  formerRuns.add(id, { ended, until });
  const isLost = isInstance(task.stopReason, LeaseLostError);
  if (isLost) done(task, outcome);
  if (await task.pause(ended, until) === "late") {
    log.warn("handler_still_runs", { id, type, attempt: attempts, graceMs });
  }
  if (!isLost) done(task, outcome);
}

/** Whether others than one handler see the message: what that handler does to it must not reach them. */
function isShared(definition: MessageDefinition, bus: MessageBus): boolean {
  return bus.standsAround || definition.handlers.length > 1 ||
    definition.onRetry !== undefined || definition.onDeadLetter !== undefined;
}

function snoozedFor(
  snoozes: readonly Snooze[],
  { stamps }: Envelope,
  handledBy: readonly string[],
): Snoozed {
  const delayMs = Math.max(...snoozes.map((one) => one.delayMs));
  return snoozed(delayMs, handledBy.length > 0 ? { ...stamps, handledBy } : undefined);
}

/** The outcome of a message that was handled. @param progressed whether its progress was written */
function handledAs({ keepMs }: MessageDefinition, progressed: boolean): Outcome {
  return keepMs === undefined && !progressed ? handled : {
    ...handled,
    ...(keepMs !== undefined && { keepMs }),
    ...(progressed && { progressed }),
  };
}

/** @throws UnknownMessageTypeError */
function definitionOf({ type }: Envelope, bus: MessageBus): MessageDefinition {
  const definition = bus.registry.get(type);
  if (!definition) throw new UnknownMessageTypeError(type);
  return definition;
}

/** Runs each handler that has not succeeded yet, also after another has failed or snoozed. */
async function runHandlers(
  { definition, payload, read, ctx, progress: { handledBy, snoozes }, task }: Passed,
): Promise<void> {
  const failures: HandlerFailure[] = [];
  let isFirst = true;
  for (const { name, handle } of definition.handlers) {
    if (handledBy.includes(name)) continue;
    // One that ignored the stop has ended after it: the others are the next attempt's.
    if (task.isStopped) throw task.stopReason;
    try {
      const own = isFirst ? payload : await read();
      isFirst = false;
      const answer = await handle(own, ctx);
      if (isInstance(answer, Snooze)) snoozes.push(answer);
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
