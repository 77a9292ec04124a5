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
  sender,
} from "./dispatch.ts";
import type { FollowedState, MessageView } from "./entry.ts";
import { finished, follow, type MessageStates } from "./follow.ts";
import { idOf, type MessageId, type MessageRef } from "./ids.ts";
import { type Job, type Jobs, toJob } from "./job.ts";
import { liveUpdatesOf } from "./live.ts";
import { Looks } from "./looks.ts";
import type { AnyMessages, MessagesShape, MessageType, TypeOf } from "./message.ts";
import { cancel, list, type ListOptions, missing, statuses } from "./own.ts";
import { type Abortable, requester } from "./request.ts";
import { type SchedulesClient, schedulesClient } from "./schedules.ts";
import { Session, type SessionStore, userOf } from "./session.ts";
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
  ): Promise<Job<Type>>;
  dispatch<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    options?: DispatchOptions & Abortable,
  ): Promise<Job<string>>;
  /** Dispatches up to 1,000 messages, all or none. An error has the `idempotencyKeys` of the dispatch. */
  dispatchAll(
    messages: readonly OutgoingByName<Messages>[],
    options?: Abortable,
  ): Promise<Job<TypeOf<Messages>>[]>;
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

/** The messages that were dispatched with a client, by id. */
class Memory {
  readonly #types = new Map<string, { readonly type: string; readonly user: string | undefined }>();

  add(id: string, type: string, user: string | undefined): void {
    this.#types.set(id, { type, user });
    for (const oldest of this.#types.keys()) {
      if (this.#types.size <= MAX_DISPATCHED) return;
      this.#types.delete(oldest);
    }
  }

  /** The type of a message that the user has dispatched. */
  find(id: string, user: string | undefined): string | undefined {
    const known = this.#types.get(id);
    return known?.user === user ? known?.type : undefined;
  }
}

/**
 * Makes a client over a supabase-js client, with its keys and session. Nothing is opened until it is used.
 * @throws MessengerError `invalid` for an option that does not exist
 */
export function createMessengerClient<Messages extends MessagesShape<Messages> = AnyMessages>(
  supabase: SupabaseLike,
  options: MessengerClientOptions = {},
): MessengerClient<Messages> {
  checkOptions(options, [...DISPATCHER_OPTIONS, "live"]);
  const request = requester(supabase, options);
  const session = new Session(supabase);
  const memory = new Memory();
  const looks = new Looks({
    session,
    ask: (ids, signal) => statuses(request, ids, { signal, once: true }),
    user: () => userOf(supabase),
    dispatched: (id, user) => memory.find(id, user),
    live: () => options.live === false ? undefined : liveUpdatesOf(supabase),
    insists: options.live === true,
  });
  const jobs: Jobs = {
    async status(id, options) {
      const { messages: [state] } = await statuses(request, [id], options);
      if (state) return state;
      throw missing(memory.find(id, await userOf(supabase) ?? undefined) !== undefined);
    },
    follow: (id, options) => follow(looks, id, options),
    finished: (id, options) => finished(looks, id, options),
    async cancel(id, options) {
      const state = await cancel(request, id, options);
      looks.tell(state);
      return state;
    },
  };
  const send = sender(supabase, options, request);
  const dispatches = dispatching(
    async (...sent) => {
      const user = await userOf(supabase) ?? undefined;
      const dispatched = await send(...sent);
      for (const { id, type } of dispatched) memory.add(id, type, user);
      return dispatched;
    },
    ({ id, type, idempotencyKey }) => toJob(jobs, id, type, idempotencyKey),
  );
  const client: Omit<MessengerClient, "dispatch" | "dispatchAll" | "schedules"> = {
    session,
    job: (id) => toJob(jobs, idOf(id, "message"), undefined),
    status: async (ref, options) => await jobs.status(idOf(ref, "message"), options),
    statuses: (refs, options) => statuses(request, refs, options),
    list: (options) => list(request, options),
    follow: (ref, options) => jobs.follow(idOf(ref, "message"), options),
    finished: async (ref, options) => await jobs.finished(idOf(ref, "message"), options),
    cancel: async (ref, options) => await jobs.cancel(idOf(ref, "message"), options),
    observe: (ref) => {
      const id = idOf(ref, "message");
      return {
        subscribe: (listener) => looks.watch(id, () => listener()),
        get: () => looks.view(id),
      };
    },
  };
  return {
    ...client,
    ...dispatches,
    schedules: schedulesClient(request),
  } as unknown as MessengerClient<Messages>;
}
