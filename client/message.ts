/** Messages as a client knows them: a name and the type of the payload, without schema or handler. */

/** What is needed of a definition, as a type: its name, and a schema that follows standardschema.dev. */
interface Definition {
  readonly type: string;
  readonly schema: {
    readonly "~standard": { readonly types?: { readonly input: unknown } | undefined };
  };
}

/** What the schema of a definition takes. */
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
 * name and, in a dispatch, the payload; at run time there is nothing but the name.
 *
 * ```ts
 * import type { EmailMessage as Email } from "../supabase/functions/_messages/email.ts";
 * const EmailMessage = message<typeof Email>("EmailMessage");
 * ```
 */
export function message<D extends Definition>(type: D["type"]): MessageType<PayloadOf<D>> {
  return { type } as MessageType<PayloadOf<D>>;
}
