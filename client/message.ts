/** The messages that a client can dispatch: their names, and the types of their payloads. */

/**
 * Messages by name, as `npx symphony-messenger types` writes them. A client without a type of its own takes any
 * name and payload.
 */
export interface AnyMessages {
  readonly [type: string]: { readonly payload: unknown; readonly result: unknown };
}

/** The shape of a type of messages, which an interface has too. */
export type MessagesShape<Messages> = {
  readonly [Type in keyof Messages]: { readonly payload: unknown };
};

/** The names of messages. */
export type TypeOf<Messages> = keyof Messages & string;

/** The payload of a message that is named. */
export type PayloadByName<Messages, Type extends keyof Messages> = Messages[Type] extends
  { readonly payload: infer Payload } ? Payload : never;

/** The value that the handler of a message that is named returns. */
export type ResultByName<Messages, Type extends keyof Messages> = Messages[Type] extends
  { readonly result: infer Result } ? Result : unknown;

/** The part of a definition that its type needs: its name, and schemas that follow standardschema.dev. */
interface Definition {
  readonly type: string;
  readonly schema: {
    readonly "~standard": { readonly types?: { readonly input: unknown } | undefined };
  };
  readonly result?: ResultSchema | undefined;
}

interface ResultSchema {
  readonly "~standard": { readonly types?: { readonly output: unknown } | undefined };
}

/** The input type of a definition's schema. */
type PayloadOf<D extends Definition> = NonNullable<
  D["schema"]["~standard"]["types"]
>["input"];

/** The output type of a definition's `result`, of which any copy of zod may have made the schema. */
type ResultOf<D extends Definition> = D extends { readonly result: infer Schema | undefined }
  ? Schema extends ResultSchema ? NonNullable<Schema["~standard"]["types"]>["output"] : unknown
  : unknown;

/** Exist for the compiler only. */
declare const payload: unique symbol;
declare const result: unique symbol;

/** A message type that can be dispatched; made by {@link message}. */
export interface MessageType<Payload, Result = unknown> {
  readonly type: string;
  readonly [payload]: Payload;
  readonly [result]?: Result;
}

/**
 * Names a message of the project whose definition is imported as a type only. The compiler checks the
 * name and, in a dispatch, the payload. At run time only the name exists.
 *
 * ```ts
 * import type { EmailMessage as Email } from "../supabase/functions/_messages/email.ts";
 * const EmailMessage = message<typeof Email>("EmailMessage");
 * ```
 */
export function message<D extends Definition>(
  type: D["type"],
): MessageType<PayloadOf<D>, ResultOf<D>> {
  return { type } as MessageType<PayloadOf<D>, ResultOf<D>>;
}
