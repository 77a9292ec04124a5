/**
 * A client of supabase-js in one object: a session, and the function `dispatch` over messages in memory. It
 * notes each request, and loses answers when a test says so.
 */

import type { FollowedMessage } from "../../supabase/functions/_shared/symphony/message/followed-message.ts";

/** A request that was made. */
export interface MadeRequest {
  /** Method and path, such as `POST dispatch`. */
  readonly name: string;
  readonly body: Record<string, unknown>;
  readonly signal: AbortSignal | undefined;
}

type Session = { readonly user: { readonly id: string } };
type AuthListener = (event: string, session: Session | null) => void;

/** Stands for a client of supabase-js with its project. */
export class MemoryProject {
  readonly requests: MadeRequest[] = [];
  readonly messages = new Map<string, FollowedMessage>();
  /** Number of next answers that get lost, after the request took effect. */
  lost = 0;
  /** The next requests are answered when it is over. */
  held: Promise<unknown> = Promise.resolve();
  readonly #keys = new Map<string, string>();
  readonly #listeners = new Set<AuthListener>();
  #session: Session | null;

  /** @param user the signed-in user's id; null: a visitor */
  constructor(user: string | null = "ada") {
    this.#session = user === null ? null : { user: { id: user } };
  }

  /** Number of listeners to the session. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Names of the requests since the last call. */
  names(): string[] {
    return this.requests.splice(0).map(({ name }) => name);
  }

  /** Ids of the messages whose state was asked for since the last call, and the names of other requests. */
  asked(): string[] {
    return this.requests.splice(0).flatMap(({ name, body }) =>
      body.ids as string[] | undefined ?? /^GET dispatch\/(\d+)$/.exec(name)?.[1] ?? name
    );
  }

  /** Signs a user in; null: out. */
  sign(user: string | null): void {
    this.#session = user === null ? null : { user: { id: user } };
    for (const listener of [...this.#listeners]) {
      listener(user === null ? "SIGNED_OUT" : "SIGNED_IN", this.#session);
    }
  }

  /** Changes a message's state. */
  change(id: string, state: Partial<FollowedMessage>): void {
    const message = this.messages.get(id);
    if (message) this.messages.set(id, { ...message, ...state });
  }

  readonly auth = {
    getSession: () => Promise.resolve({ data: { session: this.#session } }),
    onAuthStateChange: (listener: AuthListener) => {
      this.#listeners.add(listener);
      queueMicrotask(() =>
        this.#listeners.has(listener) && listener("INITIAL_SESSION", this.#session)
      );
      const unsubscribe = () => void this.#listeners.delete(listener);
      return { data: { subscription: { unsubscribe } } };
    },
  };

  readonly functions = {
    invoke: async (
      path: string,
      { method = "POST", body, signal }: {
        method?: string;
        body?: Record<string, unknown>;
        signal?: AbortSignal;
      },
    ) => {
      const url = new URL(path, "http://localhost/");
      const name = `${method} ${url.pathname.slice(1)}`;
      const given = body ?? Object.fromEntries(url.searchParams);
      this.requests.push({ name, body: given, signal });
      const [status, answer] = this.#answer(name, given);
      await this.held;
      // As a network would: never in the same turn.
      await Promise.resolve();
      if (signal?.aborted) return { data: null, error: new Error("aborted") };
      if (this.lost > 0 && this.lost--) return { data: null, error: new Error("no answer") };
      if (status < 400) return { data: answer, error: null };
      return { data: null, error: { context: Response.json(answer, { status }) } };
    },
  };

  readonly realtime = { accessTokenValue: null, setAuth: () => Promise.resolve(), connect() {} };
  channel = (): never => {
    throw new Error("there is no Realtime");
  };
  getChannels = () => [];
  removeChannel = () => Promise.resolve("ok");

  #answer(name: string, body: Record<string, unknown>): [number, unknown] {
    if (!this.#session) return [401, { code: "unauthorized", message: "Sign in" }];
    const id = /\/(\d+)$/.exec(name)?.[1];
    const message = this.messages.get(id ?? "");
    if (name === "POST dispatch") return [202, { ids: [this.#dispatch(body)] }];
    if (name === "POST dispatch/status") return [200, this.#states(body.ids as string[])];
    if (name === "GET dispatch/messages") return [200, this.#page(body)];
    if (!message) return [404, { code: "not_found", message: "unknown" }];
    if (name.startsWith("DELETE")) this.change(message.id, { status: "cancelled" });
    return [200, this.messages.get(message.id)];
  }

  #dispatch({ type, idempotencyKey }: Record<string, unknown>): string {
    const known = this.#keys.get(String(idempotencyKey));
    if (idempotencyKey && known) return known;
    const id = String(this.messages.size + 1);
    if (idempotencyKey) this.#keys.set(String(idempotencyKey), id);
    this.messages.set(id, {
      ...{ kind: "message", id, type: String(type), status: "pending", cancelling: false },
      ...{ reason: null, attempt: 0, createdAt: new Date().toISOString(), finishedAt: null },
      ...{ availableAt: new Date().toISOString(), progress: null },
    });
    return id;
  }

  #states(ids: readonly string[]) {
    return {
      messages: ids.flatMap((id) => this.messages.get(id) ?? []),
      missing: ids.filter((id) => !this.messages.has(id)),
    };
  }

  #page({ limit = 50, cursor, type, status }: Record<string, unknown>) {
    const all = [...this.messages.values()].reverse().filter((message) =>
      (!cursor || Number(message.id) < Number(cursor)) &&
      (!type || message.type === type) && (!status || message.status === status)
    );
    const messages = all.slice(0, Number(limit));
    return { messages, next: all.length > messages.length ? messages.at(-1)?.id ?? null : null };
  }
}
