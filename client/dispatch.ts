/** Dispatches messages, and nothing else: for pages that follow none. */

import type { Duration } from "../supabase/functions/_shared/symphony/runtime/duration.ts";
import { checked } from "./given.ts";
import { isMessengerError, MessengerError } from "./errors.ts";
import type { MessageId } from "./ids.ts";
import type { AnyMessages, MessagesShape, MessageType, PayloadByName, TypeOf } from "./message.ts";
import { type Abortable, type Requester, requester, type RequestOptions } from "./request.ts";
import { userOf } from "./session.ts";
import type { FunctionsLike } from "./supabase.ts";

/** Options of a dispatcher. */
export interface DispatcherOptions extends RequestOptions {
  /**
   * Whether dispatches carry an idempotency key that the client makes. Without a key they are not repeated
   * when no answer comes. Holders of a secret key and users may give a key. Default: a key is given while a
   * user is signed in with this supabase-js client.
   */
  readonly idempotencyKeys?: boolean | undefined;
}

/** Options of a dispatch. Users may choose the options that the definition's `callerOptions` names. */
export interface DispatchOptions {
  /** Delay until it is due: a number of ms, or '30s', '10m', '24h', '7d'. */
  readonly delay?: Duration | undefined;
  /** When it is due; instead of `delay`. */
  readonly availableAt?: Date | undefined;
  readonly queue?: string | undefined;
  /** Lane in the queue, in place of the one that the definition finds in the payload. */
  readonly lane?: string | undefined;
  /** -1000 to 1000, higher first. */
  readonly priority?: number | undefined;
  /** A repeat within 24 hours returns the first id. */
  readonly idempotencyKey?: string | undefined;
  readonly groupKey?: string | undefined;
  /**
   * While a message of yours with this key is held, a dispatch returns its id, and may replace its payload: see the
   * definition's `dedupe`. Instead of `idempotencyKey`, so that such a dispatch is not repeated when no answer comes.
   */
  readonly dedupeKey?: string | undefined;
  /** Transport that it goes through, whatever the project's routes say. */
  readonly transport?: string | undefined;
}

/** A message of `dispatchAll`: by name. */
export type OutgoingByName<Messages> = {
  readonly [Type in TypeOf<Messages>]: DispatchOptions & {
    readonly type: Type;
    readonly payload: PayloadByName<Messages, Type>;
  };
}[TypeOf<Messages>];

/** A message of `dispatchAll`: by its definition's type. */
export interface Outgoing<Payload> extends DispatchOptions {
  readonly message: MessageType<Payload>;
  readonly payload: NoInfer<Payload>;
}

/** A message that was dispatched. */
export interface Dispatched<Type extends string = string> {
  /** Tells it from a schedule, whose ids are numbers too. */
  readonly kind: "message";
  readonly id: MessageId;
  readonly type: Type;
  /** The key that it was dispatched with. */
  readonly idempotencyKey: string | undefined;
}

/** Dispatches messages. */
export interface Dispatching<Messages extends MessagesShape<Messages>> {
  /**
   * Dispatches one message.
   * @throws MessengerError, with the `idempotencyKey` of the dispatch
   */
  dispatch<Type extends TypeOf<Messages>>(
    type: Type,
    payload: Messages[Type]["payload"],
    options?: DispatchOptions & Abortable,
  ): Promise<Dispatched<Type>>;
  dispatch<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    options?: DispatchOptions & Abortable,
  ): Promise<Dispatched>;
  /**
   * Dispatches up to 1,000 messages, all or none.
   * @throws MessengerError, with the `idempotencyKeys` of the dispatch
   */
  dispatchAll(
    messages: readonly OutgoingByName<Messages>[],
    options?: Abortable,
  ): Promise<Dispatched<TypeOf<Messages>>[]>;
  dispatchAll<const Payloads extends readonly unknown[]>(
    messages: { readonly [Place in keyof Payloads]: Outgoing<Payloads[Place]> },
    options?: Abortable,
  ): Promise<Dispatched[]>;
}

/** Any message to dispatch. */
interface Message extends DispatchOptions {
  readonly type: string;
  readonly payload: unknown;
}

/** An idempotency key: 128 random bits. crypto.randomUUID is missing on pages without TLS. */
export function makeKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** The methods of {@link Dispatching}, without the types of messages. */
interface Methods<Result> {
  dispatch(
    type: Named,
    payload: unknown,
    options?: DispatchOptions & Abortable,
  ): Promise<Result>;
  dispatchAll(messages: readonly Listed[], options?: Abortable): Promise<Result[]>;
}

type Named = string | { readonly type: string };
/** A message of a list, however its type is given. */
export type Listed = DispatchOptions & {
  readonly type?: string;
  readonly message?: { readonly type: string };
  readonly payload: unknown;
};

/**
 * Makes the methods that dispatch by name or by a definition's type.
 * @param wrap makes the result of what a user dispatched; null or undefined: no user, or one who is not known
 */
export function dispatching<Result>(
  supabase: FunctionsLike,
  request: Requester,
  idempotencyKeys: boolean | undefined,
  wrap: (dispatched: Dispatched, user: string | null | undefined) => Result,
): Methods<Result> {
  const send = async (messages: readonly Message[], signal?: AbortSignal, isList?: boolean) => {
    // Nothing is sent, so no key is needed.
    signal?.throwIfAborted();
    const user = await userOf(supabase, signal);
    const sent = messages.map((message) => ({
      ...message,
      idempotencyKey: message.idempotencyKey ??
        ((idempotencyKeys ?? user) && !message.dedupeKey ? makeKey() : undefined),
    }));
    const keys = sent.flatMap((message) => message.idempotencyKey ?? []);
    try {
      const { ids } = await request<{ ids: string[] }>(
        ...["", "ids", { signal }, "POST", isList ? sent : sent[0]] as const,
        // Without a key, a second request may make a second message.
        keys.length < sent.length,
      );
      return sent.map(({ type, idempotencyKey }, index) =>
        wrap({ kind: "message", id: ids[index] as string, type, idempotencyKey }, user)
      );
    } catch (error) {
      throw keys[0]
        ? withKeys(error, signal, isList ? { idempotencyKeys: keys } : { idempotencyKey: keys[0] })
        : error;
    }
  };
  return {
    dispatch: async (type, payload, given = {}) => {
      const { signal, ...options } = checked(given);
      return (await send([{ ...options, type: nameOf(type), payload }], signal))[0] as Result;
    },
    dispatchAll: async (messages, options = {}) => {
      return await send(
        checked(messages, "messages", "Array").map(byName),
        checked(options).signal,
        true,
      );
    },
  };
}

/** Tells the keys with the error. The reason of an abort may be that of several dispatches: it is the cause. */
export function withKeys(error: unknown, signal: AbortSignal | undefined, keys: object): unknown {
  return Object.assign(
    signal?.aborted && !isMessengerError(error)
      ? new MessengerError("Aborted", "aborted", {
        ...{ name: "AbortError", cause: error },
      })
      : error as Error,
    keys,
  );
}

/** A message of a list, by the name of its type. */
export function byName(listed: Listed): Message {
  const { message, type, ...rest } = checked(listed, "messages");
  return { ...rest, type: nameOf(message ?? type) };
}

/** The name of a message, however it is given. The server refuses a message without a type. */
export function nameOf(type: Named | undefined): string {
  return ((type as { readonly type: string } | undefined)?.type ?? type) as string;
}

/**
 * Makes a dispatcher over a supabase-js client: less code in a page than a whole client.
 * @throws MessengerError `invalid` for an option that does not exist, or a client without the part `functions`
 */
export function createDispatcher<Messages extends MessagesShape<Messages> = AnyMessages>(
  supabase: FunctionsLike,
  options: DispatcherOptions = {},
): Dispatching<Messages> {
  const { idempotencyKeys, ...sending } = checked(options);
  return dispatching(
    ...[supabase, requester(supabase, sending), idempotencyKeys] as const,
    (dispatched) => dispatched,
  ) as Dispatching<Messages>;
}
