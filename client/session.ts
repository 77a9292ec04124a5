/** The user who is signed in with a client of supabase-js. */

import { createStore, type Store } from "./store.ts";
import type { FunctionsLike } from "./supabase.ts";
import { within } from "./within.ts";

/** Longest wait for a session, in ms: supabase-js may be renewing its token. */
const SESSION_MS = 10_000;

/** A user's id; null if no user is signed in, undefined if that is not known, "" if their token cannot be renewed now. */
export type User = string | null | undefined;

/**
 * Returns the user's id; null if no user is signed in, undefined if the client has no sessions (`accessToken`) or
 * after the signal is aborted, "" if their token cannot be renewed now.
 */
export async function userOf(
  supabase: FunctionsLike | undefined,
  signal?: AbortSignal,
): Promise<User> {
  try {
    const answer = await within(
      SESSION_MS,
      signal,
      () => (supabase as FunctionsLike).auth.getSession(),
    );
    return answer?.data.session?.user.id ?? (answer && !answer.error ? null : "");
  } catch {
    return undefined;
  }
}

/** The signed-in user, told as long as there are listeners. */
export interface SessionStore {
  /** Calls the listener after each change of the user. Returns the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** The user's id; null if no user is signed in, or while there is no listener. */
  get(): string | null;
}

/** The signed-in user, as other files of the client see it. */
export type Session = Store<User>;

/** Listens to the session of a client of supabase-js; other tabs sign out here too. */
export function sessionOf({ auth }: FunctionsLike): Session {
  const store: Session = createStore<User>(undefined, () => {
    let isOver = false;
    let subscription: { unsubscribe(): void } | undefined;
    try {
      subscription = auth.onAuthStateChange((_, session) => {
        const user = session?.user.id ?? null;
        if (user !== store.get() && !isOver) store.put(user);
      }).data.subscription;
    } catch {
      // A client with `accessToken` has no sessions.
    }
    return () => {
      isOver = true;
      subscription?.unsubscribe();
      store.put(undefined);
    };
  });
  return store;
}
