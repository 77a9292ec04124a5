/**
 * Live updates over the user's private Realtime channel: one channel for each client of supabase-js, shared by all
 * that follow messages over it.
 */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import { createStore, type Store } from "./store.ts";
import type { ChannelLike, SupabaseLike } from "./supabase.ts";

/**
 * The user's channel, which is open while it has listeners: a store of the last update of the user's messages, and of
 * null when updates may have been missed. Without Realtime no updates come.
 */
export interface LiveUpdates extends Store<FollowedMessage | null> {
  /**
   * Opens or closes the channel, as needed: another user may be signed in, or the channel may have ended.
   * @param isFresh whether to try at once where the channel could not be joined
   */
  adjust(isFresh?: boolean): void;
  /** Whether updates arrive at present. */
  isOn(): boolean;
  /** Whether each change of a message of this type is told. */
  tells(type: string | undefined): boolean | undefined;
}

/** How many polls a channel may take to be joined before the client rests. */
const MAX_TRIES = 12;
/** How long the client does without a channel that could not be joined. */
const REST_MS = 300_000;

const known = new WeakMap<SupabaseLike, LiveUpdates>();

/** Returns the live updates of a client of supabase-js, of which there is one. */
export function liveUpdatesOf(supabase: SupabaseLike): LiveUpdates {
  const live = known.get(supabase) ?? liveUpdates(supabase);
  known.set(supabase, live);
  return live;
}

function liveUpdates(supabase: SupabaseLike): LiveUpdates {
  /** Types of which an update has come, so that changes of their messages are told. */
  const types = new Set<string | undefined>();
  /** The last channel that tells its updates here. */
  let heard: ChannelLike | undefined;
  let isUsed = false;
  let channel: ChannelLike | undefined;
  /** The channel, if this file opened it. The app may have opened it for itself. */
  let own: ChannelLike | undefined;
  /** Polls since the channel was open, or opened. */
  let tries = 0;
  let restsUntil = 0;
  /** The channel is opened and closed in order. */
  let work: Promise<unknown> = Promise.resolve();

  const isOn = () => channel?.state === "joined";

  const close = async () => {
    const closed = own;
    channel = own = undefined;
    // The app may have got this channel too, and listens to it.
    if (closed?.bindings.broadcast?.length === 1) await supabase.removeChannel(closed);
  };
  const rest = () => {
    restsUntil = Date.now() + REST_MS;
    return close();
  };

  const subscribe = (opened: ChannelLike) => {
    const others: ((status: string) => void)[] = [];
    opened.subscribe((status) => {
      others.forEach((tell) => tell(status));
      updates.put(null);
    });
    // An app that opens the channel later gets this one, and a channel can be subscribed to once only.
    opened.subscribe = (listener = () => {}) => {
      others.push(listener);
      if (opened.state === "joined") listener("SUBSCRIBED");
      return opened;
    };
  };
  const open = (topic: string, theirs: ChannelLike | undefined) => {
    // Any visitor may send over a channel that is not private. A channel that leaves is gone soon; the next poll opens one.
    if (theirs && (!theirs.private || theirs.state === "leaving")) return;
    const opened = channel = theirs ??
      (own = supabase.channel(topic, { config: { private: true } }));
    if (heard !== opened) {
      heard = opened;
      opened.on("broadcast", { event: "message" }, ({ payload }) => {
        // It may be another user's by now.
        if (opened !== channel) return;
        types.add((payload as FollowedMessage).type);
        updates.put(payload as FollowedMessage);
      });
    }
    if (own) subscribe(own);
  };

  /** The user whom the token names. */
  const findUser = async (): Promise<string | undefined> => {
    await supabase.realtime.setAuth();
    const claims = supabase.realtime.accessTokenValue?.split(".")[1];
    return claims && JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub;
  };
  const settle = async () => {
    const user = isUsed && Date.now() >= restsUntil && await findUser();
    const topic = `messenger:${user}`;
    // supabase-js has one channel a topic: it returns the app's own one if there is one.
    const there = supabase.getChannels().find((other) => other.topic === `realtime:${topic}`);
    if (there !== channel) await close();
    if (user && !channel) open(topic, there);
    tries = own && !isOn() ? tries + 1 : 0;
    // An app that removes all channels ends the connection too, which does not come back by itself. Not at each poll:
    // supabase-js keeps listeners of each call while Realtime is out of reach.
    if (tries % 4 === 2) supabase.realtime.connect();
    if (tries > MAX_TRIES) await rest();
  };
  const adjust = (isFresh?: boolean) => {
    if (isFresh) restsUntil = tries = 0;
    // Without Realtime, repeated requests show the state.
    work = work.then(settle).catch(rest).catch(() => {});
  };

  const updates = createStore<FollowedMessage | null>(null, () => {
    isUsed = true;
    adjust();
    return () => {
      isUsed = false;
      adjust();
    };
  });
  return {
    ...{ ...updates, adjust, isOn },
    // The end of a channel of the app's is not told here, so it does not count.
    tells: (type) => own && isOn() && types.has(type),
  };
}
