/**
 * Running: one attempt at one message, from its envelope to its outcome. {@link run} is the pipeline:
 *
 * 1. find the definition of the message's type;
 * 2. wait for a former run of the same message, and start the timeout;
 * 3. parse the payload by the definition's schema;
 * 4. pass through the middleware, which surrounds
 * 5. the handlers: one after the other, or one call of a batch handler for several messages;
 * 6. decide: handled, snoozed, parked by a durable call, or what the retry manager makes of an error.
 */

import type { MessageBus } from "../../bus/bus.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import type { Envelope } from "../../message/envelope.ts";
import { parentQueue } from "../../message/lane.ts";
import { UnknownMessageTypeError, UnrecoverableError } from "../../message/errors.ts";
import {
  handled,
  type Outcome,
  type Parked,
  type Snoozed,
  snoozed,
} from "../../message/outcome.ts";
import { payloadReader } from "../../message/payload.ts";
import { WrongQueueError } from "../../message/runs-on.ts";
import type { Logger } from "../../runtime/log.ts";
import { AttemptSpan } from "../../tracing/attempt-span.ts";
import type { Attempt, CallHandlers, Ready, RunTools } from "./attempt.ts";
import { AttemptContext } from "./context.ts";
import { withDispatched } from "./dispatched-before.ts";
import { joined } from "./effect-buffer.ts";
import type { FormerRun } from "./former-runs.ts";
import { keepMsOf } from "./handler-result.ts";
import { callHandlers } from "./handlers.ts";
import type { Task } from "./task.ts";

/**
 * Runs one attempt at one message. All of it lies within the definition's timeout. Never throws.
 * @param startedAt when the attempt began, on the clock of performance.now()
 * @param call how the handlers are called: one after the other, unless the message is part of a batch
 * @returns what becomes of the message. If the task was stopped, its handlers may still work
 */
export function run(
  task: Task,
  startedAt: number,
  tools: RunTools,
  call: CallHandlers = callHandlers,
): Promise<Outcome | Snoozed | Parked> {
  const attempt = begin(task, startedAt);
  const outcome = outcomeOf(attempt, tools, call);
  // Without tracing, a message has one promise less.
  return attempt.span ? traced(attempt.span, outcome) : outcome;
}

/** Ends the span of an attempt with its outcome. */
async function traced<Result extends Outcome | Snoozed | Parked>(
  span: AttemptSpan,
  outcome: Promise<Result>,
): Promise<Result> {
  span.end(await outcome);
  return await outcome;
}

/** The steps 1 to 6. Never throws. */
async function outcomeOf(
  attempt: Attempt,
  tools: RunTools,
  call: CallHandlers,
): Promise<Outcome | Snoozed | Parked> {
  const { task } = attempt;
  let ctx: AttemptContext | undefined;
  try {
    const past = endedBefore(task.envelope);
    if (past) return past;
    const definition = findDefinition(task.envelope, tools);
    const former = tools.formerRuns.get(task.envelope.id);
    if (former) await formerRunEnds(attempt, former, tools.log);
    tools.deadlines.set(task, attempt.startedAt, definition.timeoutMs);
    const read = readerOf(task.envelope, definition, tools.bus);
    const parsed = read();
    const payload = parsed instanceof Promise ? await task.race(() => parsed) : parsed;
    ctx = new AttemptContext(attempt, definition, tools);
    await throughMiddleware({ attempt, definition, payload, read, ctx }, tools.bus, call);
    const ended = attempt.durable ? await endedByStep(attempt, tools) : null;
    return ended ?? handledAtOnce(attempt, definition, tools) ??
      await succeed(attempt, definition, tools);
  } catch (error) {
    const ended = attempt.durable ? await endedByStep(attempt, tools) : null;
    return ended ?? await fail(attempt, error, tools);
  } finally {
    ctx?.end();
    tools.deadlines.clear(task);
  }
}

/** The outcome of a message that has ended before, and whose row could not be deleted then; null for any other. */
function endedBefore({ stamps }: Envelope): Outcome | null {
  const { ended, durable } = stamps;
  if (ended === undefined) return null;
  if (ended !== "handled") return { kind: "dead", reason: ended, errors: [] };
  return durable === undefined ? handled : { ...handled, durable: true };
}

function begin(task: Task, startedAt: number): Attempt {
  const handledBy = [...task.envelope.stamps.handledBy ?? []];
  // Properties that were added later would let the object grow, which costs each message.
  return {
    task,
    span: AttemptSpan.begin(task.envelope),
    startedAt,
    hasBegun: false,
    handledBy,
    snoozes: [],
    handler: undefined,
    onDurableEnd: undefined,
    durable: undefined,
    effects: undefined,
  };
}

/**
 * @throws UnknownMessageTypeError
 * @throws UnrecoverableError if another project handles the type: SQL that names home, or that follows the routes of the
 * deploy before, writes it here. Without a handler it would count as handled, and be lost
 * @throws WrongQueueError in a tick, if the message needs a worker: SQL, which knows no definitions, can
 * write it into any queue. An operator may let ticks serve its own queue
 */
function findDefinition({ type, queue }: Envelope, { bus, isTick }: RunTools): MessageDefinition {
  const definition = bus.registry.get(type);
  if (!definition) throw new UnknownMessageTypeError(type);
  if (definition.handlers.length === 0 && !definition.batch) {
    throw new UnrecoverableError(
      `handler: ${type} has none here; redrive it once its route leads to the project that handles it`,
    );
  }
  if (isTick && definition.runsOn === "worker" && parentQueue(queue) !== definition.queue) {
    throw new WrongQueueError(definition, queue);
  }
  return definition;
}

/** Waits for a former run of the same message. Its time does not count against the timeout. */
async function formerRunEnds(
  attempt: Attempt,
  { ended, until }: FormerRun,
  log: Logger,
): Promise<void> {
  const { task } = attempt;
  const { id, type } = task.envelope;
  log.warn("former_run_awaited", { id, type });
  await task.race(() => task.pause(ended, until));
  attempt.startedAt = performance.now();
}

/** The reader of a message's payload. A handler must not see what another handler, or a hook, changes in it. */
function readerOf({ payload }: Envelope, definition: MessageDefinition, bus: MessageBus) {
  const isShared = bus.standsAround || definition.handlers.length > 1 ||
    definition.onRetry !== undefined || definition.onDeadLetter !== undefined;
  return payloadReader(definition, payload, isShared);
}

/** Ends with the middleware, or when the task is stopped. */
function throughMiddleware(ready: Ready, bus: MessageBus, call: CallHandlers): Promise<void> {
  const { attempt, ctx } = ready;
  const { task } = attempt;
  attempt.hasBegun = true;
  const handle = () =>
    bus.handle(ctx, () => {
      // Middleware that ignored the stop must not start handlers beside those of the next attempt.
      if (task.isStopped) return Promise.reject(task.stopReason);
      return task.handling = call(ready);
    });
  return task.race(() => attempt.span ? attempt.span.run(handle) : handle());
}

/**
 * The outcome of an attempt that a failed step has ended; null if none has. It holds also if middleware swallowed
 * the error, or threw another one.
 */
async function endedByStep(
  { task, durable, effects, handledBy }: Attempt,
  { progress }: RunTools,
): Promise<Outcome | null> {
  const failed = durable?.ending.isOver ? durable.ending.failed : undefined;
  if (!failed || task.isStopped) return null;
  task.isFinished = true;
  task.effects = effects?.take(handledBy);
  await progress?.end(task.envelope, false);
  return failed.outcome;
}

/**
 * The outcome of an attempt that has nothing to write beside it: most messages share it, and cost no further promise.
 * @returns null for every other attempt
 */
function handledAtOnce(
  attempt: Attempt,
  definition: MessageDefinition,
  { progress }: RunTools,
): Outcome | null {
  const { task, snoozes, durable, effects, batchEffects } = attempt;
  const { envelope } = task;
  if (durable || effects || batchEffects || snoozes.length > 0) return null;
  if (envelope.stamps.durable !== undefined || progress?.hasReports(envelope)) return null;
  if (keepMsOf({ attempt, definition }) !== undefined) return null;
  task.isFinished = true;
  return handled;
}

/** The outcome of an attempt whose handlers have all succeeded or snoozed. */
async function succeed(
  attempt: Attempt,
  definition: MessageDefinition,
  { progress }: RunTools,
): Promise<Outcome | Snoozed | Parked> {
  const { task, snoozes, handledBy, durable, result } = attempt;
  const keepMs = keepMsOf({ attempt, definition });
  const envelope = durable ? durable.envelope : task.envelope;
  const parked = durable?.ending.isOver ? durable.ending.parked : undefined;
  task.isFinished = true;
  let unfinished: ReturnType<NonNullable<Attempt["effects"]>["unfinished"]> | undefined;
  if (attempt.effects || attempt.batchEffects) {
    await effectsReady(attempt);
    if (parked) unfinished = attempt.effects?.unfinished(handledBy);
    task.effects = joined(attempt.effects?.take(), attempt.batchEffects?.take());
  }
  const reported = progress?.end(envelope, snoozes.length === 0 && !parked) ?? false;
  const progressed = reported instanceof Promise ? await reported : reported;
  if (parked) {
    const stamps = withDispatched((durable ?? envelope).stamps, unfinished ?? {});
    return {
      ...{ kind: "parked", ...parked },
      stamps: handledBy.length > 0 ? { ...stamps, handledBy } : stamps,
    };
  }
  if (snoozes.length > 0) {
    const delayMs = Math.max(...snoozes.map((one) => one.delayMs));
    return snoozed(delayMs, handledBy.length > 0 ? { ...envelope.stamps, handledBy } : undefined);
  }
  const hasSteps = envelope.stamps.durable !== undefined;
  if (keepMs === undefined && !progressed && !hasSteps) return handled;
  return {
    ...handled,
    ...(keepMs !== undefined && { keepMs }),
    ...(result?.value !== undefined && { result: result.value, resultBytes: result.bytes }),
    ...(progressed && { progressed }),
    ...(hasSteps && { durable: true }),
  };
}

/** Waits until the dispatches of an attempt have their ids. @throws the errors of the transport */
async function effectsReady({ effects, batchEffects }: Attempt): Promise<void> {
  await effects?.ready();
  await batchEffects?.ready();
}

/** The outcome of an attempt that threw: the retry manager decides between retry and dead letter. */
async function fail(attempt: Attempt, error: unknown, tools: RunTools): Promise<Outcome> {
  const { task, startedAt, hasBegun } = attempt;
  task.isFinished = true;
  const durationMs = Math.round(performance.now() - startedAt);
  // A handler that ignores its stop may still add its name.
  const handledBy = attempt.handledBy.filter((name) => !attempt.effects?.isWaiting(name));
  // The next attempt leaves out the handlers that have succeeded: their dispatches are written now or never.
  task.effects = attempt.effects?.take(handledBy);
  await tools.progress?.end(task.envelope, false);
  const byHandler = hasBegun && !task.isStopped;
  const { durable } = attempt;
  const envelope = durable ? durable.envelope : task.envelope;
  const isDurable = durable !== undefined || envelope.stamps.durable !== undefined;
  return tools.retry.decide(envelope, error, {
    ...{ durationMs, handledBy, byHandler, durable: isDurable },
  });
}
