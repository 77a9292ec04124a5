/** The signed-in user's messages: loaded page by page, and each unfinished one followed. */

import type { OwnMessages } from "../../supabase/functions/_shared/symphony/message/followed-message.ts";
import { type FollowedState, isSettled } from "../entry.ts";
import type { MessengerError } from "../errors.ts";
import type { ListOptions } from "../own.ts";
import { onPageEvent } from "../surroundings.ts";
import type { Messenger } from "./messenger.ts";
import { createStore, type Store } from "../store.ts";

/** The list as components see it. */
export interface MessagesState {
  /** The newest come first. */
  readonly messages: readonly FollowedState[];
  /** Whether the first page or a further one is being loaded. A refresh happens in the background. */
  readonly isLoading: boolean;
  /** Why the last load failed. */
  readonly error: MessengerError | undefined;
  /** Whether `loadMore` has more. */
  readonly hasMore: boolean;
}

/** On servers, at hydration, and until the first page is there. */
export const LOADING = { messages: [], isLoading: true, hasMore: false } as Partial<
  MessagesState
> as MessagesState;

/** A list that is loaded and followed while it has subscribers. */
export class MessageList {
  readonly store: Store<MessagesState>;
  readonly #client: Messenger;
  readonly #filter: ListOptions;
  #entries: readonly FollowedState[] = [];
  #cursor: string | null = null;
  /** Ends the request that is under way, when the last subscriber leaves. */
  #life = new AbortController();
  /** Requests are made one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** A refresh whose request is not sent yet. */
  #refreshing: Promise<void> | undefined;
  #loadingMore: Promise<void> | undefined;
  #isBusy = false;
  /** Ends of following. */
  #follows: (() => void)[] = [];

  /** @param dispatched changes when the user has dispatched a message */
  constructor(
    client: Messenger,
    filter: ListOptions,
    dispatched: Pick<Store<unknown>, "subscribe">,
  ) {
    this.#client = client;
    this.#filter = filter;
    this.store = createStore(LOADING, () => this.#start(dispatched));
  }

  /** Loads the newest page, and keeps older messages. It never rejects: the state tells the error. */
  readonly refresh = (): Promise<void> =>
    this.#refreshing ??= this.#work = this.#work.then(() => {
      this.#refreshing = undefined;
      return this.#load();
    });

  /** Loads the page after the last one. It never rejects: the state tells the error. */
  readonly loadMore = (): Promise<void> =>
    this.#loadingMore ??= this.#work = this.#work.then(async () => {
      if (this.#cursor) await this.#load(this.#cursor);
      this.#loadingMore = undefined;
    });

  #start(dispatched: Pick<Store<unknown>, "subscribe">): () => void {
    const { session } = this.#client;
    const life = this.#life = new AbortController();
    const refreshIfIdle = () => this.#isBusy || this.refresh();
    const stops = [
      session.subscribe(() => session.get() && refreshIfIdle()),
      dispatched.subscribe(this.refresh),
      // A page that was hidden or offline may have missed something.
      onPageEvent((type) => type === "offline" || refreshIfIdle()),
    ];
    this.refresh();
    return () => {
      life.abort();
      [...stops, ...this.#follows].forEach(call);
    };
  }

  async #load(cursor?: string): Promise<void> {
    const { list, session } = this.#client;
    const { signal } = this.#life;
    const user = session.get();
    this.#isBusy = true;
    if (cursor) this.#show({ isLoading: true });
    try {
      const page = await list({ ...this.#filter, cursor, signal });
      signal.throwIfAborted();
      this.#take(page, cursor);
      this.#show({ error: undefined, isLoading: false });
    } catch (error) {
      if (signal.aborted) return;
      // It may have been sent before the page knew its user.
      if (user !== session.get()) this.refresh();
      else this.#show({ error: error as MessengerError, isLoading: false });
    } finally {
      this.#isBusy = false;
    }
  }

  #take({ messages, next }: OwnMessages, cursor: string | undefined): void {
    const place = this.#entries.findIndex(({ id }) => id === messages.at(-1)?.id) + 1;
    // Older messages stay, unless messages between them and the newest page are missing.
    const older = next && place ? this.#entries.slice(place) : [];
    this.#entries = cursor ? [...this.#entries, ...messages] : [...messages, ...older];
    if (!older[0]) this.#cursor = next;
    const last = this.#follows;
    const open = this.#entries.filter((one) => !isSettled(one));
    this.#follows = open.map(({ id }) => this.#follow(id));
    // Only now, so that a message that is followed already stays so.
    last.forEach(call);
  }

  #follow(id: string): () => void {
    const { subscribe, get } = this.#client.observe(id);
    return subscribe(() => {
      const { message } = get();
      this.#entries = this.#entries.map((one) => one.id === id && message || one);
      this.#show({});
    });
  }

  #show(state: Partial<MessagesState>): void {
    const { status } = this.#filter;
    this.store.put({
      ...this.store.get(),
      ...state,
      messages: this.#entries.filter((entry) => !status || entry.status === status),
      hasMore: !!this.#cursor,
    });
  }
}

const call = (stop: () => void) => stop();
