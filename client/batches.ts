/** A user's own batches: messages that are dispatched together, and whose end is told. */

import type {
  FollowedBatch,
  OwnBatches,
} from "../supabase/functions/_shared/symphony/message/followed-batch.ts";
import { byName, makeKey, type Outgoing, type OutgoingByName, withKeys } from "./dispatch.ts";
import { MessengerError } from "./errors.ts";
import { checked } from "./given.ts";
import { type BatchId, type BatchRef, idOf } from "./ids.ts";
import { exactJson } from "./json.ts";
import type { AnyMessages, MessagesShape, MessageType, PayloadByName, TypeOf } from "./message.ts";
import { page, type PageOptions } from "./own.ts";
import { type Abortable, type Requester, requester, type RequestOptions } from "./request.ts";
import type { FunctionsLike } from "./supabase.ts";
import { MAX_POLL_MS, pollDelay } from "./times.ts";
import { within } from "./within.ts";

/** A message that a batch dispatches at its end: by name, or by its definition's type, whose payload the server checks. */
export type BatchEvent<Messages> =
  | {
    readonly [Type in TypeOf<Messages>]: {
      readonly type: Type;
      readonly payload: PayloadByName<Messages, Type>;
    };
  }[TypeOf<Messages>]
  | { readonly message: MessageType<unknown>; readonly payload: unknown };

/** Options of a batch. */
export interface BatchOptions<Messages> extends Abortable {
  /** A name for people, 1 to 255 characters. Several batches may have one name. */
  readonly name: string;
  /** Identity of the batch; default: a new one. A repeat with the key and the same messages continues the batch. */
  readonly idempotencyKey?: string | undefined;
  /** Dispatched once, when first no member waits or runs. */
  readonly onFinished?: BatchEvent<Messages> | undefined;
  /** Dispatched once, when all members are handled. */
  readonly onSucceeded?: BatchEvent<Messages> | undefined;
  /** Dispatched once, at the first dead letter, unless the batch was cancelled before. */
  readonly onFailed?: BatchEvent<Messages> | undefined;
}

/** A batch that was dispatched. */
export interface DispatchedBatch {
  /** Tells it from messages and schedules, whose ids are numbers too. */
  readonly kind: "batch";
  readonly id: BatchId;
  /** The number of its members. */
  readonly total: number;
  readonly idempotencyKey: string;
}

/** Makes, follows, lists and cancels the user's own batches. Every method throws a MessengerError, or the signal's reason. */
export interface BatchesClient<Messages extends MessagesShape<Messages> = AnyMessages> {
  /**
   * Dispatches messages as a batch, in requests of up to 1,000. An error has the `idempotencyKey`: a repeat with it
   * continues where the batch broke off.
   */
  create(
    messages: readonly OutgoingByName<Messages>[],
    options: BatchOptions<Messages>,
  ): Promise<DispatchedBatch>;
  create<const Payloads extends readonly unknown[]>(
    messages: { readonly [Place in keyof Payloads]: Outgoing<Payloads[Place]> },
    options: BatchOptions<Messages>,
  ): Promise<DispatchedBatch>;
  /** Lists a page of them, the newest first. */
  list(page?: PageOptions): Promise<OwnBatches>;
  /** Returns its state. @throws MessengerError `not_found` if it does not exist or is another user's */
  get(batch: BatchRef, options?: Abortable): Promise<FollowedBatch>;
  /**
   * Yields its state, and each later state that is seen, until no member waits or runs. Failures that may pass do not
   * end it; `return()` of the generator ends it at once.
   */
  follow(batch: BatchRef, options?: Abortable): AsyncGenerator<FollowedBatch, undefined>;
  /** Waits until no member waits or runs, and returns the state. */
  finished(batch: BatchRef, options?: Abortable): Promise<FollowedBatch>;
  /**
   * Cancels the members that have not ended. A batch that is cancelled already is returned as it is.
   * @throws MessengerError `conflict` if the batch has ended in another way
   */
  cancel(batch: BatchRef, options?: Abortable): Promise<FollowedBatch>;
}

const MAX_MESSAGES = 1_000;
/** Largest JSON of a request's messages, in characters of up to three bytes: a server takes a mebibyte by default. */
const MAX_CHARACTERS = 300_000;
const ENDS: readonly string[] = ["handled", "failed", "cancelled"];
const EVENTS = ["onFinished", "onSucceeded", "onFailed"] as const;

/**
 * Makes the client of a user's own batches, over a supabase-js client. It is a function of its own, so that a page
 * without batches has none of its code.
 */
export function createBatches<Messages extends MessagesShape<Messages> = AnyMessages>(
  supabase: FunctionsLike,
  options: RequestOptions = {},
): BatchesClient<Messages> {
  const request = requester(supabase, checked(options));
  // deno-lint-ignore require-await -- a wrong id is a rejection
  const path = async (ref: BatchRef) => `/batches/${idOf(ref, "batch")}`;
  const get: BatchesClient["get"] = (ref, options) =>
    request<FollowedBatch>(path(ref), "id", options);
  const follow = (ref: BatchRef, options?: Abortable) =>
    statesOf((signal) => get(ref, { signal }), options);
  const client: BatchesClient = {
    ...{ get, follow },
    create: async (
      messages: readonly Parameters<typeof byName>[0][],
      options: BatchOptions<AnyMessages>,
    ) =>
      await create(request, checked(messages, "messages", "Array").map(byName), checked(options)),
    list: (options) => page(request, "/batches", options),
    async finished(ref, options) {
      let last: FollowedBatch | undefined;
      for await (last of follow(ref, options));
      return last as FollowedBatch;
    },
    cancel: (ref, options) => request<FollowedBatch>(path(ref), "id", options, "DELETE"),
  };
  return client as unknown as BatchesClient<Messages>;
}

async function create(
  request: Requester,
  messages: readonly object[],
  { signal, name, idempotencyKey = makeKey(), ...options }: BatchOptions<AnyMessages>,
): Promise<DispatchedBatch> {
  const events = Object.fromEntries(
    EVENTS.flatMap((event) => options[event] ? [[event, byName(options[event])]] : []),
  );
  // Refuses all that JSON would change, before anything is sent.
  exactJson({ ...events, messages });
  const chunks = split(messages);
  let written: { batchId: string; total: number } | undefined;
  let before = 0;
  try {
    for (const [index, chunk] of chunks.entries()) {
      const isLast = index === chunks.length - 1;
      const body = {
        name,
        idempotencyKey,
        ...events,
        messages: chunk,
        chunk: index + 1,
        isLast,
      };
      written = await request("/batches", "batchId", { signal }, "POST", body);
      before += chunk.length;
    }
  } catch (error) {
    throw withKeys(inWhole(error, before), signal, { idempotencyKey });
  }
  const { batchId: id = "", total = 0 } = written ?? {};
  return { kind: "batch", id, total, idempotencyKey };
}

/** Splits messages into chunks. The split depends on the messages alone, so that a repeat makes the same chunks. */
function split(messages: readonly object[]): object[][] {
  const chunks: object[][] = [[]];
  let characters = 0;
  for (const message of messages) {
    const { length } = JSON.stringify(message);
    const chunk = chunks.at(-1) ?? [];
    characters += length;
    if (chunk.length < MAX_MESSAGES && (characters <= MAX_CHARACTERS || !chunk[0])) {
      chunk.push(message);
    } else {
      chunks.push([message]);
      characters = length;
    }
  }
  return chunks;
}

/** Gives the places of wrong messages in the whole batch, where the server tells those in a chunk. */
function inWhole(error: unknown, before: number): unknown {
  if (!(error instanceof MessengerError) || !before) return error;
  let { message } = error;
  const issues = error.issues.map((issue) => {
    const [list, place, ...rest] = issue.path;
    if (list !== "messages" || typeof place !== "number") return issue;
    message = message.replace(`messages.${place}.`, `messages.${place + before}.`);
    return { ...issue, path: [list, place + before, ...rest] };
  });
  return Object.assign(error, { message, issues });
}

/** Follows a batch. `return()` ends it at once, also while a state is waited for. */
function statesOf(
  ask: (signal: AbortSignal) => Promise<FollowedBatch>,
  options: Abortable = {},
): AsyncGenerator<FollowedBatch, undefined> {
  const { signal } = checked(options);
  const over = new AbortController();
  let isLeft = false;
  async function* generate(): AsyncGenerator<FollowedBatch, undefined> {
    try {
      signal?.throwIfAborted();
      // The controller has the option `signal`, which ends the listening.
      signal?.addEventListener("abort", () => over.abort(signal.reason), over);
      return yield* untilEnd(() => ask(over.signal), over.signal);
    } catch (error) {
      if (!isLeft) throw error;
    } finally {
      over.abort();
    }
  }
  const states = generate();
  const { return: end } = states;
  states.return = (value) => {
    isLeft = true;
    over.abort();
    return end.call(states, value);
  };
  return states;
}

/** Asks for the state of a batch until it has ended, less and less often while nothing changes. */
async function* untilEnd(
  ask: () => Promise<FollowedBatch>,
  signal: AbortSignal,
): AsyncGenerator<FollowedBatch, undefined> {
  let last: string | undefined;
  let changedAt = Date.now();
  for (;;) {
    let delayMs = MAX_POLL_MS;
    try {
      const batch = await ask();
      const text = JSON.stringify(batch);
      if (text !== last) {
        last = text;
        changedAt = Date.now();
        yield batch;
      }
      if (ENDS.includes(batch.status)) return;
      const quietMs = Date.now() - changedAt;
      delayMs = pollDelay(quietMs, 1);
    } catch (error) {
      if (!(error instanceof MessengerError && error.retryable)) throw error;
    }
    await within(delayMs, signal);
  }
}
