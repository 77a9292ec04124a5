/** Polls the messages that a client follows: one request for those that are due. */

import type {
  FollowedMessage,
  FollowedMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import {
  dueAtOf,
  type Entry,
  type FollowedState,
  isFinal,
  isSettled,
  type MessageObserver,
  START,
  take,
} from "./entry.ts";
import { isOffline, type MessengerError, signedOut, unknownId } from "./errors.ts";
import type { LiveUpdates } from "./live.ts";
import { MAX_IDS, statuses } from "./own.ts";
import type { Requester } from "./request.ts";
import { type Session, type User, userOf } from "./session.ts";
import { createStore } from "./store.ts";
import type { FunctionsLike } from "./supabase.ts";
import { onPageEvent } from "./surroundings.ts";
import { MAX_POLL_MS, pollDelay, retryDelay } from "./times.ts";

/** Every followed message of a client. Nothing is open and no timer runs while there is none. */
export interface Poller {
  /** Makes a store of a message's state. Where a state is known, a new listener is called once soon. */
  observe(id: string): MessageObserver;
  /** Takes in a state that another request or a live update brings. */
  tell(state: FollowedMessage): void;
}

/** How often a refused token is tried again while a user is signed in: it may just be renewed. */
const MAX_REFUSALS = 2;
/** Longest wait for a timer, in ms: the page's clock may be set back, and a server may ask for a year. */
const MAX_TIMER_MS = 60_000;
/** Events of the page may come in a row. */
const JUST_NOW_MS = 1_000;

const isSignedOut = (entry: Entry) => entry.failure?.code === "signed_out";

/**
 * Makes the poller of a client. It is one closure and not a class, because minifiers shorten the names of variables
 * and not those of properties.
 * @param types types of the messages that were dispatched with this client, by id and user
 */
export function createPoller(
  supabase: FunctionsLike,
  request: Requester,
  session: Session,
  live: LiveUpdates,
  types: ReadonlyMap<string, string>,
): Poller {
  const entries = new Map<string, Entry>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the poll that is under way. */
  let polling: AbortController | undefined;
  /** The messages that are polled, the most urgent first. */
  let open: Entry[] = [];
  let polledAt = 0;
  /** How far the page's clock is behind the server's at least, in ms. */
  let behindMs = 0;
  let notBefore = 0;
  let failures = 0;
  let isCutOff = false;

  /** A copy: listeners begin and end to follow messages. */
  const all = () => [...entries.values()];
  /** Tells of a message, its error or the connection, if one of them has changed. */
  const show = (entry: Entry) => {
    const { known: message, failure: error } = entry;
    const last = entry.get();
    const connection = isSignedOut(entry)
      ? "signed_out"
      : isCutOff || isOffline()
      ? "offline"
      : live.isOn()
      ? "live"
      : message
      ? "polling"
      : "connecting";
    if (message !== last.message || error !== last.error || connection !== last.connection) {
      entry.put({ message, error, connection });
    }
  };
  /** Sets the timer for the next poll, and shows what has changed. */
  const plan = (latest = Infinity) => {
    open = all().filter((entry) => entry.pollAt < Infinity)
      .sort((one, other) => one.pollAt - other.pollAt);
    open.forEach((entry) => entry.pollAt = Math.min(entry.pollAt, latest));
    const [first] = open;
    clearTimeout(timer);
    if (first && !polling) {
      timer = setTimeout(
        poll,
        Math.min(Math.max(first.pollAt, notBefore) - Date.now(), MAX_TIMER_MS),
      );
    }
    // Last: a listener may throw.
    all().forEach(show);
  };
  /** Ends a poll that is under way, and forgets that polls have failed. */
  const interrupt = () => {
    polling = polling?.abort() as undefined;
    failures = 0;
    // A wait that the server asks for is kept.
    if (isCutOff) notBefore = 0;
    isCutOff = false;
  };

  /** Decides when to poll a message again, after its state or with an error. */
  const update = (entry: Entry, error?: MessengerError) => {
    const now = Date.now();
    entry.failure = error;
    // Another user must not see it.
    if (isSignedOut(entry)) entry.known = undefined;
    const state = entry.known as FollowedState;
    // The clock may be set back.
    entry.changedAt = Math.min(entry.changedAt, now);
    // Observers of a message outlast a failure that an operator can end, and a token that is refused while its
    // user is signed in. Apps with tokens of their own have no user here.
    const isOver = error
      ? error.code !== "internal" &&
        !(isSignedOut(entry) && entry.owner !== null && entry.owner === session.get())
      : isSettled(state);
    if (!error) behindMs = Math.max(behindMs, Date.parse(state.createdAt) - now);
    entry.pollAt = now +
      (isOver
        ? Infinity
        : error || isFinal(state) || live.tells(state.type)
        ? MAX_POLL_MS
        : pollDelay(now - Math.max(entry.changedAt, dueAtOf(state) - behindMs), open.length));
  };
  /** Polls all messages at once that are not final and were not polled just now. */
  const hurry = () => plan(polledAt + JUST_NOW_MS);

  const onUser = () => {
    const user = session.get();
    live.adjust(true);
    for (const entry of all()) {
      if ((entry.owner ??= user) !== user) {
        interrupt();
        update(entry, signedOut());
      } else if (user && isSignedOut(entry)) {
        entry.failure = undefined;
        entry.pollAt = 0;
      }
    }
    hurry();
  };
  const onPage = () => {
    // A poll from before the machine's sleep is not going to be answered.
    interrupt();
    live.adjust(true);
    hurry();
  };

  const tell = (state: FollowedMessage) => {
    const entry = entries.get(state.id);
    if (!entry || isSignedOut(entry)) return;
    // The update is late, the message was redriven, or the result is too large for an update: the next poll tells which.
    if (state.result === null || entry.known && isFinal(entry.known) && !isFinal(state)) {
      entry.pollAt = 0;
    } else {
      entry.toldAt = Date.now();
      take(entry, state, false);
      update(entry);
    }
    plan();
  };

  /** The server does not know the message: another user is signed in, it is finished, or it never was. */
  const miss = (entry: Entry, user: User): MessengerError | undefined => {
    if ((entry.owner ??= user) !== user) return signedOut();
    const type = types.get(`${entry.id} ${user}`);
    // A message that was dispatched with this client may be gone before the first poll of it.
    const last = entry.known ?? (type && {
      ...{ kind: "message", id: entry.id, type, cancelling: false, attempt: 0 },
      ...{ reason: null, availableAt: null, finishedAt: null, progress: null },
      createdAt: new Date().toJSON(),
    });
    if (!last) return unknownId("not_found");
    entry.known = { ...last, status: "not_remembered" } as FollowedState;
    return undefined;
  };

  const poll = async () => {
    polledAt = Date.now();
    // Those that are due later come along.
    const due = open.splice(0, MAX_IDS);
    live.adjust();
    const own = polling = new AbortController();
    const answer: Partial<FollowedMessages & MessengerError> = await statuses(
      ...[request, due.map((entry) => entry.id), { signal: own.signal }] as const,
    ).catch((error) => error);
    const { messages, code } = answer;
    const user = answer.missing?.[0] && await userOf(supabase) || undefined;
    if (own !== polling) return;
    polling = undefined;
    if (messages) {
      interrupt();
      // A wait that a server asked for may be longer than its limit lasts.
      notBefore = 0;
      for (const entry of due) {
        const state = messages.find((one) => one.id === entry.id);
        update(
          entry,
          state ? take(entry, state, entry.toldAt < polledAt) : miss(entry, user as User),
        );
      }
    } else if (
      code === "signed_out" ? failures < MAX_REFUSALS && session.get() !== null : answer.retryable
    ) {
      isCutOff = /^[ou]/.test(code as string);
      notBefore = Date.now() + retryDelay(failures++, answer.retryAfterMs);
    } else for (const entry of due) update(entry, answer as MessengerError);
    plan();
  };

  const used = createStore(0, () => {
    const stops = [
      session.subscribe(onUser),
      onPageEvent(onPage),
      live.subscribe(() => {
        const update = live.get();
        update ? tell(update) : hurry();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      interrupt();
    };
  });
  const add = (id: string) => {
    const entry: Entry = {
      ...{ id, owner: session.get(), changedAt: 0, toldAt: 0, pollAt: 0 },
      ...createStore(START, () => {
        const leave = used.subscribe(() => {});
        entries.set(id, entry);
        plan();
        return () => {
          entries.delete(id);
          leave();
          plan();
        };
      }),
    };
    return entry;
  };

  return {
    tell,
    observe: (id) => ({
      subscribe(listener) {
        const entry = entries.get(id) ?? add(id);
        // Frameworks expect no call while they subscribe.
        return entry.subscribe(listener, entry.get() !== START);
      },
      get: () => (entries.get(id)?.get() ?? START),
    }),
  };
}
