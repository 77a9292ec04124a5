/** Dispatches and schedules the messages of a request, within the permissions of its caller. */

import type { MessageBus } from "../bus/bus.ts";
import { limitsOf } from "../bus/limits.ts";
import type { WrittenBatch } from "../message/dispatched-batch.ts";
import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import type { Messenger } from "../messenger.ts";
import { authorize } from "./authorize.ts";
import type { Caller } from "./caller.ts";
import { type BatchBody, type DispatchMessage, toMessageInput } from "./dispatch-body.ts";
import { toProblem } from "./problem.ts";
import { toScheduleOptions, toScheduleProblem } from "./schedule-body.ts";
import { stampedWith, type TraceStamp } from "../tracing/trace-stamp.ts";

const EVENTS = ["onFinished", "onSucceeded", "onFailed"] as const;

/** Dispatches and schedules on behalf of callers. Each method throws nothing but a Problem. */
export class Dispatcher {
  readonly #bus: MessageBus;

  constructor(private readonly messenger: Pick<Messenger, "bus" | "config" | "log" | "scheduler">) {
    this.#bus = messenger.bus;
  }

  /**
   * Dispatches all messages of a request's body or none, and returns their ids in order.
   * @param trace the request's, which goes with the messages
   */
  async dispatch(
    body: DispatchMessage | readonly DispatchMessage[],
    caller: Caller,
    trace?: TraceStamp,
  ): Promise<string[]> {
    const isArray = Array.isArray(body);
    const messages: readonly DispatchMessage[] = isArray ? body : [body as DispatchMessage];
    const prepared = await Promise.all(
      messages.map((message, index) => this.#prepare(message, caller, isArray ? [index] : [])),
    );
    const traced = trace ? prepared.map((message) => stampedWith(message, trace)) : prepared;
    try {
      return await this.#bus.send(traced, allowanceOf(caller));
    } catch (error) {
      const index = isArray && error instanceof ConflictError ? error.index : undefined;
      throw toProblem(error, index === undefined ? [] : [index]);
    }
  }

  /** Writes one chunk of a batch, all of its messages or none. @param trace the request's */
  async batch(body: BatchBody, caller: Caller, trace?: TraceStamp): Promise<WrittenBatch> {
    const { name, messages, idempotencyKey, chunk, isLast } = body;
    const prepared = await Promise.all(
      messages.map((message, index) => this.#prepare(message, caller, ["messages", index])),
    );
    const events = await Promise.all(EVENTS.map(async (event) => {
      const message = body[event];
      if (!message) return undefined;
      // An event's message has no key whose owner would count.
      const { idempotencyScope: _, ...prepared } = await this.#prepare(message, caller, [event]);
      return [event, prepared] as const;
    }));
    const traced = trace ? prepared.map((message) => stampedWith(message, trace)) : prepared;
    const isLive = messages.some(({ type }) => this.#bus.registry.get(type)?.live);
    try {
      const head = await this.#bus.prepareBatch(
        { name, ...(idempotencyKey !== undefined && { idempotencyKey }) },
        caller.kind === "user"
          ? { idempotencyScope: caller.user.id, userId: caller.user.id, live: isLive }
          : {},
      );
      const given = Object.fromEntries(events.filter((event) => event !== undefined));
      return await this.#bus.writeBatch(
        { head: { ...head, ...given }, messages: traced, chunk, isLast },
        allowanceOf(caller),
      );
    } catch (error) {
      const index = error instanceof ConflictError ? error.index : undefined;
      throw toProblem(error, index === undefined ? [] : ["messages", index]);
    }
  }

  /** Creates a schedule, or updates the one with this name, and returns its id. */
  async schedule(
    message: DispatchMessage,
    schedule: NonNullable<DispatchMessage["schedule"]>,
    caller: Caller,
  ): Promise<string> {
    const { config, log, scheduler } = this.messenger;
    const { type, payload } = message;
    try {
      if (caller.kind === "secret") {
        return await scheduler.schedule({ type, payload }, toScheduleOptions(schedule, message));
      }
      const definition = this.#bus.registry.get(type);
      const allowed = await authorize(message, caller, definition, { path: [], log });
      return await scheduler.schedule({ type, payload }, toScheduleOptions(schedule, allowed), {
        stamps: this.#stamps(message, caller),
        limits: limitsOf([message], allowanceOf(caller), this.#bus.registry),
        ...(caller.kind === "user" && {
          quota: { userId: caller.user.id, max: config.maxUserSchedules },
        }),
      });
    } catch (error) {
      throw toScheduleProblem(error);
    }
  }

  /** Checks one message and its caller's permissions. `path` is the message's place in the body, for errors. */
  async #prepare(
    message: DispatchMessage,
    caller: Caller,
    path: readonly (string | number)[],
  ): Promise<OutgoingMessage> {
    const bus = this.#bus;
    try {
      if (caller.kind === "secret") return await bus.prepare(toMessageInput(message, {}));
      const definition = bus.registry.get(message.type);
      const { log } = this.messenger;
      const allowed = await authorize(message, caller, definition, { path, log });
      const prepared = await bus.prepare(
        toMessageInput(allowed, { stamps: this.#stamps(message, caller) }),
      );
      // Keys are the user's own, also one that middleware gives.
      return caller.kind === "user" ? { idempotencyScope: caller.user.id, ...prepared } : prepared;
    } catch (error) {
      throw toProblem(error, path);
    }
  }

  /** Stamps a message with the user who dispatched it, and with `live` if its type has live updates. */
  #stamps({ type }: DispatchMessage, caller: Caller): Stamps {
    if (caller.kind !== "user") return {};
    return { user: caller.user, ...(this.#bus.registry.get(type)?.live && { live: true }) };
  }
}

/** Returns the name under which a caller's messages count against rate limits; undefined means no limit. */
export function allowanceOf(caller: Exclude<Caller, { readonly kind: "secret" }>): string;
export function allowanceOf(caller: Caller): string | undefined;
export function allowanceOf(caller: Caller): string | undefined {
  if (caller.kind === "secret") return undefined;
  return caller.kind === "user" ? `user:${caller.user.id}` : caller.kind;
}
