/** The knowledge of a client about the messages that it follows. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { MessengerError } from "./errors.ts";
import type { User } from "./session.ts";
import type { Store } from "./store.ts";

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

/** A followed message as an external store, for frameworks. */
export interface MessageObserver {
  /** Follows the message as long as there are subscribers, and calls the listener after each change. */
  subscribe(listener: () => void): () => void;
  /** Returns the same object until something changes. */
  get(): MessageView;
}

/** A followed message, and when to poll it: a store of its view. Moments are in ms since 1970. */
export interface Entry extends Store<MessageView> {
  readonly id: string;
  known?: FollowedState | undefined;
  failure?: MessengerError | undefined;
  /** Whose message it is; null or undefined while that is not known, and for clients without sessions. */
  owner: User;
  /** When its status last changed. */
  changedAt: number;
  /** When a live update last told its state. */
  toldAt: number;
  /** When the client asks next; Infinity: never. */
  pollAt: number;
}

/** The view of a message that is not followed yet. */
export const START = { connection: "connecting" } as MessageView;

/** Place of a state within an attempt, in the order in which they follow; the final ones come last. */
function rank({ status }: FollowedState): number {
  return ["pending", "processing", "retrying"].indexOf(status) + 1 || 4;
}

/** When a waiting message is due, in ms since 1970; 0 if it does not wait. */
export function dueAtOf(state: FollowedState): number {
  // Those of the first and the third rank wait.
  return rank(state) % 2 && Date.parse(state.availableAt as string) || 0;
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
 */
export function take(entry: Entry, state: FollowedState, isLatest: boolean): undefined {
  const { known: last } = entry;
  // A message that parks gives its attempt back.
  const attempts = rank(state) === 1 && state.steps?.current && last && rank(last) === 2
    ? 1
    : state.attempt - (last?.attempt ?? -1);
  const change = attempts || rank(state) - rank(last as FollowedState);
  if (!isLatest && change < 0) return;
  if (change) entry.changedAt = Date.now();
  // Listeners get the same object until something changes.
  if (JSON.stringify(state) !== JSON.stringify(last)) entry.known = state;
}
