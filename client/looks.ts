/** Looks at all messages that a client follows: one request for those that are due. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import {
  type Connection,
  type Entry,
  isFinal,
  isSettled,
  type Looks,
  newEntry,
  START,
  take,
} from "./entry.ts";
import { isOffline, type MessengerError, signedOut, unknownId } from "./errors.ts";
import type { LiveUpdates } from "./live.ts";
import { MAX_IDS, statuses } from "./own.ts";
import type { Requester } from "./request.ts";
import { type Session, userOf } from "./session.ts";
import type { FunctionsLike } from "./supabase.ts";
import { onPageEvent } from "./surroundings.ts";
import { dueAtOf, lookDelay, MAX_LOOK_MS, retryDelay } from "./times.ts";

/** How often a refused token is tried again while a user is signed in: it may just be renewed. */
const MAX_REFUSALS = 2;
/** Longest wait for a timer, in ms: the page's clock may be set back, and a server may ask for a year. */
const MAX_TIMER_MS = 60_000;
/** Events of the page may come in a row. */
const JUST_NOW_MS = 1_000;

/**
 * Makes the looks of a client. It is one closure and not a class, because minifiers shorten the names of variables
 * and not those of properties.
 * @param typeOf returns the type of a message that the user has dispatched with this client; undefined for others
 * @param findLive returns the live updates; undefined if they are off
 */
export function looksOf(
  supabase: FunctionsLike,
  request: Requester,
  session: Session,
  typeOf: (id: string, user: string | null | undefined) => string | undefined,
  findLive: () => LiveUpdates | undefined,
): Looks {
  const entries = new Map<string, Entry>();
  let live: LiveUpdates | undefined;
  let stops: ((() => void) | undefined)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer ends; Infinity without one. */
  let plannedAt = Infinity;
  /** Ends the look that is under way. */
  let looking: AbortController | undefined;
  /** How many are looked at. */
  let active = 0;
  /** How far the page's clock is behind the server's at least, in ms. */
  let behindMs = 0;
  let notBefore = 0;
  let failures = 0;
  let isCutOff = false;

  const isSignedOut = ({ error }: Entry) => error?.code === "signed_out";

  const connectionOf = (entry: Entry): Connection =>
    isSignedOut(entry)
      ? "signed_out"
      : isCutOff || isOffline()
      ? "offline"
      : live?.isOn()
      ? "live"
      : entry.state
      ? "polling"
      : "connecting";

  const planFor = (moment: number) => {
    if (moment >= plannedAt || looking) return;
    plannedAt = moment;
    clearTimeout(timer);
    timer = setTimeout(
      look,
      Math.min(Math.max(0, moment - Date.now(), notBefore - Date.now()), MAX_TIMER_MS),
    );
  };
  const plan = () => {
    plannedAt = Infinity;
    clearTimeout(timer);
    active = 0;
    for (const { lookAt } of entries.values()) {
      planFor(lookAt);
      if (lookAt < Infinity) active++;
    }
  };
  const interrupt = () => {
    looking?.abort();
    looking = undefined;
    failures = notBefore = 0;
    isCutOff = false;
  };

  /** Decides when to look at a message again. */
  const setLookAt = (entry: Entry) => {
    const { state, error } = entry;
    const now = Date.now();
    const user = session.get();
    if (state) behindMs = Math.max(behindMs, Date.parse(state.createdAt) - now);
    const dueAt = state ? dueAtOf(state) - behindMs : 0;
    // The clock may be set back.
    entry.changedAt = Math.min(entry.changedAt, now);
    // Observers of a message outlast a failure that an operator can end, and a token that is refused while its
    // user is signed in. Apps with tokens of their own have no user here.
    const mayPass = error?.code === "internal" ||
      isSignedOut(entry) && user !== null && user === entry.user;
    const isOver = error || state && isSettled(state);
    entry.lookAt = now + (mayPass ? MAX_LOOK_MS : isOver ? Infinity : lookDelay({
      dueInMs: dueAt - now,
      quietMs: now - Math.max(entry.changedAt, dueAt),
      requests: Math.ceil(active / MAX_IDS),
      isQuiet: state && isFinal(state) || live?.tells(state?.type),
    }));
    planFor(entry.lookAt);
  };
  const changed = (entry: Entry) => {
    setLookAt(entry);
    const { state: message, error } = entry;
    entry.set({ message, error, connection: connectionOf(entry) });
  };
  const fail = (entry: Entry, error: MessengerError) => {
    entry.error = error;
    // Another user must not see it.
    if (isSignedOut(entry)) entry.state = undefined;
    changed(entry);
  };
  /** Tells those who see the connection that it has changed. */
  const showConnection = () => {
    for (const entry of [...entries.values()]) {
      if (entry.get().connection !== connectionOf(entry)) changed(entry);
    }
  };
  /** Looks at once at all that is not final and was not looked at just now. */
  const hurry = () => {
    showConnection();
    for (const entry of entries.values()) {
      if (entry.lookAt < Infinity) {
        entry.lookAt = Math.min(entry.lookAt, entry.lookedAt + JUST_NOW_MS);
      }
    }
    plan();
  };

  const onUser = () => {
    const current = session.get() ?? undefined;
    live?.adjust(true);
    for (const entry of [...entries.values()]) {
      entry.user ??= current;
      if (entry.user !== current) {
        interrupt();
        fail(entry, signedOut());
      } else if (current && isSignedOut(entry)) {
        entry.error = undefined;
        changed(entry);
      }
    }
    hurry();
  };
  const onPage = (type: string) => {
    if (type === "offline") return showConnection();
    // A look from before a sleep is not going to be answered.
    interrupt();
    if (!live?.isOn()) live?.adjust(true);
    hurry();
  };

  const tell = (state: FollowedMessage) => {
    const entry = entries.get(state.id);
    if (!entry || isSignedOut(entry)) return;
    // It comes late, the message was redriven, or the result is too large for an update. A look tells.
    if (state.result === null || entry.state && isFinal(entry.state) && !isFinal(state)) {
      return planFor(entry.lookAt = Date.now());
    }
    entry.toldAt = Date.now();
    if (take(entry, state, false)) changed(entry);
  };

  /** The server does not know the message: another user is signed in, it is finished, or it never was. */
  const miss = (entry: Entry, current: string | undefined) => {
    entry.user ??= current;
    if (entry.user !== current) return fail(entry, signedOut());
    const type = typeOf(entry.id, current);
    const last = entry.state ?? (type && unseen(entry.id, type));
    if (!last) return fail(entry, unknownId("not_found"));
    entry.state = { ...last, status: "not_remembered" };
    changed(entry);
  };

  async function look(): Promise<void> {
    const askedAt = Date.now();
    // Those that are due soon come along.
    const due = [...entries.values()]
      .filter(({ lookAt, lookedAt }) =>
        lookedAt > askedAt || lookAt - (lookAt - lookedAt) / 4 <= askedAt
      )
      .sort((one, other) => one.lookAt - other.lookAt).slice(0, MAX_IDS);
    if (!live?.isOn()) live?.adjust();
    const { signal } = looking = new AbortController();
    try {
      const { messages, missing } = await statuses(
        ...[request, due.map(({ id }) => id), { signal }, "never"] as const,
      );
      const current = missing[0] && await userOf(supabase) || undefined;
      if (signal.aborted) return;
      failures = notBefore = 0;
      isCutOff = false;
      for (const entry of due) {
        const state = messages.find(({ id }) => id === entry.id);
        entry.lookedAt = Date.now();
        if (!state) miss(entry, current);
        else if (take(entry, state, entry.toldAt < askedAt)) changed(entry);
        else setLookAt(entry);
      }
    } catch (error) {
      const { code, retryable, retryAfterMs } = error as MessengerError;
      const mayPass = code === "signed_out"
        ? failures < MAX_REFUSALS && await userOf(supabase) !== null
        : retryable;
      if (signal.aborted) return;
      if (mayPass) {
        isCutOff = retryable && code !== "rate_limited";
        notBefore = Date.now() + retryDelay(failures++, retryAfterMs, Math.random());
      } else for (const entry of due) fail(entry, error as MessengerError);
    }
    looking = undefined;
    showConnection();
    plan();
  }

  const start = () => {
    live = findLive();
    stops = [
      session.subscribe(onUser),
      onPageEvent(onPage),
      live?.subscribe(() => {
        const update = live?.get();
        update ? tell(update) : hurry();
      }),
    ];
  };
  const stop = () => {
    for (const stop of stops) stop?.();
    interrupt();
    plan();
  };
  const add = (id: string) => {
    const entry = newEntry(id, session.get() ?? undefined, () => {
      if (entries.size === 0) start();
      entries.set(id, entry);
      planFor(entry.lookAt);
      return () => {
        entries.delete(id);
        if (entries.size === 0) stop();
      };
    });
    return entry;
  };

  return {
    tell,
    view: (id) => (entries.get(id)?.get() ?? START),
    watch(id, listener) {
      const entry = entries.get(id) ?? add(id);
      let isOver = false;
      const own = () => isOver || listener(entry);
      const stop = entry.subscribe(own);
      // Frameworks expect no call while they subscribe.
      if (entry.state || entry.error) queueMicrotask(own);
      return () => {
        isOver = true;
        stop();
      };
    },
  };
}

/** The state of a message that was dispatched with this client, and gone before the first look at it. */
function unseen(id: string, type: string): FollowedMessage {
  return {
    ...{ kind: "message", id, type, status: "pending", cancelling: false, attempt: 0 },
    ...{ reason: null, availableAt: null, finishedAt: null, progress: null },
    createdAt: new Date().toISOString(),
  };
}
