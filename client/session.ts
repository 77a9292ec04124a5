/** The user who is signed in with a client of supabase-js. */

import type { FunctionsLike } from "./supabase.ts";

/** Returns the user's id; null if no user is signed in, undefined if the client has no sessions (`accessToken`). */
export async function userOf({ auth }: FunctionsLike): Promise<string | null | undefined> {
  try {
    return (await auth.getSession()).data.session?.user.id ?? null;
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

/** Listens to the session of a client of supabase-js; other tabs sign out here too. */
export class Session implements SessionStore {
  readonly #supabase: FunctionsLike;
  readonly #listeners = new Set<() => void>();
  #stop = () => {};
  /** The user's id; null if no user is signed in, undefined if that is not known. */
  user: string | null | undefined;

  constructor(supabase: FunctionsLike) {
    this.#supabase = supabase;
  }

  get = (): string | null => this.user ?? null;

  subscribe = (listener: () => void): () => void => {
    // The same function may be given twice.
    const own = () => listener();
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#stop();
      this.user = undefined;
    };
  };

  #open(): void {
    this.#stop = () => {};
    try {
      const { subscription } = this.#supabase.auth.onAuthStateChange((_, session) => {
        const user = session?.user.id ?? null;
        if (user === this.user || this.#listeners.size === 0) return;
        this.user = user;
        for (const listener of [...this.#listeners]) listener();
      }).data;
      this.#stop = () => subscription.unsubscribe();
    } catch {
      // A client with `accessToken` has no sessions.
    }
  }
}
