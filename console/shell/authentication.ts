/** Sign-in with Supabase Auth, on a static host. Its code is loaded only there. */

import { ApiProblem } from "../api/api-problem.ts";
import type { HostedSettings } from "./settings.ts";

/** The sessions of Supabase Auth, as the console needs them. */
export interface Authentication {
  /** A valid token; null: no user is signed in. It is renewed in time. */
  readonly token: () => Promise<string | null>;
  /**
   * Signs in.
   * @returns the user's id
   * @throws ApiProblem with the words of Auth
   */
  readonly signIn: (email: string, password: string) => Promise<string>;
  /** The id of the user who is signed in; null: there is none. */
  readonly user: () => Promise<string | null>;
  readonly signOut: () => Promise<void>;
}

/** Longest wait for an answer of Auth, in ms. */
const TIMEOUT_MS = 15_000;

/** Connects to the project's Auth. */
export async function connectAuth(settings: HostedSettings): Promise<Authentication> {
  const { AuthClient } = await import("@supabase/auth-js");
  const auth = new AuthClient({
    url: `${settings.url}/auth/v1`,
    headers: { apikey: settings.publishableKey },
    fetch: (input, init) =>
      fetch(input, {
        ...init,
        signal: AbortSignal.any([
          ...(init?.signal ? [init.signal] : []),
          AbortSignal.timeout(TIMEOUT_MS),
        ]),
      }),
    storageKey: "symphony-console",
    autoRefreshToken: true,
    persistSession: true,
    // The hash of the address is the console's own.
    detectSessionInUrl: false,
  });
  return {
    token: async () => (await auth.getSession()).data.session?.access_token ?? null,
    signIn: async (email, password) => {
      const { data, error } = await auth.signInWithPassword({ email, password });
      if (error) throw new ApiProblem(error.status ?? 0, "sign_in", error.message);
      return data.user.id;
    },
    user: async () => (await auth.getSession()).data.session?.user.id ?? null,
    signOut: async () => void await auth.signOut({ scope: "local" }),
  };
}
