/** The client: dispatches, schedules, follows, lists and cancels messages. */

import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import {
  checkOptions,
  DISPATCHER_OPTIONS,
  type DispatcherOptions,
  dispatching,
  type DispatchOptions,
  type Outgoing,
  type OutgoingByName,
} from "./dispatch.ts";
import type { FollowedState, MessageView } from "./entry.ts";
import { unknownId } from "./errors.ts";
import { finished, follow, type MessageStates } from "./follow.ts";
import { idOf, type MessageId, type MessageRef } from "./ids.ts";
import { type Job, type Jobs, toJob } from "./job.ts";
import { liveUpdatesOf } from "./live.ts";
import { looksOf } from "./looks.ts";
import type { AnyMessages, MessagesShape, MessageType, ResultByName, TypeOf } from "./message.ts";
import { type ListOptions, page, statuses } from "./own.ts";
import { type Abortable, requester } from "./request.ts";
import { type SchedulesClient, schedulesClient } from "./schedules.ts";
import { sessionOf, type SessionStore, userOf } from "./session.ts";
import type { SupabaseLike } from "./supabase.ts";

/** Options of a client. */
export interface MessengerClientOptions extends DispatcherOptions {
  /**
   * Whether to listen to the user's Realtime channel while messages are followed. `auto` (default): where Realtime
   * lets the user in; requests show the changes elsewhere. True: tries on without end.
   */
  readonly live?: "auto" | boolean | undefined;
}

/** A followed message as an external store, for frameworks. */
export interface MessageObserver {
  /** Follows the message as long as there are subscribers, and calls the listener after each change. */
  subscribe(listener: () => void): () => void;
  /** Returns the same object until something changes. */
  get(): MessageView;
}

/** Dispatches, schedules and follows messages. Every method throws a MessengerError if it fails, or the signal's reason. */
export interface MessengerClient<Messages extends MessagesShape<Messages> = AnyMessages> {
  /** The signed-in user's own schedules. */
  readonly schedules: SchedulesClient<Messages>;
  /** The signed-in user. */
  readonly session: SessionStore;
  /** Dispatches one message. An error has the `idempotencyKey` of the dispatch. */
  dispatch<Type extends TypeOf<Messages>>(
    type: Type,
    payload: Messages[Type]["payload"],
    options?: DispatchOptions & Abortable,
  ): Promise<Job<Type, ResultByName<Messages, Type>>>;
  dispatch<Payload, Result>(
    message: MessageType<Payload, Result>,
    payload: NoInfer<Payload>,
    options?: DispatchOptions & Abortable,
  ): Promise<Job<string, Result>>;
  /** Dispatches up to 1,000 messages, all or none. An error has the `idempotencyKeys` of the dispatch. */
  dispatchAll(
    messages: readonly OutgoingByName<Messages>[],
    options?: Abortable,
  ): Promise<Job<TypeOf<Messages>, ResultByName<Messages, TypeOf<Messages>>>[]>;
  dispatchAll<const Payloads extends readonly unknown[]>(
    messages: { readonly [Place in keyof Payloads]: Outgoing<Payloads[Place]> },
    options?: Abortable,
  ): Promise<Job<string>[]>;
  /** Makes the job of a known id. Nothing is asked for. */
  job(id: MessageId): Job;
  /**
   * Returns the state of a message.
   * @throws MessengerError `not_found` if it is unknown or another user's; `not_remembered` if this client has
   * dispatched it and it is not kept
   */
  status(message: MessageRef, options?: Abortable): Promise<FollowedMessage>;
  /** Returns the states of messages, in any order, and the ids that are unknown. */
  statuses(messages: readonly MessageRef[], options?: Abortable): Promise<FollowedMessages>;
  /** Lists a page of the user's messages. The newest come first. */
  list(options?: ListOptions<TypeOf<Messages>>): Promise<OwnMessages>;
  /**
   * Follows a message: yields its state, and each later state that is seen, to the end. A change that is undone
   * between two looks is not seen. Failures that may pass do not end it.
   */
  follow(message: MessageRef, options?: Abortable): MessageStates;
  /** Waits for the end of a message and returns its last state. */
  finished(message: MessageRef, options?: Abortable): Promise<FollowedState>;
  /** Cancels a message; while it runs, its handler is asked to stop. @throws MessengerError `conflict` if it has ended */
  cancel(message: MessageRef, options?: Abortable): Promise<FollowedMessage>;
  /** Makes a store of a message's state. Nothing is asked for before there is a subscriber. */
  observe(message: MessageRef): MessageObserver;
}

/** Number of dispatched messages that a client remembers, to know them when the server does not. */
const MAX_DISPATCHED = 1_000;

/**
 * Makes a client over a supabase-js client, with its keys and session. Nothing is opened until it is used.
 * @throws MessengerError `invalid` for an option that does not exist, or a client without the part `functions`
 */
export function createMessengerClient<Messages extends MessagesShape<Messages> = AnyMessages>(
  supabase: SupabaseLike,
  options: MessengerClientOptions = {},
): MessengerClient<Messages> {
  checkOptions(options, [...DISPATCHER_OPTIONS, "live"]);
  const request = requester(supabase, options);
  const session = sessionOf(supabase);
  // A user must not learn of another one's messages.
  const types = new Map<string, string>();
  const keyOf = (id: string, user: string | null | undefined) => `${id} ${user ?? ""}`;
  const typeOf = (id: string, user: string | null | undefined) => types.get(keyOf(id, user));
  const looks = looksOf(
    ...[supabase, request, session, typeOf] as const,
    () => options.live === false ? undefined : liveUpdatesOf(supabase),
  );
  const jobs: Jobs = {
    async status(ref, options) {
      const { messages: [state], missing: [id] } = await statuses(request, [ref], options);
      if (state) return state;
      throw unknownId(typeOf(id ?? "", await userOf(supabase)) ? "not_remembered" : "not_found");
    },
    follow: (ref, options) => follow(looks, ref, options),
    finished: (ref, options) => finished(looks, ref, options),
    async cancel(ref, options) {
      const path = `/${idOf(ref)}`;
      const state = await request<FollowedMessage>(path, "id", options, { method: "DELETE" });
      looks.tell(state);
      return state;
    },
  };
  const dispatches = dispatching(supabase, options, request, (dispatched, owner) => {
    types.set(keyOf(dispatched.id, owner), dispatched.type);
    // The oldest comes first.
    if (types.size > MAX_DISPATCHED) types.delete(types.keys().next().value ?? "");
    return toJob(jobs, dispatched);
  });
  const client: Omit<MessengerClient, "dispatch" | "dispatchAll"> = {
    ...jobs,
    session: { subscribe: session.subscribe, get: () => session.get() ?? null },
    schedules: schedulesClient(request),
    job: (id) =>
      toJob(jobs, {
        ...{ kind: "message", id: idOf(id) },
        ...{ type: undefined, idempotencyKey: undefined },
      }),
    statuses: (refs, options) => statuses(request, refs, options),
    list: (options) => page(request, "/messages", options),
    observe: (ref) => {
      const id = idOf(ref);
      return {
        subscribe: (listener) => looks.watch(id, listener),
        get: () => looks.view(id),
      };
    },
  };
  return { ...client, ...dispatches } as unknown as MessengerClient<Messages>;
}
