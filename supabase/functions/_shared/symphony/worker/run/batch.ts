/** One attempt at several messages of a type, by a handler that takes them together. */

import {
  type Batch,
  type BatchContext,
  readAnswer,
  type Verdict,
} from "../../message/batch-handler.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import type { Outcome, Snoozed } from "../../message/outcome.ts";
import { Snooze } from "../../message/snooze.ts";
import { attempt, type AttemptDependencies, conclude, type Passed } from "./attempt.ts";
import { CallGuard, guardOf, ownEnvelope, reporter } from "./context.ts";
import { LONGEST_TIMER_MS, type Task } from "./task.ts";

/** A batch waits this part of its timeout for messages that are held up by a schema or by middleware. */
const GATHERING_SHARE = 1 / 2;

/**
 * Runs a batch. Each message has its own payload check, middleware, outcome and retries.
 * @param startedAt when the attempt began, on the clock of performance.now(): the timeout counts from there
 * @param done told each message's outcome as soon as it is known
 * @returns when all outcomes are known. Never throws
 */
export async function attemptBatch(
  tasks: readonly Task[],
  definition: MessageDefinition & { readonly batch: Batch },
  startedAt: number,
  deps: AttemptDependencies,
  done: (task: Task, outcome: Outcome | Snoozed) => void,
): Promise<void> {
  const gathering = new Gathering(tasks, definition, deps);
  for (const task of tasks) task.onStop = (reason) => gathering.stop(task, reason);
  const join = async (passed: Passed) => {
    const verdict = await gathering.join(passed);
    if (verdict instanceof Snooze) passed.progress.snoozes.push(verdict);
    else if (verdict) throw verdict.error;
  };
  const attempts = tasks.map(async (task) => {
    const outcome = await attempt(task, startedAt, deps, join);
    gathering.leave(task);
    await conclude(task, outcome, deps, done);
  });
  gathering.closeAfter(definition.timeoutMs * GATHERING_SHARE);
  await Promise.all(attempts);
  gathering.end();
}

interface Member extends Passed {
  readonly said: PromiseWithResolvers<Verdict>;
}

/** One call of the handler. */
interface Call {
  /** Its messages that are not stopped. */
  readonly wanted: Set<Task>;
  readonly controller: AbortController;
}

/** Waits until every message has come through its middleware, then runs the handler for all of them. */
class Gathering {
  /** Still in their checks or their middleware. */
  readonly #awaited: Set<Task>;
  /** Through their middleware. */
  readonly #joined = new Map<Task, Member>();
  /** In the handler's hands. */
  readonly #calls = new Map<Task, Call>();
  #hasStarted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    tasks: readonly Task[],
    private readonly definition: MessageDefinition & { readonly batch: Batch },
    private readonly deps: AttemptDependencies,
  ) {
    this.#awaited = new Set(tasks);
  }

  /** A message is through its middleware: answers what the handler says about it. */
  join(passed: Passed): Promise<Verdict> {
    const member = { ...passed, said: Promise.withResolvers<Verdict>() };
    this.#awaited.delete(passed.task);
    if (this.#hasStarted) {
      // One that comes late is handled by itself.
      this.#start([member]);
    } else {
      this.#joined.set(passed.task, member);
      this.#startIfComplete();
    }
    return member.said.promise;
  }

  /** A message will not come through any more. */
  leave(task: Task): void {
    if (this.#awaited.delete(task)) this.#startIfComplete();
  }

  /** A message is stopped: it is left out, or the handler told if it was the last one. */
  stop(task: Task, reason: unknown): void {
    this.#joined.get(task)?.said.reject(reason);
    this.#joined.delete(task);
    const call = this.#calls.get(task);
    if (call?.wanted.delete(task) && call.wanted.size === 0) call.controller.abort(reason);
    this.leave(task);
  }

  /** Starts without those that have not come through by then. @param ms from now */
  closeAfter(ms: number): void {
    if (this.#hasStarted) return;
    this.#timer = setTimeout(() => {
      this.#awaited.clear();
      this.#startIfComplete();
    }, Math.min(ms, LONGEST_TIMER_MS));
  }

  /** All is over. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #startIfComplete(): void {
    if (this.#hasStarted || this.#awaited.size > 0 || this.#joined.size === 0) return;
    this.#hasStarted = true;
    const members = [...this.#joined.values()];
    this.#joined.clear();
    this.#start(members);
  }

  #start(members: readonly Member[]): void {
    const wanted = new Set(members.map(({ task }) => task));
    const call = { wanted, controller: new AbortController() };
    for (const { task } of members) this.#calls.set(task, call);
    this.#handle(members, call.controller.signal).then(
      (verdicts) => members.forEach(({ said }, index) => said.resolve(verdicts[index] ?? null)),
      (error) => members.forEach(({ said }) => said.reject(error)),
    );
  }

  async #handle(members: readonly Member[], signal: AbortSignal): Promise<Verdict[]> {
    const { type, batch } = this.definition;
    const { log, bus, supabase } = this.deps;
    const messages = members.map(({ task, payload }) => ({
      payload,
      envelope: ownEnvelope(task.envelope),
      attempt: task.envelope.attempts,
      progress: reporter(task, this.deps, guardOf(task, log)),
      get signal() {
        return task.signal;
      },
    }));
    const fields = { type, messages: members.length };
    const guard = new CallGuard(() => members.every(({ task }) => task.isOver), log, fields);
    const ctx: BatchContext = {
      signal,
      log: guard.logger(log.with(fields)),
      dispatch: (...message) => guard.dispatch(bus, ...message),
      supabase,
    };
    const ids = members.map(({ task }) => task.envelope.id);
    return readAnswer(await batch.handle(messages, ctx), ids);
  }
}
