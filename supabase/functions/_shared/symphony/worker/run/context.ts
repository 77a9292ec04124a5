/** The context that a handler gets beside the payload. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type {
  Envelope,
  OutgoingMessage,
  ScheduleStamp,
  UserStamp,
} from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Dispatch, HandlerContext } from "../../message/handler.ts";
import type { EffectOptions, StepOptions, WaitOptions } from "../../message/durable-context.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import { checkingArguments } from "../../message/wrong-argument.ts";
import type { ChildMessage } from "../../message/child-messages.ts";
import { all } from "../durable/all.ts";
import { dispatchBatch } from "../durable/batch-step.ts";
import { DurableRun } from "../durable/durable-run.ts";
import { asUsageError } from "../durable/usage-error.ts";
import { sleep, sleepUntil } from "../durable/sleep.ts";
import { callEffect } from "../durable/sql-effect.ts";
import { callStep, type StepFunction } from "../durable/step.ts";
import { checkCaller, stepScope } from "../durable/step-scope.ts";
import { waitFor } from "../durable/wait.ts";
import type { Attempt, RunTools } from "./attempt.ts";
import { type CallGuard, guardOf } from "./call-guard.ts";
import { dispatchedBefore, eventPlace } from "./dispatched-before.ts";
import { EffectBuffer, type EffectTools } from "./effect-buffer.ts";
import { checkProgress, type ProgressReporter } from "./progress.ts";
import { readProperty } from "../../runtime/inspect.ts";
import type { Task } from "./task.ts";

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
  #attempt: Attempt | undefined;
  readonly #definition: MessageDefinition;
  readonly #deps: RunTools;
  #guard: CallGuard | undefined;

  constructor(attempt: Attempt, definition: MessageDefinition, deps: RunTools) {
    const { task } = attempt;
    const { envelope } = task;
    Object.freeze(envelope);
    this.attempt = envelope.attempts;
    this.supabase = deps.supabase;
    const { schedule = null, user = null } = envelope.stamps;
    // Middleware and all handlers of the attempt see the same two objects.
    this.schedule = schedule && Object.freeze({ ...schedule });
    this.user = user && Object.freeze({ ...user });
    this.#task = task;
    this.#attempt = attempt;
    this.#definition = definition;
    this.#deps = deps;
    this.dispatch = (...message) => this.#dispatch(message);
  }

  #dispatch(message: Parameters<Dispatch>): Promise<string> {
    const attempt = this.#attempt;
    if (!attempt) return this.#guarded.refuse("dispatch");
    const scope = stepScope();
    const { bus } = this.#deps;
    if (scope) {
      const add = (one: OutgoingMessage) =>
        scope.add(attempt.span?.create(one) ?? one, this.#deps, this.#task);
      return this.#guarded.dispatch(bus, message, add);
    }
    const id = dispatchedBefore(attempt, String(readProperty(message[0], "type")));
    if (id !== undefined && !this.#task.isOver) return Promise.resolve(id);
    return this.#guarded.dispatch(bus, message, collector(attempt, this.#deps));
  }

  get effect(): HandlerContext["effect"] {
    return ((name: string, args?: Readonly<Record<string, unknown>>, options?: EffectOptions) =>
      this.#call(
        "effect",
        (durable, attempt) =>
          callEffect(durable(), { attempt, tools: this.#deps }, name, args, options),
      )) as HandlerContext["effect"];
  }

  get emit(): HandlerContext["emit"] {
    return (event, value) => {
      const attempt = this.#attempt;
      if (!attempt) return this.#guarded.refuse("emit");
      const scope = stepScope();
      const { bus } = this.#deps;
      const { handler = null } = attempt;
      const before = !scope && typeof event === "string" &&
        dispatchedBefore(attempt, eventPlace(event)) !== undefined;
      if (before && !this.#task.isOver) return Promise.resolve();
      return this.#guarded.keep(
        "emit",
        () => bus.events.prepare(event, value),
        (one) =>
          scope
            ? scope.emit(one, this.#deps, this.#task)
            : (attempt.effects ??= new EffectBuffer(this.#deps, this.#task)).emit(one, handler),
      );
    };
  }

  get dispatchNow(): Dispatch {
    return (...message) => this.#guarded.dispatchNow(this.#deps.bus, message, this.#attempt?.span);
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
    const traced = this.#attempt?.span?.fields;
    return this.#guarded.logger(
      this.#deps.log.with({ id, type, attempt: attempts, ...traced }),
    );
  }

  get progress(): HandlerContext["progress"] {
    return reporter(this.#task, this.#deps, this.#guarded);
  }

  get step(): HandlerContext["step"] {
    // The function's type is checked where it is called.
    return ((name: string, fn: StepFunction, options?: StepOptions) =>
      this.#call(
        "step",
        (durable, attempt) =>
          callStep(durable(), { attempt, tools: this.#deps }, name, fn, options),
      )) as HandlerContext["step"];
  }

  get sleep(): HandlerContext["sleep"] {
    return (duration, options) =>
      this.#call("sleep", (durable) => sleep(durable, duration, options));
  }

  get sleepUntil(): HandlerContext["sleepUntil"] {
    return (date, options) =>
      this.#call("sleepUntil", (durable) => sleepUntil(durable, this.#deps.now, date, options));
  }

  get waitFor(): HandlerContext["waitFor"] {
    // The value's type is the schema's, by which it was parsed.
    return ((event: string | readonly string[], options?: WaitOptions) =>
      this.#call(
        "waitFor",
        (durable) => waitFor(durable, this.#task, this.#deps, event, options),
      )) as HandlerContext["waitFor"];
  }

  get token(): HandlerContext["token"] {
    const { id } = this.#task.envelope;
    return (event, options) =>
      checkingArguments(() => this.#deps.bus.events.token(event, options, id));
  }

  get all(): HandlerContext["all"] {
    const parts = { bus: this.#deps.bus, envelope: this.#task.envelope };
    // The results are those of the children's definitions.
    return ((
      name: string,
      children: readonly ChildMessage[],
      options?: { readonly key?: string },
    ) =>
      this.#call(
        "all",
        (durable, { span }) => all(durable, { ...parts, span }, name, children, options),
      )) as HandlerContext["all"];
  }

  get dispatchBatch(): HandlerContext["dispatchBatch"] {
    return (members, options) =>
      this.#call(
        "dispatchBatch",
        (durable, attempt) =>
          dispatchBatch(durable, { attempt, tools: this.#deps }, members, options),
      );
  }

  get version(): HandlerContext["version"] {
    const { durable } = this.#task.envelope.stamps;
    return durable ? durable.version : this.#definition.version;
  }

  /**
   * Makes a durable call. After the end of the attempt it is refused; if a durable call has ended the run, the
   * handler's promise is left alone, and so is every further call.
   */
  async #call<Answer>(
    name: string,
    call: (durable: () => DurableRun, attempt: Attempt) => Promise<Answer>,
  ): Promise<Answer> {
    const attempt = this.#attempt;
    if (attempt?.durable?.ending.isOver) return await new Promise<never>(() => {});
    if (!attempt || this.#task.isOver) return await this.#guarded.refuse(name);
    checkCaller(`ctx.${name}`, attempt.handler);
    const durable = () => attempt.durable ??= new DurableRun(attempt, this.#deps, this.#definition);
    try {
      return await call(durable, attempt);
    } catch (error) {
      throw asUsageError(error);
    }
  }

  /**
   * The attempt is over. The garbage collector copies what a context holds for longer than a run lasts: without
   * this, the CPU time of a message grows by a third. An attempt with durable calls stays for late calls.
   */
  end(): void {
    if (!this.#attempt?.durable) this.#attempt = undefined;
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

/** Keeps what is dispatched now for the attempt's outcome, as a dispatch of the handler that runs now. */
export function collector(
  attempt: Attempt,
  tools: EffectTools,
): (message: OutgoingMessage) => Promise<string> {
  const { handler = null, span, task } = attempt;
  return (message) =>
    (attempt.effects ??= new EffectBuffer(tools, task))
      .add(span?.create(message) ?? message, handler);
}

/** The function that a handler reports the progress of its message with. */
export function reporter(
  task: Task,
  { progress }: { readonly progress?: ProgressReporter },
  guard: CallGuard,
): HandlerContext["progress"] {
  return (value, note) => {
    if (guard.isLate("progress")) return;
    checkingArguments(() => checkProgress(value, note));
    progress?.report(task.envelope, value, note);
  };
}
