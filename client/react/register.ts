/** The project's messages, made known to all hooks at one place. */

import type { AnyMessages, MessageType } from "../message.ts";

/**
 * Tells the hooks the project's messages, so that names and payloads are checked and completed:
 *
 * ```ts
 * import type { Messages } from "./messenger.gen.ts";
 *
 * declare module "symphony-messenger/react" {
 *   interface Register {
 *     messages: Messages;
 *   }
 * }
 * ```
 *
 * Without it, every name is accepted, with any payload.
 */
// deno-lint-ignore no-empty-interface
export interface Register {}

/** The registered messages; any name with any payload if none are. */
export type RegisteredMessages = Register extends { messages: infer Messages } ? Messages
  : AnyMessages;

/** A registered name, or the result of the client's `message`. */
export type KnownMessage = keyof RegisteredMessages & string | MessageType<unknown>;

/** The payload that a message is dispatched with. */
export type PayloadOf<Message extends KnownMessage> = Message extends keyof RegisteredMessages
  ? RegisteredMessages[Message] extends { payload: infer Payload } ? Payload : unknown
  : Message extends MessageType<infer Payload> ? Payload
  : never;

/** The value that the handler of a message returns. */
export type ResultOf<Message extends KnownMessage> = Message extends keyof RegisteredMessages
  ? RegisteredMessages[Message] extends { result: infer Result } ? Result : unknown
  : Message extends MessageType<unknown, infer Result> ? Result
  : never;
