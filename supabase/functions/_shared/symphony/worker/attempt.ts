/** One attempt at one message, from the envelope to its outcome. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus.ts";
import type { Envelope } from "../envelope.ts";
import {
  type HandlerFailure,
  HandlersFailedError,
  HandlerTimeoutError,
  InvalidPayloadError,
  MessageExpiredError,
  UnknownMessageTypeError,
} from "../errors.ts";
import type { Logger } from "../log.ts";
import type { HandlerContext, MessageDefinition } from "../message.ts";
import { handled, type Outcome, type Snoozed } from "../outcome.ts";
import type { RetryManager } from "../retry/manager.ts";
import { Snooze } from "../snooze.ts";
import { checkProgress, type ProgressReporter } from "./progress.ts";

/** What an attempt needs beside the message. */
export interface AttemptDependencies {
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Writes what handlers report; nothing is written where absent. */
  readonly progress?: ProgressReporter;
}

/**
 * Runs a message's handlers and answers what becomes of it. Never throws.
 * @param stop aborted when the lease is lost or the worker has to end
 */
export async function attempt(
  envelope: Envelope,
  stop: AbortSignal,
  deps: AttemptDependencies,
): Promise<Outcome | Snoozed> {
  const startedAt = performance.now();
  const handledBy = new Set(envelope.stamps.handledBy);
  const snoozes: Snooze[] = [];
  try {
    const definition = runnable(envelope, deps.bus);
    const payload = await parse(definition, envelope);
    await withTimeout(definition, stop, (signal) => {
      const ctx = context(envelope, signal, deps);
      return deps.bus.handle(
        ctx,
        () => runHandlers(definition, payload, ctx, { handledBy, snoozes }),
      );
    });
    const progressed = await deps.progress?.end(envelope, snoozes.length === 0) ?? false;
    return snoozes.length === 0 ? handledAs(definition, progressed) : {
      kind: "snoozed",
      delayMs: Math.max(...snoozes.map(({ delayMs }) => delayMs)),
      stamps: { ...envelope.stamps, handledBy: [...handledBy] },
    };
  } catch (error) {
    await deps.progress?.end(envelope, false);
    return deps.retry.decide(envelope, error, {
      durationMs: Math.round(performance.now() - startedAt),
      handledBy: [...handledBy],
    });
  }
}

function handledAs({ keepMs }: MessageDefinition, progressed: boolean): Outcome {
  return {
    ...handled,
    ...(keepMs !== undefined && { keepMs }),
    ...(progressed && { progressed }),
  };
}

function runnable(envelope: Envelope, bus: MessageBus): MessageDefinition {
  const definition = bus.registry.get(envelope.type);
  if (!definition) throw new UnknownMessageTypeError(envelope.type);
  if (envelope.expired && envelope.expiresAt) throw new MessageExpiredError(envelope.expiresAt);
  return definition;
}

async function parse(definition: MessageDefinition, envelope: Envelope): Promise<unknown> {
  const parsed = await definition.schema.safeParseAsync(envelope.payload);
  if (!parsed.success) throw new InvalidPayloadError(envelope.type, parsed.error.issues);
  return parsed.data;
}

/** What the handlers of an attempt have done so far. */
interface Progress {
  /** Names of those that have succeeded, in this attempt and before. */
  readonly handledBy: Set<string>;
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
    if (handledBy.has(name)) continue;
    try {
      const answer = await handle(payload, ctx);
      if (answer instanceof Snooze) snoozes.push(answer);
      else handledBy.add(name);
    } catch (error) {
      failures.push({ handler: name, error });
    }
  }
  if (failures.length === 0) return;
  const [only] = failures;
  if (definition.handlers.length === 1 && only) throw only.error;
  throw new HandlersFailedError(failures);
}

/** Ends with the work, or with the timeout or the stop signal, whatever comes first. */
async function withTimeout(
  definition: MessageDefinition,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const onStop = () => controller.abort(stop.reason);
  const timer = setTimeout(
    () => controller.abort(new HandlerTimeoutError(definition.timeoutMs)),
    definition.timeoutMs,
  );
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  try {
    await new Promise<void>((resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
      work(controller.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}

function context(
  envelope: Envelope,
  signal: AbortSignal,
  deps: AttemptDependencies,
): HandlerContext {
  return {
    envelope,
    attempt: envelope.attempts,
    signal,
    log: deps.log.with({ id: envelope.id, type: envelope.type, attempt: envelope.attempts }),
    dispatch: deps.bus.dispatch,
    supabase: deps.supabase,
    schedule: envelope.stamps.schedule ?? null,
    user: envelope.stamps.user ?? null,
    progress: (value, note) => {
      checkProgress(value, note);
      if (!signal.aborted) deps.progress?.report(envelope, value, note);
    },
  };
}
