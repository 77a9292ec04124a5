/** The effect buffer: what the handlers of one attempt have dispatched, until the attempt has its outcome. */

import {
  type Effects,
  type Emitted,
  MAX_EFFECTS,
  MAX_EFFECTS_SIZE,
  type ReservedMessage,
  sizeOf,
  sizeOfEvent,
} from "../../message/effects.ts";
import type { OutgoingMessage } from "../../message/envelope.ts";
import { dictionary } from "../../runtime/dictionary.ts";
import { type Dispatched, eventPlace } from "./dispatched-before.ts";
import type { ReservedIds } from "../../bus/reserved-ids.ts";
import type { EffectOwner, EffectRoom } from "./effect-room.ts";

interface Entry {
  /** Name of the handler that made it; null for middleware and batch handlers. */
  readonly handler: string | null;
  readonly effect: OutgoingMessage | Emitted;
  readonly size: number;
  /** Undefined until a call has brought it; empty for an event. */
  id: string | undefined;
}

/** The parts of an effect buffer. */
export interface EffectTools {
  /** Ids for dispatches. */
  readonly ids: ReservedIds;
  /** Bounds what all handlers of the worker hold. */
  readonly effectRoom: EffectRoom;
}

/** Collects the dispatches of one attempt, of one function of a step, or of one call of a batch handler. */
export class EffectBuffer {
  readonly #tools: EffectTools;
  readonly #owner: EffectOwner;
  readonly #entries: Entry[] = [];
  readonly #waiting = new Set<Promise<unknown>>();
  #size = 0;
  /** The part of the room that it takes. */
  #held = 0;

  /** @param owner the attempt, or the call of a batch handler */
  constructor(tools: EffectTools, owner: EffectOwner) {
    this.#tools = tools;
    this.#owner = owner;
  }

  /**
   * Adds a message that the bus has prepared, and waits for room if the handlers together hold too much.
   * @param handler name of the handler that dispatches it; null for middleware and batch handlers
   * @returns its reserved id
   * @throws RangeError if the message, or all of the attempt together, are more than one outcome can write
   * @throws the errors of the transport if no id can be reserved
   */
  add(message: OutgoingMessage, handler: string | null): Promise<string> {
    return this.#keep(message, sizeOf(message), handler, () => {
      // In a group, ids are in the order of the dispatches.
      return this.#tools.ids.take(message.groupKey !== undefined);
    });
  }

  /**
   * Adds an event that has been prepared, and waits for room if the handlers together hold too much.
   * @param handler name of the handler that emits it; null for middleware and batch handlers
   * @throws RangeError if there are more than one outcome can write
   */
  async emit(emitted: Emitted, handler: string | null): Promise<void> {
    await this.#keep(emitted, sizeOfEvent(emitted), handler, () => "");
  }

  /** Adds an effect. @param take returns its id, once there is room for it */
  async #keep(
    effect: Entry["effect"],
    size: number,
    handler: string | null,
    take: () => string | Promise<string>,
  ): Promise<string> {
    this.#checkRoom(size);
    const taken = this.#enter(size, take);
    const entry: Entry = { handler, effect, size, id: undefined };
    this.#entries.push(entry);
    this.#size += size;
    if (typeof taken === "string") return entry.id = taken;
    this.#waiting.add(taken);
    try {
      return entry.id = await taken;
    } catch (error) {
      const index = this.#entries.indexOf(entry);
      if (index !== -1) this.#entries.splice(index, 1);
      throw error;
    } finally {
      this.#waiting.delete(taken);
    }
  }

  #enter(size: number, take: () => string | Promise<string>): string | Promise<string> {
    const enter = () => {
      this.#held += size;
      return take();
    };
    const wait = this.#tools.effectRoom.enter(this.#owner, size);
    return wait ? wait.then(enter) : enter();
  }

  /** Whether a dispatch of this handler waits for its id. */
  isWaiting(handler: string): boolean {
    return this.#waiting.size > 0 &&
      this.#entries.some((entry) => entry.handler === handler && entry.id === undefined);
  }

  /**
   * Waits until every message has its id.
   * @returns undefined if there is nothing to wait for
   * @throws the errors of the transport if an id could not be reserved: the dispatch would be lost
   */
  ready(): Promise<unknown> | undefined {
    return this.#waiting.size === 0 ? undefined : Promise.all(this.#waiting);
  }

  /** Ids of the dispatches, and places of the events, of handlers that have not succeeded, by handler and type. */
  unfinished(handledBy: readonly string[]): Dispatched {
    const ids = dictionary<Record<string, string[]>>();
    for (const { id, handler, effect } of this.#entries) {
      if (id === undefined || handler === null || handledBy.includes(handler)) continue;
      const own = ids[handler] ??= dictionary();
      (own["event" in effect ? eventPlace(effect.event) : effect.type] ??= []).push(id);
    }
    return ids;
  }

  /**
   * Takes the effects out.
   * @param handlers those of these handlers only; by default all
   * @returns undefined if there are none
   */
  take(handlers?: readonly string[]): Effects | undefined {
    const messages: ReservedMessage[] = [];
    const emits: Emitted[] = [];
    let total = 0;
    for (const { id, effect, size, handler } of this.#entries.splice(0)) {
      if (id === undefined) continue;
      if (handlers && (handler === null || !handlers.includes(handler))) continue;
      if ("event" in effect) emits.push(effect);
      else messages.push({ id, message: effect });
      total += size;
    }
    this.#size = 0;
    this.#tools.effectRoom.leave(this.#owner, this.#held);
    this.#held = 0;
    return messages.length + emits.length === 0 ? undefined : { messages, emits, size: total };
  }

  #checkRoom(size: number): void {
    if (this.#entries.length >= MAX_EFFECTS) {
      throw new RangeError(
        `ctx.dispatch: at most ${MAX_EFFECTS} dispatches go with an outcome; use ctx.dispatchNow for more`,
      );
    }
    if (this.#size + size > MAX_EFFECTS_SIZE && this.#entries.length > 0) {
      throw new RangeError(
        `ctx.dispatch: at most ${MAX_EFFECTS_SIZE} bytes of dispatches go with an outcome; ` +
          "use ctx.dispatchNow for more",
      );
    }
  }
}

/** Joins the effects of an attempt and its part of a batch's. */
export function joined(one: Effects | undefined, other: Effects | undefined): Effects | undefined {
  if (!one || !other) return one ?? other;
  return {
    messages: [...one.messages, ...other.messages],
    emits: [...one.emits, ...other.emits],
    size: one.size + other.size,
  };
}
