/** The client: dispatches, schedules and follows messages. */

import type { Duration } from "../supabase/functions/_shared/symphony/runtime/duration.ts";
import type {
  OwnSchedule,
  OwnSchedules,
} from "../supabase/functions/_shared/symphony/scheduler/own-schedule.ts";
import { toJson, UnstorableError } from "../supabase/functions/_shared/symphony/runtime/json.ts";
import { checkNames } from "../supabase/functions/_shared/symphony/runtime/option-names.ts";
import type { ScheduleOptions } from "../supabase/functions/_shared/symphony/scheduler/schedule-options.ts";
import { refusedPayload } from "./errors.ts";
import { follow, type FollowedMessage, type FollowOptions } from "./follow.ts";
import { LiveUpdates } from "./live.ts";
import type { MessageType } from "./message.ts";
import { type MessengerRequest, request, type Supabase } from "./request.ts";

export type { Duration, OwnSchedule, OwnSchedules, ScheduleOptions };

/** Options of a client. */
export interface MessengerClientOptions {
  /**
   * Whether dispatches carry an idempotency key that the client makes. Without a key they are not repeated
   * when no answer comes. Holders of a secret key and users may give a key. Default: a key is given while a
   * user is signed in with this supabase-js client.
   */
  readonly idempotencyKeys?: boolean;
  /** Largest number of repeats of a request; default: 3. */
  readonly retries?: number;
  /** The prefix of the functions' names that `init --prefix` was given, such as `bus-`; default: none. */
  readonly prefix?: string;
}

/** Options of a dispatch. Users may choose the options that the definition's `callerOptions` names. */
export interface DispatchOptions {
  /** Delay until it is due: a number of ms, or '30s', '10m', '24h', '7d'. */
  readonly delay?: Duration;
  /** When it is due; instead of `delay`. */
  readonly availableAt?: Date;
  readonly queue?: string;
  /** -1000 to 1000, higher first. */
  readonly priority?: number;
  /** A repeat within 24 hours returns the first id. */
  readonly idempotencyKey?: string;
  readonly groupKey?: string;
}

/** A message of {@link MessengerClient.dispatchAll}. */
export interface Outgoing<Payload> extends DispatchOptions {
  readonly message: MessageType<Payload>;
  readonly payload: NoInfer<Payload>;
}

/** An option of every request. */
interface Abortable {
  /** Ends the wait for the answer. A request that was sent may take effect all the same. */
  readonly signal?: AbortSignal;
}

/** Number of repeats of a request for a message's state: more than half a minute in all. */
const LOOK_RETRIES = 8;

/** A user's own schedules. */
export interface SchedulesClient {
  /**
   * Lists a page of them, in the order of their creation.
   * @param page.cursor the `next` of the page before
   * @param page.limit largest number of schedules, 1 to 200; default: 50
   */
  list(
    page?: { readonly cursor?: string; readonly limit?: number } & Abortable,
  ): Promise<OwnSchedules>;
  /** Deletes one. @throws NotFoundError if it does not exist or is another user's */
  delete(id: string, options?: Abortable): Promise<unknown>;
}

/** Dispatches, schedules and follows messages. Every method throws a MessengerError if it fails. */
export class MessengerClient {
  /** The signed-in user's own schedules. */
  readonly schedules: SchedulesClient = {
    list: ({ signal, ...page } = {}) =>
      this.#look(`schedules?${new URLSearchParams(page as Record<string, string>)}`, signal),
    delete: (id, { signal } = {}) =>
      this.#request({ path: `/schedules/${encodeURIComponent(id)}`, method: "DELETE", signal }),
  };

  readonly #supabase: Supabase;
  readonly #options: MessengerClientOptions;
  readonly #live: LiveUpdates;

  /** @throws RangeError if an option is unknown */
  constructor(supabase: Supabase, options: MessengerClientOptions = {}) {
    checkNames(options, ["idempotencyKeys", "retries", "prefix"]);
    this.#supabase = supabase;
    this.#options = options;
    this.#live = new LiveUpdates(supabase);
  }

  /** Dispatches one message and returns its id. */
  async dispatch<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    { signal, ...options }: DispatchOptions & Abortable = {},
  ): Promise<string> {
    const one = { message, payload, ...options };
    const { body: [body], idempotent } = await this.#prepare([one]);
    const request = { body, idempotent, signal };
    return (await this.#request<{ ids: [string] }>(request)).ids[0];
  }

  /** Dispatches up to 1,000 messages, all or none, and returns their ids. */
  async dispatchAll<const Payloads extends readonly unknown[]>(
    messages: { readonly [Place in keyof Payloads]: Outgoing<Payloads[Place]> },
    { signal }: Abortable = {},
  ): Promise<string[]> {
    const prepared = await this.#prepare(messages, true);
    return (await this.#request<{ ids: string[] }>({ ...prepared, signal })).ids;
  }

  /** Schedules a message, and returns the schedule's id. */
  async schedule<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    { queue, priority, groupKey, ...schedule }: ScheduleOptions,
    { signal }: Abortable = {},
  ): Promise<string> {
    const { scheduleId } = await this.#request<{ scheduleId: string }>({
      body: { type: message.type, payload: exact(payload), queue, priority, groupKey, schedule },
      // A second schedule with the same name is the first one.
      idempotent: !!schedule.name,
      signal,
    });
    return scheduleId;
  }

  /** Returns the state of a message. @throws NotFoundError if it is unknown, another user's, or not kept */
  status(id: string, { signal }: Abortable = {}): Promise<FollowedMessage> {
    return this.#look(encodeURIComponent(id), signal);
  }

  /**
   * Follows a message: yields its state, and each later state that is seen, until it is `handled`, `failed`
   * or `cancelled`. A change that is undone between two requests is not seen.
   * @throws NotFoundError if it is unknown or another user's; its definition must have `keep`
   */
  follow(id: string, { live, signal }: FollowOptions = {}): AsyncGenerator<FollowedMessage, void> {
    const look = () => this.#look<FollowedMessage>(encodeURIComponent(id), signal, LOOK_RETRIES);
    return follow(id, look, live ? this.#live : null, signal);
  }

  /** Waits for the end of a message and returns its last state. */
  async finished(id: string, options?: FollowOptions): Promise<FollowedMessage> {
    let last: FollowedMessage | undefined;
    for await (last of this.follow(id, options));
    return last as FollowedMessage;
  }

  #look<Answer>(
    path: string,
    signal: AbortSignal | undefined,
    retries?: number,
  ): Promise<Answer> {
    return this.#request({ path: `/${path}`, idempotent: true, signal, retries });
  }

  #request<Answer>(
    { path = "", retries = this.#options.retries ?? 3, ...rest }:
      & Omit<MessengerRequest, "path" | "retries">
      & { readonly path?: string; readonly retries?: number | undefined },
  ): Promise<Answer> {
    return request(this.#supabase, {
      path: `${this.#options.prefix ?? ""}dispatch${path}`,
      retries,
      ...rest,
    });
  }

  /** The messages to send, each with a key if the caller may give one. */
  async #prepare(
    messages: readonly Outgoing<unknown>[],
    isList?: boolean,
  ): Promise<{ body: readonly object[]; idempotent: boolean }> {
    const mayGiveKey = this.#options.idempotencyKeys ?? await isSignedIn(this.#supabase);
    const body = messages.map(({ message, payload, ...options }, index) => ({
      type: message.type,
      payload: exact(payload, isList ? [index] : []),
      ...(mayGiveKey && { idempotencyKey: makeKey() }),
      ...options,
    }));
    return { body, idempotent: body.every(({ idempotencyKey }) => idempotencyKey) };
  }
}

/** Refuses a payload that JSON would change silently. */
function exact(payload: unknown, path: number[] = []): unknown {
  try {
    return toJson(payload);
  } catch (error) {
    throw error instanceof UnstorableError ? refusedPayload(error, path) : error;
  }
}

async function isSignedIn({ auth }: Supabase): Promise<boolean> {
  try {
    return !!(await auth.getSession()).data.session;
  } catch {
    // A client with `accessToken` has no sessions.
    return false;
  }
}

/** 128 random bits. crypto.randomUUID is missing on pages without TLS. */
function makeKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** Makes a client over a supabase-js client, with its keys and session. */
export function createMessengerClient(
  supabase: Supabase,
  options?: MessengerClientOptions,
): MessengerClient {
  return new MessengerClient(supabase, options);
}
