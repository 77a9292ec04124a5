/** The scope of a step's function: its dispatches are written with its result, and no durable call is made in it. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Effects, Emitted } from "../../message/effects.ts";
import type { OutgoingMessage } from "../../message/envelope.ts";
import { AttemptOverError, DurableUsageError } from "../../message/errors.ts";
import { showValue } from "../../runtime/inspect.ts";
import { EffectBuffer, type EffectTools } from "../run/effect-buffer.ts";
import type { EffectOwner } from "../run/effect-room.ts";

const inside = new AsyncLocalStorage<StepScope>();

/** The step whose function makes the present call; undefined outside of one. */
export function stepScope(): StepScope | undefined {
  return inside.getStore();
}

/**
 * Checks that a durable call can be made here.
 * @param label the call, such as `ctx.step`
 * @param handler name of the handler that runs at this moment
 * @returns that name
 * @throws DurableUsageError in middleware, in a batch handler, and inside the function of a step
 */
export function checkCaller(label: string, handler: string | undefined): string {
  // Such a call would not be found in a later run.
  const outer = stepScope();
  if (outer !== undefined) {
    const where = `inside the function of step ${showValue(outer.name)}`;
    throw new DurableUsageError(`${label}: cannot be called ${where}; call it in the handler`);
  }
  if (handler === undefined) {
    throw new DurableUsageError(
      `${label}: can be called by a handler only, neither by middleware nor by a batch handler`,
    );
  }
  return handler;
}

/** One run of a step's function. */
export class StepScope {
  #effects: EffectBuffer | undefined;
  #isOver = false;

  /** @param name of the step */
  constructor(readonly name: string) {}

  /** Calls the function of the step. */
  call<Result>(fn: () => Result): Result {
    return inside.run(this, fn);
  }

  /**
   * Keeps a dispatch of the function until the step has its result.
   * @returns the reserved id
   * @throws AttemptOverError after the function's end, and the errors of {@link EffectBuffer.add}
   */
  async add(message: OutgoingMessage, tools: EffectTools, owner: EffectOwner): Promise<string> {
    if (this.#isOver) throw new AttemptOverError("dispatch");
    return await (this.#effects ??= new EffectBuffer(tools, owner)).add(message, null);
  }

  /** Keeps an event of the function until the step has its result. @throws as {@link StepScope.add} */
  async emit(emitted: Emitted, tools: EffectTools, owner: EffectOwner): Promise<void> {
    if (this.#isOver) throw new AttemptOverError("emit");
    await (this.#effects ??= new EffectBuffer(tools, owner)).emit(emitted, null);
  }

  /** Waits until every dispatch has its id. @throws the errors of the transport */
  async ready(): Promise<void> {
    await this.#effects?.ready();
  }

  /** The function has ended. Returns what is to be written with its result. */
  close(): Effects | undefined {
    this.#isOver = true;
    return this.#effects?.take();
  }
}
