/**
 * A batch: several messages of a type, handled by one call. Each message passes through the pipeline of
 * run/run.ts by itself, with its own payload check, middleware, outcome and retries. Its handlers step waits
 * here until all messages of the batch have come that far.
 */

import {
  type Batch,
  type BatchContext,
  type BatchMessage,
  readAnswer,
  type Verdict,
} from "../../message/batch-handler.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import type { DurableContext } from "../../message/durable-context.ts";
import { Snooze } from "../../message/snooze.ts";
import { checkCaller } from "../durable/step-scope.ts";
import type { Ready, RunTools } from "./attempt.ts";
import { CallGuard, guardOf } from "./call-guard.ts";
import { collector, ownEnvelope, reporter } from "./context.ts";
import { EffectBuffer } from "./effect-buffer.ts";
import { LONGEST_TIMER_MS, type Task } from "./task.ts";

/** Share of its timeout that a batch waits for messages which a schema or middleware holds up. */
const GATHERING_SHARE = 1 / 2;

/** Durable calls, which a batch handler cannot make: its messages have no run of their own. */
const DURABLE_CALLS: readonly (keyof DurableContext)[] = [
  ...["step", "effect", "sleep", "sleepUntil", "waitFor", "all", "dispatchBatch"] as const,
];

/** Methods that refuse durable calls. The types leave them out, and a handler in JavaScript learns why. */
const REFUSED = Object.fromEntries(
  DURABLE_CALLS.map((name) => [
    name,
    () => new Promise<never>(() => void checkCaller(`ctx.${name}`, undefined)),
  ]),
);

/** A definition whose handler takes several messages. */
export type BatchDefinition = MessageDefinition & { readonly batch: Batch };

/** Whether a definition has a batch handler. */
export function isBatched(
  definition: MessageDefinition | undefined,
): definition is BatchDefinition {
  return definition !== undefined && definition.batch !== null;
}

/** A message that waits for the verdict of the batch handler. */
interface Member extends Ready {
  readonly verdict: PromiseWithResolvers<Verdict>;
}

/** One call of the batch handler. */
interface Call {
  /** Its messages that are not stopped. */
  readonly wanted: Set<Task>;
  readonly controller: AbortController;
}

/** Waits until every message has passed its middleware, then calls the handler for all of them. */
export class Gathering {
  /** Messages in their checks or their middleware. */
  readonly #awaited: Set<Task>;
  /** Messages that have passed their middleware and wait for the others. */
  readonly #joined = new Map<Task, Member>();
  /** Messages that the handler has been called with. */
  readonly #calls = new Map<Task, Call>();
  #hasStarted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    tasks: readonly Task[],
    private readonly definition: BatchDefinition,
    private readonly tools: RunTools,
  ) {
    this.#awaited = new Set(tasks);
    for (const task of tasks) task.onStop = (reason) => this.#stop(task, reason);
  }

  /** The handlers step of one message: joins the batch, and takes its part of the handler's answer. */
  readonly call = async (ready: Ready): Promise<void> => {
    const verdict = await this.#join(ready);
    if (verdict instanceof Snooze) ready.attempt.snoozes.push(verdict);
    else if (verdict) throw verdict.error;
  };

  /** The message has its outcome: if it has not joined by now, the batch no longer waits for it. */
  leave(task: Task): void {
    if (this.#awaited.delete(task)) this.#startIfComplete();
  }

  /** From a share of the timeout on, the batch no longer waits for messages that are held up. */
  limit(): void {
    if (this.#hasStarted) return;
    this.#timer = setTimeout(() => {
      this.#awaited.clear();
      this.#startIfComplete();
    }, Math.min(this.definition.timeoutMs * GATHERING_SHARE, LONGEST_TIMER_MS));
  }

  /** All messages have their outcomes. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #join(ready: Ready): Promise<Verdict> {
    const { task } = ready.attempt;
    const member = { ...ready, verdict: Promise.withResolvers<Verdict>() };
    this.#awaited.delete(task);
    if (this.#hasStarted) {
      // A message that comes late is handled by itself.
      this.#start([member]);
    } else {
      this.#joined.set(task, member);
      this.#startIfComplete();
    }
    return member.verdict.promise;
  }

  /** Leaves a stopped message out. The handler's signal is aborted if no other message of its call is wanted. */
  #stop(task: Task, reason: unknown): void {
    this.#joined.get(task)?.verdict.reject(reason);
    this.#joined.delete(task);
    const call = this.#calls.get(task);
    if (call?.wanted.delete(task) && call.wanted.size === 0) call.controller.abort(reason);
    this.leave(task);
  }

  #startIfComplete(): void {
    if (this.#hasStarted || this.#awaited.size > 0 || this.#joined.size === 0) return;
    this.#hasStarted = true;
    const members = [...this.#joined.values()];
    this.#joined.clear();
    this.#start(members);
  }

  #start(members: readonly Member[]): void {
    const wanted = new Set(members.map(({ attempt }) => attempt.task));
    const call = { wanted, controller: new AbortController() };
    for (const task of wanted) this.#calls.set(task, call);
    this.#handle(members, call.controller.signal).then(
      (verdicts) =>
        members.forEach(({ verdict }, index) => verdict.resolve(verdicts[index] ?? null)),
      (error) => members.forEach(({ verdict }) => verdict.reject(error)),
    );
  }

  async #handle(members: readonly Member[], signal: AbortSignal): Promise<Verdict[]> {
    const { type, batch } = this.definition;
    const { log, bus, supabase } = this.tools;
    const tasks = members.map(({ attempt }) => attempt.task);
    const fields = { type, messages: members.length };
    const over = () => tasks.every(({ isOver }) => isOver);
    const guard = new CallGuard(over, () => signal, log, fields);
    const effects = new EffectBuffer(this.tools, guard);
    for (const { attempt } of members) attempt.batchEffects = effects;
    const ctx: BatchContext = {
      ...REFUSED,
      signal,
      log: guard.logger(log.with(fields)),
      dispatch: (...message) => guard.dispatch(bus, message, (one) => effects.add(one, null)),
      dispatchNow: (...message) => guard.dispatchNow(bus, message),
      supabase,
    };
    const messages = members.map((member) => this.#message(member));
    return readAnswer(await batch.handle(messages, ctx), tasks.map(({ envelope }) => envelope.id));
  }

  /** One message as the batch handler gets it. */
  #message({ attempt, payload }: Member): BatchMessage<unknown> {
    const { task } = attempt;
    const { tools } = this;
    const guard = guardOf(task, tools.log);
    return {
      payload,
      envelope: ownEnvelope(task.envelope),
      attempt: task.envelope.attempts,
      dispatch: (...message) => guard.dispatch(tools.bus, message, collector(attempt, tools)),
      progress: reporter(task, tools, guard),
      get signal() {
        return task.signal;
      },
    };
  }
}
