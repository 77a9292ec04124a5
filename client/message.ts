/** The messages that a client can dispatch: their names, and the types of their payloads. */

/**
 * Messages by name, as `npx symphony-messenger types` writes them. A client without a type of its own takes any
 * name and payload.
 */
export interface AnyMessages {
  readonly [type: string]: { readonly payload: unknown };
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

/** The part of a definition that its type needs: its name, and a schema that follows standardschema.dev. */
interface Definition {
  readonly type: string;
  readonly schema: {
    readonly "~standard": { readonly types?: { readonly input: unknown } | undefined };
  };
}

/** The input type of a definition's schema. */
type PayloadOf<D extends Definition> = NonNullable<
  D["schema"]["~standard"]["types"]
>["input"];

/** Exists for the compiler only. */
declare const payload: unique symbol;

/** A message type that can be dispatched; made by {@link message}. */
export interface MessageType<Payload> {
  readonly type: string;
  readonly [payload]: Payload;
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
export function message<D extends Definition>(type: D["type"]): MessageType<PayloadOf<D>> {
  return { type } as MessageType<PayloadOf<D>>;
}
