/** The parts of supabase-js that the client uses, described by shape: any version that has them fits. */

/** A user's session. */
interface SessionLike {
  readonly user: { readonly id: string };
}

/** Options of an invocation of a function. */
interface InvokeOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  // deno-lint-ignore no-explicit-any -- supabase-js makes JSON of anything
  readonly body?: any;
  readonly signal?: AbortSignal;
}

/** A channel of Realtime. */
export interface ChannelLike {
  readonly topic: string;
  readonly state: string;
  readonly private: boolean;
  /** Its listeners by kind. */
  readonly bindings: { readonly [kind: string]: readonly unknown[] };
  on(
    kind: "broadcast",
    filter: { event: string },
    listener: (update: { readonly payload?: unknown }) => void,
  ): unknown;
  subscribe(listener?: (status: string) => void): unknown;
}

/** The parts of a client of supabase-js that dispatches use. */
export interface FunctionsLike {
  /** A client with the option `accessToken` throws where this is used; it has no sessions then. */
  readonly auth: {
    getSession(): Promise<
      { readonly data: { readonly session: SessionLike | null }; readonly error?: unknown }
    >;
    onAuthStateChange(
      listener: (event: string, session: SessionLike | null) => void,
    ): { readonly data: { readonly subscription: { unsubscribe(): void } } };
  };
  readonly functions: {
    invoke(
      name: string,
      options: InvokeOptions,
    ): Promise<{ readonly data: unknown; readonly error: unknown }>;
  };
}

/** A client of supabase-js, with any types of a database. */
export interface SupabaseLike extends FunctionsLike {
  readonly realtime: {
    readonly accessTokenValue: string | null;
    setAuth(): Promise<void>;
    /** Does nothing while there is a connection. */
    connect(): void;
  };
  channel(topic: string, options: { config: { private: boolean } }): ChannelLike;
  getChannels(): readonly ChannelLike[];
  removeChannel(channel: ChannelLike): Promise<unknown>;
}
