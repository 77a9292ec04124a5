/** A stand-in for supabase-js as a test wants it: its responses, its session and its channels. */

import type { SupabaseLike } from "../../client/mod.ts";

/** A request that the client made. */
export interface FakeRequest {
  /** Name of the function, and path. */
  readonly name: string;
  readonly method: string;
  readonly body: unknown;
  readonly signal: AbortSignal | undefined;
}

/** A response that is no success. */
export interface Refusal {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A stand-in for supabase-js. */
export interface FakeSupabase {
  readonly supabase: SupabaseLike;
  /** The requests so far. */
  readonly requests: FakeRequest[];
  /** Signs a user in, or out with null, and tells listeners. */
  signIn(user: string | null): void;
  /** How many listen to the session. */
  readonly listeners: () => number;
}

/** Makes the error that supabase-js returns for a response; without a status, for no answer. */
export function refusal({ status, body = {}, headers = {} }: Refusal): unknown {
  return status === 0
    ? { name: "FunctionsFetchError", context: new TypeError("failed") }
    : { name: "FunctionsHttpError", context: Response.json(body, { status, headers }) };
}

/**
 * Makes a stand-in without Realtime.
 * @param answer returns the answer's body; what it throws is returned as the error
 * @param user who is signed in at first; false for a client with `accessToken`, which has no sessions
 */
export function fakeSupabase(
  answer: (request: FakeRequest) => unknown,
  user: string | null | false = null,
): FakeSupabase {
  const requests: FakeRequest[] = [];
  type Listener = Parameters<SupabaseLike["auth"]["onAuthStateChange"]>[0];
  const listeners = new Set<Listener>();
  let current = user || null;
  const session = () => current ? { user: { id: current } } : null;
  const auth: SupabaseLike["auth"] = {
    getSession: () => Promise.resolve({ data: { session: session() } }),
    onAuthStateChange(listener) {
      listeners.add(listener);
      queueMicrotask(() => listener("INITIAL_SESSION", session()));
      return { data: { subscription: { unsubscribe: () => listeners.delete(listener) } } };
    },
  };
  const noSessions = new Proxy(auth, {
    get: (_, name) => {
      throw new Error(`supabase.auth.${String(name)} is not possible with accessToken`);
    },
  });
  const supabase: SupabaseLike = {
    auth: user === false ? noSessions : auth,
    functions: {
      async invoke(name, { method = "POST", body, signal }) {
        const given = body && JSON.parse(JSON.stringify(body));
        const request = { name, method, body: given, signal };
        requests.push(request);
        try {
          return { data: await answer(request), error: null };
        } catch (error) {
          return { data: null, error };
        }
      },
    },
    realtime: { accessTokenValue: null, setAuth: () => Promise.resolve(), connect() {} },
    channel: () => {
      throw new Error("there is no Realtime");
    },
    getChannels: () => [],
    removeChannel: () => Promise.resolve(),
  };
  return {
    ...{ supabase, requests },
    signIn(next) {
      current = next;
      const event = next ? "SIGNED_IN" : "SIGNED_OUT";
      for (const listener of [...listeners]) listener(event, session());
    },
    listeners: () => listeners.size,
  };
}
