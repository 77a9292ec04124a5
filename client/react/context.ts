/** The client that the hooks below a provider use. */

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import type { MessengerClient } from "../client.ts";
import type { MessagesShape } from "../message.ts";
import type { Messenger } from "./messenger.ts";
import type { RegisteredMessages } from "./register.ts";
import { createStoredJobs, type StoredJobs } from "./stored-jobs.ts";
import { createStore, type Store } from "../store.ts";

/** A client, and what its hooks have in common until the user leaves. */
export interface Shared {
  readonly client: Messenger;
  readonly jobs: StoredJobs;
  /** Changes whenever a hook has dispatched a message. */
  readonly dispatched: Store<unknown>;
}

const Context = createContext<Shared | undefined>(undefined);

/** Properties of {@link MessengerProvider}. */
export interface MessengerProviderProps {
  /** The client: one for the app, made outside of components. */
  readonly client: Messenger;
  readonly children?: ReactNode;
}

/** Gives a client to the hooks of all components below. When the user leaves, the hooks forget everything. */
export function MessengerProvider({ client, children }: MessengerProviderProps): ReactElement {
  const [visit, beginVisit] = useState({});
  const shared = useMemo(
    () => ({ client, jobs: createStoredJobs(client), dispatched: createStore<unknown>(0) }),
    [client, visit],
  );
  useEffect(() => {
    const { client: { session }, jobs } = shared;
    let user: string | null = null;
    const check = () => {
      const before = user;
      user = session.get();
      if (before === null) return jobs.settle();
      jobs.end();
      beginVisit({});
    };
    if (session.get() !== null) check();
    return session.subscribe(check);
  }, [shared]);
  return createElement(Context.Provider, { value: shared }, children);
}

/** @throws Error if there is no provider above */
export function useShared(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error("MessengerProvider: missing above this component");
  return shared;
}

/** Makes something of the shared client, and makes it again when the client, the user or a key changes. */
export function useOwn<Result>(make: (shared: Shared) => Result, ...keys: unknown[]): Result {
  const shared = useShared();
  return useMemo(() => make(shared), [shared, ...keys]);
}

/** Reads a store. On servers and at hydration the second function tells the value. */
export function useStore<Value>(
  { subscribe, get }: Pick<Store<Value>, "subscribe" | "get">,
  getFirst: () => Value = get,
): Value {
  return useSyncExternalStore(subscribe, get, getFirst);
}

/**
 * Returns the client.
 * @throws Error if there is no provider above
 */
export function useMessenger<
  Messages extends MessagesShape<Messages> = RegisteredMessages,
>(): MessengerClient<Messages> {
  return useShared().client as unknown as MessengerClient<Messages>;
}
