/** The operator, and the API in their name. */

import { type ComponentChildren, createContext, Fragment, type JSX } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { answerOf, type Api, createApi, type Schemas } from "../api/api-client.ts";
import { clearDrafts } from "../api/draft.ts";
import { setLive } from "../api/live.ts";
import { learnTime } from "../api/server-clock.ts";
import { toProblem } from "../api/api-problem.ts";
import { type Resource, useResource } from "../api/use-resource.ts";
import { enterBulk, leaveBulk } from "../bulk/tab-runner.ts";
import type { Authentication } from "./authentication.ts";
import { tokenHeaders } from "./local-token.ts";
import type { Settings } from "./settings.ts";

/** The session, as components see it. */
export interface Session {
  readonly settings: Settings;
  readonly api: Api;
  /** The operator as the API knows them, such as a user's id; null: not known yet. */
  readonly actor: string | null;
  /** Whether buttons that change something are shown. The API and the local server decide themselves. */
  readonly canChange: boolean;
  /** Whether and why it is not known yet what the operator may do. */
  readonly access: Pick<Resource<Schemas["Access"]>, "data" | "error" | "reload">;
  /** Whether the API has refused the credentials: sign in, or open the address of the command again. */
  readonly needsSignIn: boolean;
  readonly signIn: (email: string, password: string) => Promise<void>;
  /** On a static host, further ways to sign in. */
  readonly authentication: Authentication | null;
  /** undefined: there is nothing to sign out of. */
  readonly signOut: (() => Promise<void>) | undefined;
}

const SessionContext = createContext<Session | null>(null);
const ACCESS_EVERY_MS = 300_000;

/** The session of the page. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession: has to be below SessionProvider");
  return session;
}

/** The API's client. */
export const useApi = (): Api => useSession().api;

/** Whether the operator may change anything: without it no page shows a button that does. */
export const useCanChange = (): boolean => useSession().canChange;

/** Properties of the provider. */
export interface SessionProviderProps {
  readonly settings: Settings;
  /** On a static host. */
  readonly authentication: Authentication | null;
  readonly children: ComponentChildren;
}

/** Holds the session for all below it. Another operator than before begins with a page of their own. */
export function SessionProvider(
  { settings, authentication, children }: SessionProviderProps,
): JSX.Element {
  const [needsSignIn, setNeedsSignIn] = useState(false);
  const operator = useOperator(authentication);
  const api = useMemo(
    () => apiOf(settings, authentication, setNeedsSignIn),
    [settings, authentication],
  );
  const access = useAccess(api, operator.turn);
  const isAllowed = settings.mode === "hosted" || !settings.readOnly;
  const isRefused = access.error?.status === 403;
  const session = useMemo<Session>(() => ({
    settings,
    api,
    authentication,
    actor: access.data?.actor ?? null,
    access,
    canChange: isAllowed && !isRefused && access.data?.mayChange === true,
    needsSignIn,
    signIn: async (email, password) => {
      await operator.signIn(email, password);
      setNeedsSignIn(false);
      access.reload();
      // Every resource that failed asks again.
      setLive({});
    },
    signOut: authentication
      ? async () => {
        await operator.signOut();
        setNeedsSignIn(true);
      }
      : undefined,
  }), [
    settings,
    api,
    authentication,
    access.data,
    access.error,
    needsSignIn,
    isAllowed,
    isRefused,
  ]);
  return (
    <SessionContext.Provider value={session}>
      <Fragment key={operator.turn}>{children}</Fragment>
    </SessionContext.Provider>
  );
}

/** Reads what the operator may do, and tells the changes of many messages who operates. */
function useAccess(api: Api, turn: number): Resource<Schemas["Access"]> {
  const access = useResource(`access ${turn}`, (signal) => readAccess(api, signal), {
    everyMs: ACCESS_EVERY_MS,
  });
  const actor = access.data?.actor;
  useEffect(() => {
    if (actor !== undefined) enterBulk(actor);
  }, [actor, turn]);
  return access;
}

/** Signs in and out. `turn` grows when the operator becomes another one: nothing of the one before stays. */
function useOperator(authentication: Authentication | null) {
  const [turn, setTurn] = useState(0);
  const user = useRef<string | null>(null);
  useEffect(() => {
    authentication?.user().then((id) => user.current = id, () => {});
  }, [authentication]);
  const become = (id: string | null) => {
    if (user.current !== null && user.current !== id) {
      clearDrafts();
      leaveBulk();
      setTurn((before) => before + 1);
    }
    user.current = id;
  };
  return {
    turn,
    signIn: async (email: string, password: string) =>
      become(await authentication?.signIn(email, password) ?? null),
    signOut: async () => {
      await authentication?.signOut();
      become(null);
    },
  };
}

function apiOf(
  settings: Settings,
  authentication: Authentication | null,
  setNeedsSignIn: (needs: boolean) => void,
): Api {
  const isLocal = settings.mode === "local";
  const api = createApi({
    baseUrl: isLocal
      ? new URL("./api", location.href).href
      : `${settings.url}/functions/v1/${settings.prefix}messenger`,
    headers: async () => {
      if (isLocal) return tokenHeaders();
      const token = await authentication?.token();
      return {
        apikey: settings.publishableKey,
        ...(token && { authorization: `Bearer ${token}` }),
      };
    },
  });
  api.use({
    onResponse: ({ response }) => {
      if (response.status === 401) setNeedsSignIn(true);
      else if (response.ok) void onAuthorised(authentication, () => setNeedsSignIn(false));
    },
  });
  return api;
}

/** The dialog may go: another tab has signed in, or a token came late. An answer that comes after a sign-out is none. */
async function onAuthorised(
  authentication: Authentication | null,
  onSession: () => void,
): Promise<void> {
  const user = authentication && await authentication.user().catch(() => null);
  if (!authentication || user !== null) onSession();
}

/** A function of an older release has no such path: it decides by itself about each change. */
async function readAccess(api: Api, signal: AbortSignal): Promise<Schemas["Access"]> {
  try {
    const askedAt = Date.now();
    const access = await answerOf(api.GET("/access", { signal }));
    learnTime(access.now, askedAt, Date.now());
    return access;
  } catch (error) {
    if (!toProblem(error).isNotFound) throw error;
    return { actor: "", mayChange: true, hasSecretKey: false, now: "" };
  }
}

/** Shows its children to those who may change something. */
export function IfCanChange({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <>{useCanChange() && children}</>;
}

/** Whether there is a session at the start, so that the first page does not flash. */
export function useStart<Value>(start: () => Promise<Value>): Value | Error | null {
  const [value, setValue] = useState<Value | Error | null>(null);
  useEffect(() => {
    start().then(setValue, (error) => setValue(toProblem(error)));
  }, []);
  return value;
}
