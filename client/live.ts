/** Live updates over the user's private Realtime channel, one channel for all followed messages. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { Supabase } from "./request.ts";

/** Receives each update of the user's messages, and null when updates may have been missed. */
type Listener = (update: FollowedMessage | null) => void;

/** The user's channel, which is open while it has listeners. */
export class LiveUpdates {
  readonly #listeners = new Set<Listener>();
  #channel: ReturnType<Supabase["channel"]> | null = null;
  /** The channel is opened and closed in order. */
  #work: Promise<unknown> = Promise.resolve();
  readonly #supabase: Supabase;
  /** Whether updates arrive at present. */
  isOn = false;

  constructor(supabase: Supabase) {
    this.#supabase = supabase;
  }

  /** Adds a listener, and returns the function that removes it. Without Realtime no updates come. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#adjust();
    return () => {
      this.#listeners.delete(listener);
      this.#adjust();
    };
  }

  #adjust(): void {
    const adjust = () => this.#listeners.size > 0 ? this.#open() : this.#close();
    // Without Realtime, repeated requests show the state.
    this.#work = this.#work.then(adjust).catch(() => {});
  }

  async #open(): Promise<void> {
    const { data: { session } } = await this.#supabase.auth.getSession();
    const topic = `messenger:${session?.user.id}`;
    if (this.#channel?.topic === `realtime:${topic}`) return;
    await this.#close();
    if (!session) return;
    await this.#supabase.realtime.setAuth();
    this.#channel = this.#supabase.channel(topic, { config: { private: true } });
    this.#channel
      .on("broadcast", { event: "message" }, ({ payload }) => this.#tell(payload))
      .subscribe((status) => {
        const wasOn = this.isOn;
        this.isOn = status === "SUBSCRIBED";
        if (this.isOn !== wasOn) this.#tell(null);
      });
  }

  async #close(): Promise<void> {
    const channel = this.#channel;
    this.#channel = null;
    this.isOn = false;
    if (channel) await this.#supabase.removeChannel(channel);
  }

  #tell(update: FollowedMessage | null): void {
    for (const listener of this.#listeners) listener(update);
  }
}
