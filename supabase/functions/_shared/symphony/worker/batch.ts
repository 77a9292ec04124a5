/** One attempt at several messages of a type, by a handler that takes them together. */

import { type Batch, type BatchContext, readAnswer, type Verdict } from "../batch.ts";
import type { MessageDefinition } from "../message.ts";
import { type Outcome, type Snoozed, snoozed } from "../outcome.ts";
import { parseStored } from "../payload.ts";
import { Snooze } from "../snooze.ts";
import {
  AttemptContext,
  type AttemptDependencies,
  handledAs,
  reporter,
  runnable,
} from "./attempt.ts";
import type { Task } from "./task.ts";

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
  const fail = async (task: Task, error: unknown) => {
    const durationMs = Math.round(performance.now() - startedAt);
    await deps.progress?.end(task.envelope, false);
    done(task, deps.retry.decide(task.envelope, error, { durationMs }));
  };
  const parsed = await Promise.all(tasks.map(async (task) => {
    try {
      return [{
        task,
        payload: await parseStored(runnable(task.envelope, deps.bus), task.envelope.payload),
      }];
    } catch (error) {
      await fail(task, error);
      return [];
    }
  }));
  const members = parsed.flat();
  const gathering = new Gathering(members, definition, deps);
  await Promise.all(members.map(async (member) => {
    const { task } = member;
    deps.deadlines.set(task, startedAt, definition.timeoutMs);
    task.onStop = (reason) => gathering.stop(member, reason);
    try {
      let snooze: Snooze | undefined;
      await task.run(() =>
        deps.bus.handle(new AttemptContext(task, deps), async () => {
          const verdict = await gathering.join(member);
          if (verdict instanceof Snooze) snooze = verdict;
          else if (verdict) throw verdict.error;
        })
      );
      const progressed = await deps.progress?.end(task.envelope, !snooze) ?? false;
      done(task, snooze ? snoozed(snooze.delayMs) : handledAs(definition, progressed));
    } catch (error) {
      await fail(task, error);
    } finally {
      deps.deadlines.clear(task);
      gathering.leave(member);
    }
  }));
}

interface Member {
  readonly task: Task;
  readonly payload: unknown;
}

/** Waits until every message has come through its middleware, then runs the handler for all of them. */
class Gathering {
  /** Still in their middleware. */
  readonly #awaited: Set<Member>;
  /** Through their middleware. */
  readonly #joined = new Map<Member, PromiseWithResolvers<Verdict>>();
  /** In the handler's hands, and not stopped. */
  #wanted: Set<Member> | undefined;
  readonly #controller = new AbortController();

  constructor(
    members: readonly Member[],
    private readonly definition: MessageDefinition & { readonly batch: Batch },
    private readonly deps: AttemptDependencies,
  ) {
    this.#awaited = new Set(members);
  }

  /** A message is through its middleware: answers what the handler says about it. */
  join(member: Member): Promise<Verdict> {
    const known = this.#joined.get(member);
    if (known) return known.promise;
    if (!this.#awaited.delete(member)) return Promise.reject(new Error("the message was stopped"));
    const own = Promise.withResolvers<Verdict>();
    // Middleware may not look at what the handlers did.
    own.promise.catch(() => {});
    this.#joined.set(member, own);
    this.#startIfComplete();
    return own.promise;
  }

  /** A message will not come through any more. */
  leave(member: Member): void {
    if (this.#awaited.delete(member)) this.#startIfComplete();
  }

  /** A message is stopped: it is left out, or the handler told if it was the last one. */
  stop(member: Member, reason: unknown): void {
    if (!this.#wanted) this.#joined.delete(member);
    else if (this.#wanted.delete(member) && this.#wanted.size === 0) this.#controller.abort(reason);
    this.leave(member);
  }

  #startIfComplete(): void {
    if (this.#wanted || this.#awaited.size > 0 || this.#joined.size === 0) return;
    const joined = [...this.#joined];
    this.#wanted = new Set(this.#joined.keys());
    this.#handle(joined.map(([member]) => member)).then(
      (verdicts) => joined.forEach(([, own], index) => own.resolve(verdicts[index] ?? null)),
      (error) => joined.forEach(([, own]) => own.reject(error)),
    );
  }

  async #handle(members: readonly Member[]): Promise<Verdict[]> {
    const { type, batch } = this.definition;
    const { log, bus, supabase } = this.deps;
    const ctx: BatchContext = {
      signal: this.#controller.signal,
      log: log.with({ type, messages: members.length }),
      dispatch: bus.dispatch,
      supabase,
    };
    const messages = members.map(({ task, payload }) => ({
      payload,
      envelope: task.envelope,
      attempt: task.envelope.attempts,
      progress: reporter(task, this.deps),
      get signal() {
        return task.signal;
      },
    }));
    return readAnswer(
      await batch.handle(messages, ctx),
      members.map(({ task }) => task.envelope.id),
    );
  }
}
