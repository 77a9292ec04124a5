/** Handlers: functions that do the work of a message, and their context. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { z } from "zod";
import type { Logger } from "../runtime/log.ts";
import type { DispatchOptions } from "./dispatch-options.ts";
import type { DurableContext } from "./durable-context.ts";
import type { Envelope, ScheduleStamp, UserStamp } from "./envelope.ts";

/**
 * A handler's context. Pass on the object itself: a copy by `{ ...ctx }` lacks `signal`, `log`, `progress` and
 * `dispatchNow`, which are getters that make their value when it is first read.
 */
export interface HandlerContext extends DurableContext {
  readonly envelope: Envelope;
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** Aborted at the timeout, when the message is cancelled, when its lease is lost, and at the worker's end. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Dispatches another message, which is written with the outcome of this one, in one transaction: if it is
   * handled or snoozed. An attempt that fails, or whose lease is lost, leaves no message behind. Of several named
   * handlers, those that succeed have their messages written even if another handler fails.
   *
   * Payload, options and size are checked at the call. Delay and ttl count from the outcome. Returns the id that
   * is reserved for the message; if its idempotency or dedupe key is another message's by then, it is not written.
   * Rejects with an AttemptOverError after the end of the attempt.
   */
  readonly dispatch: Dispatch;
  /** Dispatches another message at once, whatever becomes of this one. A repeated attempt dispatches it again. */
  readonly dispatchNow: Dispatch;
  /**
   * Emits an event with the outcome of this message, as `dispatch` dispatches: the messages that wait for its key
   * take it then. Its key and value are checked at the call, by the declaration of the event if there is one.
   */
  readonly emit: (event: string, value?: unknown) => Promise<void>;
  /** A client with the secret key; row level security does not apply to it. */
  readonly supabase: SupabaseClient;
  /** The occurrence this message was made for, if a schedule made it. */
  readonly schedule: ScheduleStamp | null;
  /** The user who dispatched it over HTTPS; null if no user did. */
  readonly user: UserStamp | null;
  /**
   * Reports progress from 0 to 1, with a note of at most 200 characters, to those who follow the message.
   * Written at most once a second. Throws a RangeError for other values.
   */
  readonly progress: (value: number, note?: string) => void;
}

/** The part of a definition that a dispatch needs: the type's name and the payload's schema. */
export interface MessageType<Schema extends z.ZodType> {
  readonly type: string;
  readonly schema: Schema;
}

/** Dispatches one message and returns its id. */
export type Dispatch = <Schema extends z.ZodType>(
  definition: MessageType<Schema>,
  payload: z.input<Schema>,
  options?: DispatchOptions,
) => Promise<string>;

/**
 * Does the work of a message. A handler fails by throwing, and snoozes its message by returning
 * `snooze(delay)`. Other return values are ignored.
 */
export type Handler<Payload> = (payload: Payload, ctx: HandlerContext) => unknown;

/** A handler and the name under which its success is remembered. */
export interface NamedHandler {
  readonly name: string;
  // The definition's schema parses the payload before it reaches the handler.
  // deno-lint-ignore no-explicit-any
  readonly handle: Handler<any>;
}
