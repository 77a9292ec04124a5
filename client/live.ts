/**
 * Live updates over the user's private Realtime channel: one channel for each client of supabase-js, shared by all
 * that follow messages over it.
 */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { ChannelLike, SupabaseLike } from "./supabase.ts";

/** Somebody who follows messages. */
export interface LiveListener {
  /** Receives each update of the user's messages, and null when updates may have been missed. */
  readonly tell: (update: FollowedMessage | null) => void;
  /** Whether to try on where Realtime does not let the client in. */
  readonly insists: boolean;
}

/** How long a channel may take to be joined before the client rests. */
const PATIENCE_MS = 20_000;
/** How long the client does without a channel that could not be joined. */
const REST_MS = 300_000;

const channels = new WeakMap<SupabaseLike, LiveUpdates>();

/** Returns the live updates of a client of supabase-js, of which there is one. */
export function liveUpdatesOf(supabase: SupabaseLike): LiveUpdates {
  const known = channels.get(supabase) ?? new LiveUpdates(supabase);
  channels.set(supabase, known);
  return known;
}

/** The user's channel, which is open while it has listeners. */
export class LiveUpdates {
  readonly #supabase: SupabaseLike;
  readonly #listeners = new Set<LiveListener>();
  /** Channels that tell their updates here, with the number of their listeners at that time. */
  readonly #heard = new WeakMap<ChannelLike, number>();
  /** Types of which an update has come, so that changes of their messages are told. */
  readonly #types = new Set<string>();
  #channel: ChannelLike | undefined;
  /** Whether this file opened the channel. The app may have opened it for itself. */
  #isOwn = false;
  #isJoined = false;
  /** Since when the channel is not joined. */
  #missingSince = 0;
  #restsUntil = 0;
  /** The channel is opened and closed in order. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(supabase: SupabaseLike) {
    this.#supabase = supabase;
  }

  /** Whether updates arrive at present. */
  get isOn(): boolean {
    return this.#isOwn ? this.#isJoined : this.#channel?.state === "joined";
  }

  /** Whether each change of a message of this type is told. The end of a channel of the app's is not, so it does not count. */
  tells(type: string | undefined): boolean {
    return this.#isOwn && this.#isJoined && this.#types.has(type ?? "");
  }

  /** Adds a listener, and returns the function that removes it. Without Realtime no updates come. */
  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    this.adjust();
    return () => {
      this.#listeners.delete(listener);
      this.adjust();
    };
  }

  /** Opens or closes the channel, as needed: another user may be signed in, or the channel may have ended. */
  adjust(isFresh = false): void {
    if (isFresh) {
      this.#restsUntil = 0;
      this.#missingSince = Date.now();
    }
    // Without Realtime, repeated requests show the state.
    this.#work = this.#work.then(() => this.#adjust()).catch(() => this.#rest());
  }

  async #adjust(): Promise<void> {
    const topic = this.#listeners.size > 0 && Date.now() >= this.#restsUntil
      ? await this.#findTopic()
      : undefined;
    const channel = this.#channel;
    const isOpen = channel && this.#supabase.getChannels().includes(channel);
    if (channel && !(isOpen && channel.topic === topic)) await this.#close();
    if (topic && !this.#channel) this.#open(topic);
    const insists = [...this.#listeners].some((listener) => listener.insists);
    const isStuck = this.#isOwn && !this.#isJoined && Date.now() > this.#missingSince + PATIENCE_MS;
    if (this.#channel && isStuck && !insists) await this.#rest();
  }

  /** The topic of the user whom the token names. */
  async #findTopic(): Promise<string | undefined> {
    const { realtime } = this.#supabase;
    await realtime.setAuth();
    const claims = realtime.accessTokenValue?.split(".")[1];
    const user = claims && JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub;
    return user && `realtime:messenger:${user}`;
  }

  #open(topic: string): void {
    // supabase-js has one channel a topic: it returns the app's own one if there is one.
    const theirs = this.#supabase.getChannels().find((channel) => channel.topic === topic);
    // It is gone soon; the next look opens another.
    if (theirs?.state === "leaving") return;
    const name = topic.replace("realtime:", "");
    const channel = theirs ?? this.#supabase.channel(name, { config: { private: true } });
    this.#channel = channel;
    this.#isOwn = !theirs;
    this.#isJoined = false;
    this.#missingSince = Date.now();
    if (!this.#heard.has(channel)) {
      channel.on("broadcast", { event: "message" }, ({ payload }) => {
        if (channel === this.#channel) this.#tell(payload as FollowedMessage);
      });
      this.#heard.set(channel, listenersOf(channel));
    }
    if (this.#isOwn) this.#subscribe(channel);
  }

  #subscribe(channel: ChannelLike): void {
    const others = new Set<(status: string) => void>();
    channel.subscribe((status) => {
      for (const other of others) other(status);
      if (channel !== this.#channel) return;
      const isJoined = status === "SUBSCRIBED";
      if (isJoined === this.#isJoined) return;
      this.#isJoined = isJoined;
      this.#missingSince = Date.now();
      this.#tell(null);
    });
    // An app that opens the channel later gets this one, and a channel can be subscribed to once only.
    channel.subscribe = (listener = () => {}) => {
      others.add(listener);
      if (channel.state === "joined") listener("SUBSCRIBED");
      return channel;
    };
  }

  async #close(): Promise<void> {
    const channel = this.#channel;
    const isShared = channel && listenersOf(channel) > (this.#heard.get(channel) ?? 0);
    const isOurs = this.#isOwn && !isShared;
    this.#channel = undefined;
    this.#isOwn = this.#isJoined = false;
    if (channel && isOurs) await this.#supabase.removeChannel(channel);
  }

  async #rest(): Promise<void> {
    this.#restsUntil = Date.now() + REST_MS;
    await this.#close().catch(() => {});
  }

  #tell(update: FollowedMessage | null): void {
    if (update) this.#types.add(update.type);
    for (const { tell } of [...this.#listeners]) tell(update);
  }
}

function listenersOf({ bindings }: ChannelLike): number {
  return Object.values(bindings).flat().length;
}
