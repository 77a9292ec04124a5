/** The client: dispatches, schedules and follows messages. */

import type { Duration } from "../supabase/functions/_shared/symphony/runtime/duration.ts";
import type {
  OwnSchedule,
  OwnSchedules,
} from "../supabase/functions/_shared/symphony/http/own-schedules.ts";
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
   * Whether dispatches carry an idempotency key of the client's making, without which they are not
   * repeated when no answer comes. Holders of a secret key and users may give one; where absent it is
   * given while a user is signed in with this supabase-js client.
   */
  readonly idempotencyKeys?: boolean;
  /** How often a request is repeated at most; 3 where absent. */
  readonly retries?: number;
}

/** Options of a dispatch. Users may choose what the definition's `callerOptions` names. */
export interface DispatchOptions {
  /** How long it waits: a number of ms, or '30s', '10m', '24h', '7d'. */
  readonly delay?: Duration;
  /** When it is due; instead of `delay`. */
  readonly availableAt?: Date;
  readonly queue?: string;
  /** -1000 to 1000, higher first. */
  readonly priority?: number;
  /** A repeat within 24 hours answers the first id. */
  readonly idempotencyKey?: string;
  readonly groupKey?: string;
}

/** A message of {@link MessengerClient.dispatchAll}. */
export interface Outgoing<Payload> extends DispatchOptions {
  readonly message: MessageType<Payload>;
  readonly payload: NoInfer<Payload>;
}

/** What a request can be given. */
interface Abortable {
  /** Ends the waiting; what has been sent may be done all the same. */
  readonly signal?: AbortSignal;
}

/** How often a look is repeated: for more than half a minute. */
const LOOK_RETRIES = 8;

/** What a user may do with the schedules they have made. */
export interface SchedulesClient {
  /**
   * A page of them, in the order of their making.
   * @param page.cursor the `next` of the page before
   * @param page.limit at most so many, 1 to 200; 50 where absent
   */
  list(
    page?: { readonly cursor?: string; readonly limit?: number } & Abortable,
  ): Promise<OwnSchedules>;
  /** Deletes one. @throws NotFoundError where it is another's or not there */
  delete(id: string, options?: Abortable): Promise<unknown>;
}

/** Dispatches, schedules and follows messages. Everything throws a MessengerError where it fails. */
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

  /** @throws RangeError if an option is not known */
  constructor(supabase: Supabase, options: MessengerClientOptions = {}) {
    checkNames(options, ["idempotencyKeys", "retries"]);
    this.#supabase = supabase;
    this.#options = options;
    this.#live = new LiveUpdates(supabase);
  }

  /** Dispatches one message and answers its id. */
  async dispatch<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    { signal, ...options }: DispatchOptions & Abortable = {},
  ): Promise<string> {
    const one = { message, payload, ...options };
    const { body, idempotent } = await this.#prepare([one], () => []);
    const { ids } = await this.#request<{ ids: [string] }>({ body: body[0], idempotent, signal });
    return ids[0];
  }

  /** Dispatches up to 1,000 messages, all or none, and answers their ids. */
  async dispatchAll<const Payloads extends readonly unknown[]>(
    messages: { readonly [Place in keyof Payloads]: Outgoing<Payloads[Place]> },
    { signal }: Abortable = {},
  ): Promise<string[]> {
    const prepared = await this.#prepare(messages, (index) => [index]);
    return (await this.#request<{ ids: string[] }>({ ...prepared, signal })).ids;
  }

  /** Has a message dispatched by a schedule, and answers the schedule's id. */
  async schedule<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    { queue, priority, groupKey, ...schedule }: ScheduleOptions,
    { signal }: Abortable = {},
  ): Promise<string> {
    const { scheduleId } = await this.#request<{ scheduleId: string }>({
      body: { type: message.type, payload: exact(payload), queue, priority, groupKey, schedule },
      // A second schedule of one name is the first.
      idempotent: schedule.name !== undefined,
      signal,
    });
    return scheduleId;
  }

  /** What has become of a message. @throws NotFoundError where it is another's or not remembered */
  status(id: string, { signal }: Abortable = {}): Promise<FollowedMessage> {
    return this.#look(encodeURIComponent(id), signal);
  }

  /**
   * Follows a message: yields it as it is and after each change that is seen, until it is `handled`,
   * `failed` or `cancelled`. What changes back between two looks is not seen.
   * @throws NotFoundError where it is another's or not remembered: its definition has to say `keep`
   */
  follow(id: string, { live, signal }: FollowOptions = {}): AsyncGenerator<FollowedMessage, void> {
    const look = () => this.#look<FollowedMessage>(encodeURIComponent(id), signal, LOOK_RETRIES);
    return follow(id, look, live ? this.#live : null, signal);
  }

  /** Waits for the end of a message and answers it. */
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
    return request(this.#supabase, { path: `dispatch${path}`, retries, ...rest });
  }

  /** The messages as they are sent, with a key each where the caller may give one. */
  async #prepare(
    messages: readonly Outgoing<unknown>[],
    pathOf: (index: number) => number[],
  ): Promise<{ body: readonly object[]; idempotent: boolean }> {
    const mayGiveKey = this.#options.idempotencyKeys ?? await isSignedIn(this.#supabase);
    const body = messages.map(({ message, payload, ...options }, index) => ({
      type: message.type,
      payload: exact(payload, pathOf(index)),
      ...(mayGiveKey && { idempotencyKey: makeKey() }),
      ...options,
    }));
    return { body, idempotent: body.every((message) => message.idempotencyKey !== undefined) };
  }
}

/** What JSON would change without a word is refused before it is sent. */
function exact(payload: unknown, path: number[] = []): unknown {
  try {
    return toJson(payload);
  } catch (error) {
    throw error instanceof UnstorableError ? refusedPayload(error, path) : error;
  }
}

async function isSignedIn({ auth }: Supabase): Promise<boolean> {
  try {
    return (await auth.getSession()).data.session !== null;
  } catch {
    // A client that was made with `accessToken` has no sessions.
    return false;
  }
}

/** 128 random bits; crypto.randomUUID is missing where a page came without TLS. */
function makeKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** Makes a client over supabase-js's, whose keys and session it uses. */
export function createMessengerClient(
  supabase: Supabase,
  options?: MessengerClientOptions,
): MessengerClient {
  return new MessengerClient(supabase, options);
}
