/** The client: dispatches, schedules, follows, lists and cancels messages. */

import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import {
  type DispatcherOptions,
  dispatching,
  type DispatchOptions,
  type Outgoing,
  type OutgoingByName,
} from "./dispatch.ts";
import type { FollowedState, MessageObserver } from "./entry.ts";
import { unknownId } from "./errors.ts";
import { checked } from "./given.ts";
import { follow, type MessageStates } from "./follow.ts";
import { idOf, type MessageId, type MessageRef } from "./ids.ts";
import { type Job, type Jobs, toJob } from "./job.ts";
import { liveUpdatesOf } from "./live.ts";
import { createPoller } from "./poller.ts";
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
   * between two polls is not seen. Failures that may pass do not end it.
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
/** Longest wait for the answer to a poll, in ms. */
const LOOK_TIMEOUT_MS = 10_000;

/**
 * Makes a client over a supabase-js client, with its keys and session. Nothing is opened until it is used.
 * @throws MessengerError `invalid` for an option that does not exist, or a client without the part `functions`
 */
export function createMessengerClient<Messages extends MessagesShape<Messages> = AnyMessages>(
  supabase: SupabaseLike,
  options: MessengerClientOptions = {},
): MessengerClient<Messages> {
  const { live, idempotencyKeys, ...sending } = checked(options);
  const request = requester(supabase, sending);
  const session = sessionOf(supabase);
  // By id and user, who must not learn of another one's messages.
  const types = new Map<string, string>();
  const poller = createPoller(
    supabase,
    // A poll is not repeated: the next one asks again.
    requester(supabase, { ...sending, retries: 0 }, LOOK_TIMEOUT_MS),
    session,
    // Without Realtime no updates come.
    liveUpdatesOf(live === false ? {} as SupabaseLike : supabase),
    types,
  );
  const observe = (ref: MessageRef) => poller.observe(idOf(ref));
  const jobs: Jobs = {
    status: async (ref, options) => {
      const { messages: [state], missing: [id] } = await statuses(request, [ref], options);
      if (state) return state;
      throw unknownId(
        types.has(`${id} ${await userOf(supabase)}`) ? "not_remembered" : "not_found",
      );
    },
    follow: (ref, options) => follow(observe(ref), options),
    finished: async (ref, options) => {
      let last: FollowedState | undefined;
      for await (last of jobs.follow(ref, options));
      return last as FollowedState;
    },
    cancel: async (ref, options) => {
      const state = await request<FollowedMessage>(`/${idOf(ref)}`, "id", options, "DELETE");
      poller.tell(state);
      return state;
    },
  };
  const client: Omit<MessengerClient, "dispatch" | "dispatchAll"> = {
    ...jobs,
    ...dispatching(supabase, request, idempotencyKeys, (dispatched, owner) => {
      types.set(`${dispatched.id} ${owner}`, dispatched.type);
      const [oldest] = types.keys();
      if (types.size > MAX_DISPATCHED) types.delete(oldest as string);
      return toJob(jobs, dispatched);
    }),
    session: { subscribe: session.subscribe, get: () => session.get() ?? null },
    schedules: schedulesClient(request),
    job: (id) => toJob(jobs, { kind: "message", id: idOf(id) }),
    statuses: (refs, options) => statuses(request, refs, options),
    list: (options) => page(request, "/messages", options),
    observe,
  };
  return client as unknown as MessengerClient<Messages>;
}
