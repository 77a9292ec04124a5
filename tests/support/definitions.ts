/** Definitions and handlers for tests of what a worker does with messages. */

import { z } from "zod";
import {
  defineMessage,
  type Handler,
  type HandlerContext,
  type MessageDefinition,
  type MessageOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";

type Handle = MessageOptions<z.ZodUnknown>["handler"];
type More = Partial<MessageOptions<z.ZodUnknown>>;

/** Messages of type `T`, with any payload. */
export const define = (handler: Handle, more: More = {}): MessageDefinition =>
  defineMessage({ type: "T", schema: z.unknown(), handler, ...more });

/** Messages that are dead letters after their first failure. */
export const defineOnce = (handler: Handle, more: More = {}): MessageDefinition =>
  define(handler, { retry: { maxRetries: 0 }, ...more });

/** Messages whose retry falls due long after the test. */
export const defineLate = (handler: Handle): MessageDefinition =>
  define(handler, { retry: { delay: "1h" } });

/** A handler that fails. */
export const fail: Handler<unknown> = () => {
  throw new Error("no luck");
};

/** A handler that runs until its attempt is stopped. */
export const untilTold = (_payload: unknown, { signal }: HandlerContext) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Never settles. */
export const never = new Promise<never>(() => {});

/** Numbered messages of type `T`. */
export const payloads = (count: number) =>
  Array.from({ length: count }, (_, payload) => ({ type: "T", payload }));
