/** Handlers: functions that do the work of a message, and what they are given. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { z } from "zod";
import type { Logger } from "../runtime/log.ts";
import type { DispatchOptions } from "./dispatch-options.ts";
import type { Envelope, ScheduleStamp, UserStamp } from "./envelope.ts";

/**
 * What a handler gets beside the payload. Pass it on as it is: a copy made by `{ ...ctx }` lacks signal,
 * log and progress, which are made only when they are looked at.
 */
export interface HandlerContext {
  readonly envelope: Envelope;
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** Aborted at the timeout, when the message is cancelled or its lease lost, and at the worker's end. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Dispatches a further message. */
  readonly dispatch: Dispatch;
  /** A client with the secret key; it passes row level security by. */
  readonly supabase: SupabaseClient;
  /** The occurrence this message was made for, if a schedule made it. */
  readonly schedule: ScheduleStamp | null;
  /** Who dispatched it over HTTPS, if a user did. */
  readonly user: UserStamp | null;
  /**
   * Tells whoever follows the message how much is done, from 0 to 1, and a note of at most 200
   * characters, which they may read. Written once a second at most; throws a RangeError for others.
   */
  readonly progress: (value: number, note?: string) => void;
}

/** What a dispatch needs of a definition: the type's name, and the schema that types the payload. */
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
 * Does the work of a message. Throwing is failing; returning what `snooze()` made asks for the message
 * again later; what else it returns is not looked at.
 */
export type Handler<Payload> = (payload: Payload, ctx: HandlerContext) => unknown;

/** A handler and the name it is remembered by. */
export interface NamedHandler {
  readonly name: string;
  // The payload was parsed by the definition's own schema before it gets here.
  // deno-lint-ignore no-explicit-any
  readonly handle: Handler<any>;
}
