/** The knowledge of a client about the messages that it follows. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { MessengerError } from "./errors.ts";
import { createStore, type Store } from "./store.ts";

/**
 * The state of a followed message. `not_remembered`: the client has seen the message and the server knows it no
 * more: it is finished, and its type is not kept. Whether it was handled cannot be told.
 */
export type FollowedState<Result = unknown> =
  | FollowedMessage<Result>
  | (Omit<FollowedMessage<Result>, "status"> & { readonly status: "not_remembered" });

/** How the client learns of changes. */
export type Connection = "connecting" | "live" | "polling" | "offline" | "signed_out";

/** A followed message, as an observer sees it. */
export interface MessageView<Result = unknown> {
  /** Undefined before the first answer, and while its user is signed out. */
  readonly message: FollowedState<Result> | undefined;
  /** Why there is no newer state; undefined if all is well, or if the failure may pass. */
  readonly error: MessengerError | undefined;
  readonly connection: Connection;
}

/** A followed message, and when to look at it: a store of its view. Moments are in ms since 1970. */
export interface Entry extends Store<MessageView> {
  readonly id: string;
  /** Whose message it is; undefined while that is not known, and for clients without sessions. */
  user: string | undefined;
  state?: FollowedState | undefined;
  error?: MessengerError | undefined;
  /** When its status last changed. */
  changedAt: number;
  /** When a live update last told its state. */
  toldAt: number;
  /** When the client last asked for its state. */
  lookedAt: number;
  /** When the client asks next; Infinity: never. */
  lookAt: number;
}

/** Every followed message of a client. Nothing is open and no timer runs while there is none. */
export interface Looks {
  /**
   * Follows a message: calls the listener after each change, and first, after this call, where something is known.
   * Returns the function that ends it.
   */
  watch(id: string, listener: (entry: Entry) => void): () => void;
  /** Returns the view of a message: the same object until something changes. */
  view(id: string): MessageView;
  /** Takes in a state that another request or a live update brings. */
  tell(state: FollowedMessage): void;
}

/** The view of a message that is not followed yet. */
export const START = { connection: "connecting" } as MessageView;

/**
 * Makes the entry of a message that begins to be followed.
 * @param onUse is called when the first listener comes; the function that it returns, when the last has left
 */
export function newEntry(id: string, user: string | undefined, onUse: () => () => void): Entry {
  const now = Date.now();
  const times = { changedAt: now, toldAt: 0, lookedAt: now, lookAt: now };
  return { id, user, ...times, ...createStore(START, onUse) };
}

/** The states that others follow, in their order within an attempt. */
const ORDER = ["pending", "processing", "retrying"];

/** Place of a state within an attempt; the final ones come last. */
function rank({ status }: FollowedState): number {
  return ORDER.indexOf(status) + 1 || 4;
}

/** Whether no other state follows, unless an operator redrives a dead letter. */
export function isFinal(state: FollowedState): boolean {
  return rank(state) > 3;
}

/** Whether it is no more than a memory. All else may change: an operator may redrive a dead letter. */
export function isSettled({ status }: FollowedState): boolean {
  return /^(h|not)/.test(status);
}

/**
 * Takes a state in. A live update and an answer may arrive in the wrong order, so an older state is left out.
 * @param isLatest whether no newer state can be known
 * @returns whether something changed
 */
export function take(entry: Entry, state: FollowedState, isLatest: boolean): boolean {
  const { state: last, error } = entry;
  // A message that parks gives its attempt back.
  const attempts = rank(state) === 1 && state.steps?.current && last && rank(last) === 2
    ? 1
    : state.attempt - (last?.attempt ?? -1);
  const ranks = last ? rank(state) - rank(last) : 1;
  if (!isLatest && (attempts || ranks) < 0) return false;
  entry.error = undefined;
  if (attempts || ranks) entry.changedAt = Date.now();
  if (JSON.stringify(state) === JSON.stringify(last)) return !!error;
  entry.state = state;
  return true;
}
