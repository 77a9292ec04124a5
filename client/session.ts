/** The user who is signed in with a client of supabase-js. */

import type { FunctionsLike } from "./supabase.ts";
import { within } from "./within.ts";

/** Longest wait for a session, in ms: supabase-js may be renewing its token. */
const SESSION_MS = 10_000;
const NO_SESSION = { data: { session: null }, error: true };

/**
 * Returns the user's id; null if no user is signed in, undefined if the client has no sessions (`accessToken`), if
 * their token cannot be renewed now, or after the signal is aborted.
 */
export async function userOf(
  { auth }: FunctionsLike,
  signal?: AbortSignal,
): Promise<string | null | undefined> {
  try {
    const { data, error } = await within(SESSION_MS, auth.getSession(), () => NO_SESSION, signal);
    return data.session?.user.id ?? (error ? undefined : null);
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
export interface Session extends SessionStore {
  /** The user's id; null if no user is signed in, undefined if that is not known. */
  readonly user: () => string | null | undefined;
}

/** Listens to the session of a client of supabase-js; other tabs sign out here too. */
export function sessionOf(supabase: FunctionsLike): Session {
  const listeners = new Set<() => void>();
  let user: string | null | undefined;
  let stop = () => {};
  const open = () => {
    try {
      const { subscription } = supabase.auth.onAuthStateChange((_, session) => {
        const next = session?.user.id ?? null;
        if (next === user || listeners.size === 0) return;
        user = next;
        for (const listener of [...listeners]) listener();
      }).data;
      stop = () => subscription.unsubscribe();
    } catch {
      // A client with `accessToken` has no sessions.
    }
  };
  return {
    user: () => user,
    get: () => user ?? null,
    subscribe(listener) {
      // The same function may be given twice.
      const own = () => listener();
      listeners.add(own);
      if (listeners.size === 1) open();
      return () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        stop();
        user = undefined;
      };
    },
  };
}
