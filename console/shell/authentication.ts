/** Sign-in with Supabase Auth, on a static host. Its code is loaded only there. */

import type { GoTrueClient, Provider } from "@supabase/auth-js";
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
  /** Sends a link that signs in, to a user who exists. @throws ApiProblem with the words of Auth */
  readonly sendLink: (email: string) => Promise<void>;
  /**
   * Leaves for the page of an OAuth provider, which leads back.
   * @param inNewTab keeps this page, which is signed in as soon as the other one is
   * @throws ApiProblem with the words of Auth
   */
  readonly leaveFor: (provider: string, inNewTab: boolean) => Promise<void>;
  /** The id of the user who is signed in; null: there is none. */
  readonly user: () => Promise<string | null>;
  readonly signOut: () => Promise<void>;
}

/** Longest wait for an answer of Auth, in ms. */
const TIMEOUT_MS = 15_000;

/** Where the operator was before a provider's page. */
const PLACE = "symphony.place";

/** The address to which links and providers lead back: without a query, which Auth compares with its list. */
const returnAddress = (): string => `${location.origin}${location.pathname}`;

/**
 * Exchanges the code of a link or a provider, which stands in the query of the address, for a session.
 * @throws ApiProblem if Auth refused
 */
async function takeCode(auth: GoTrueClient): Promise<void> {
  const query = new URLSearchParams(location.search);
  const code = query.get("code");
  const refusal = query.get("error_description");
  if (code === null && refusal === null) return;
  const place = sessionStorage.getItem(PLACE) ?? "";
  sessionStorage.removeItem(PLACE);
  // Neither belongs into the browser's history.
  history.replaceState(null, "", `${location.pathname}${place}`);
  if (code === null) throw new ApiProblem(0, "sign_in", refusal ?? "");
  const { error } = await auth.exchangeCodeForSession(code);
  if (error) throw new ApiProblem(error.status ?? 0, "sign_in", error.message);
}

/** Connects to the project's Auth. @throws ApiProblem if it refused a sign-in that led back here */
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
    // The hash of the address is the console's own: a code comes back in its query.
    detectSessionInUrl: false,
    flowType: "pkce",
  });
  await takeCode(auth);
  return {
    token: async () => (await auth.getSession()).data.session?.access_token ?? null,
    signIn: async (email, password) => {
      const { data, error } = await auth.signInWithPassword({ email, password });
      if (error) throw new ApiProblem(error.status ?? 0, "sign_in", error.message);
      return data.user.id;
    },
    sendLink: async (email) => {
      const options = { shouldCreateUser: false, emailRedirectTo: returnAddress() };
      const { error } = await auth.signInWithOtp({ email, options });
      if (error) throw new ApiProblem(error.status ?? 0, "sign_in", error.message);
    },
    leaveFor: async (provider, inNewTab) => {
      // A tab that is opened after an answer is one that browsers block.
      const tab = inNewTab ? open("about:blank", "_blank") : null;
      const { data, error } = await auth.signInWithOAuth({
        provider: provider as Provider,
        options: { redirectTo: returnAddress(), skipBrowserRedirect: true },
      });
      if (error) throw new ApiProblem(error.status ?? 0, "sign_in", error.message);
      sessionStorage.setItem(PLACE, location.hash);
      if (tab) tab.location.href = data.url;
      else location.assign(data.url);
    },
    user: async () => (await auth.getSession()).data.session?.user.id ?? null,
    signOut: async () => void await auth.signOut({ scope: "local" }),
  };
}
