/** Looks at all messages that a client follows: one request for those that are due. */

import type {
  FollowedMessage,
  FollowedMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import { type Connection, type Entry, isFinal, type MessageView, newEntry, take } from "./entry.ts";
import { isMessengerError, isOffline, MessengerError, signedOut } from "./errors.ts";
import type { LiveUpdates } from "./live.ts";
import type { Session } from "./session.ts";
import { onPageEvent } from "./surroundings.ts";
import { dueAtOf, lookDelay, MAX_LOOK_MS, retryDelay, spread } from "./times.ts";

/** The parts of a client that looks use. */
export interface LooksDeps {
  readonly session: Session;
  /** Asks the server for the states of up to 100 messages. */
  readonly ask: (ids: readonly string[], signal: AbortSignal) => Promise<FollowedMessages>;
  /** The signed-in user; null without one, undefined for clients without sessions. */
  readonly user: () => Promise<string | null | undefined>;
  /** Returns the type of a message that the user has dispatched with this client; undefined for others. */
  readonly dispatched: (id: string, user: string | undefined) => string | undefined;
  /** Live updates; undefined if they are off. */
  readonly live: () => LiveUpdates | undefined;
  readonly insists: boolean;
}

/** Largest number of ids in a request. */
const MAX_IDS = 100;
/** How often a refused token is tried again while a user is signed in: it may just be renewed. */
const MAX_REFUSALS = 2;
const START: MessageView = { message: undefined, error: undefined, connection: "connecting" };

/** Every followed message of a client. Nothing is open and no timer runs while there is none. */
export class Looks {
  readonly #deps: LooksDeps;
  readonly #entries = new Map<string, Entry>();
  #live: LiveUpdates | undefined;
  #stops: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer ends; Infinity without one. */
  #plannedAt = Infinity;
  /** Ends the look that is under way. */
  #looking: AbortController | undefined;
  #notBefore = 0;
  #failures = 0;
  #refusals = 0;
  #isCutOff = false;

  constructor(deps: LooksDeps) {
    this.#deps = deps;
  }

  /** Follows a message: calls the listener after each change. Returns the function that ends it. */
  watch(id: string, listener: (entry: Entry) => void): () => void {
    if (this.#entries.size === 0) this.#start();
    const { user } = this.#deps.session;
    const entry = this.#entries.get(id) ?? newEntry(id, user ?? undefined, Date.now());
    this.#entries.set(id, entry);
    const own = (entry: Entry) => listener(entry);
    entry.listeners.add(own);
    if (entry.state || entry.error) own(entry);
    this.#planFor(entry.lookAt);
    return () => {
      if (!entry.listeners.delete(own) || entry.listeners.size > 0) return;
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      if (this.#entries.size === 0) this.#stop();
    };
  }

  /** Returns what is known of a message: the same object until something changes. */
  view(id: string): MessageView {
    const entry = this.#entries.get(id);
    if (!entry) return START;
    const { state: message, error } = entry;
    return entry.view ??= { message, error, connection: this.#connection(entry) };
  }

  /** Takes in a state that another request was answered with. */
  tell(state: FollowedMessage): void {
    const entry = this.#entries.get(state.id);
    if (entry && take(entry, state, Date.now(), false)) this.#changed(entry);
  }

  #start(): void {
    const { session, live, insists } = this.#deps;
    this.#live = live();
    this.#stops = [
      session.subscribe(() => this.#onUser()),
      onPageEvent((event) => this.#onPage(event.type)),
      this.#live?.listen({ insists, tell: (update) => this.#onUpdate(update) }) ?? (() => {}),
    ];
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
    this.#interrupt();
    clearTimeout(this.#timer);
    this.#plannedAt = Infinity;
    this.#failures = this.#refusals = this.#notBefore = 0;
    this.#isCutOff = false;
  }

  #interrupt(): void {
    this.#looking?.abort();
    this.#looking = undefined;
  }

  #connection(entry: Entry): Connection {
    if (entry.error?.code === "signed_out") return "signed_out";
    if (this.#isCutOff || isOffline()) return "offline";
    return this.#live?.isOn ? "live" : entry.state ? "polling" : "connecting";
  }

  #changed(entry: Entry): void {
    const { state, error } = entry;
    entry.view = undefined;
    if (state && isFinal(state) || error) entry.lookAt = this.#retryAt(error);
    for (const listener of [...entry.listeners]) listener(entry);
  }

  /** Observers of a message outlast a failure that an operator can end. */
  #retryAt(error: MessengerError | undefined): number {
    const mayPass = error?.code === "internal" ||
      error?.code === "signed_out" && this.#deps.session.user === undefined;
    return mayPass ? Date.now() + MAX_LOOK_MS : Infinity;
  }

  /** Tells those who see the connection that it has changed. */
  #showConnection(): void {
    for (const entry of [...this.#entries.values()]) {
      const isSeen = entry.view && entry.view.connection !== this.#connection(entry);
      if (isSeen) this.#changed(entry);
    }
  }

  #fail(entry: Entry, error: MessengerError): void {
    entry.error = error;
    if (error.code === "signed_out") entry.state = undefined;
    this.#changed(entry);
  }

  #onUser(): void {
    const user = this.#deps.session.user ?? undefined;
    this.#interrupt();
    this.#live?.adjust(true);
    for (const entry of [...this.#entries.values()]) {
      entry.user ??= user;
      if (entry.user !== user) this.#fail(entry, signedOut());
      else if (user && entry.error?.code === "signed_out") {
        entry.error = undefined;
        entry.lookAt = 0;
        this.#changed(entry);
      }
    }
    this.#plan();
  }

  #onPage(type: string): void {
    const isHidden = (globalThis as { document?: { hidden?: boolean } }).document?.hidden;
    if (type !== "offline" && !isHidden) {
      // A look from before a sleep is not going to be answered.
      this.#interrupt();
      this.#failures = this.#notBefore = 0;
      this.#live?.adjust(!this.#live.isOn);
      this.#hurry();
    }
    this.#showConnection();
  }

  #onUpdate(update: FollowedMessage | null): void {
    if (!update) {
      this.#hurry();
      return this.#showConnection();
    }
    const entry = this.#entries.get(update.id);
    if (!entry || entry.error?.code === "signed_out") return;
    const now = Date.now();
    entry.toldAt = now;
    if (!take(entry, update, now, false)) return;
    entry.lookAt = now + this.#delay(entry, now);
    this.#changed(entry);
    this.#planFor(entry.lookAt);
  }

  /** Looks at once at all that is not final. */
  #hurry(): void {
    for (const entry of this.#entries.values()) {
      if (entry.lookAt < Infinity) entry.lookAt = Math.min(entry.lookAt, Date.now());
    }
    this.#plan();
  }

  #delay({ state, changedAt }: Entry, now: number): number {
    const dueAt = state && state.status !== "not_remembered" ? dueAtOf(state) : 0;
    return lookDelay({
      dueInMs: dueAt - now,
      quietMs: now - Math.max(changedAt, dueAt),
      requests: Math.ceil(this.#entries.size / MAX_IDS),
      isLive: this.#live?.tells(state?.type) ?? false,
    });
  }

  #plan(): void {
    let next = Infinity;
    for (const { lookAt } of this.#entries.values()) next = Math.min(next, lookAt);
    this.#plannedAt = Infinity;
    clearTimeout(this.#timer);
    this.#planFor(next);
  }

  #planFor(moment: number): void {
    if (moment >= this.#plannedAt || this.#looking) return;
    this.#plannedAt = moment;
    clearTimeout(this.#timer);
    const ms = Math.max(moment, this.#notBefore) - Date.now();
    this.#timer = setTimeout(() => this.#look(), Math.max(ms, 0));
  }

  async #look(): Promise<void> {
    this.#plannedAt = Infinity;
    const now = Date.now();
    // Those that are due soon come along.
    const isDue = ({ lookAt, lookedAt }: Entry) => lookAt - (lookAt - lookedAt) / 4 <= now;
    const due = [...this.#entries.values()].filter(isDue)
      .sort((one, other) => one.lookAt - other.lookAt).slice(0, MAX_IDS);
    if (due.length === 0) return this.#plan();
    if (!this.#live?.isOn) this.#live?.adjust();
    const { signal } = this.#looking = new AbortController();
    try {
      const answer = await this.#deps.ask(due.map(({ id }) => id), signal);
      const user = answer.missing.length > 0 ? await this.#deps.user() : undefined;
      if (!signal.aborted) this.#take(due, answer, user ?? undefined, now);
    } catch (error) {
      if (!signal.aborted) await this.#onFailure(due, error, signal);
    }
    if (signal.aborted) return;
    this.#looking = undefined;
    this.#plan();
  }

  #take(
    due: readonly Entry[],
    { messages }: FollowedMessages,
    user: string | undefined,
    askedAt: number,
  ): void {
    this.#failures = this.#refusals = this.#notBefore = 0;
    this.#isCutOff = false;
    const now = Date.now();
    const states = new Map(messages.map((state) => [state.id, state]));
    for (const entry of due) {
      const state = states.get(entry.id);
      entry.lookedAt = now;
      const isChanged = state
        ? take(entry, state, now, entry.toldAt < askedAt)
        : this.#miss(entry, user, now);
      entry.lookAt = now + this.#delay(entry, now);
      if (isChanged) this.#changed(entry);
    }
    this.#showConnection();
  }

  /** The server does not know the message: another user is signed in, it is finished, or it never was. */
  #miss(entry: Entry, user: string | undefined, now: number): true {
    entry.user ??= user;
    const type = this.#deps.dispatched(entry.id, user);
    const last = entry.state ?? (type === undefined ? undefined : unseen(entry.id, type, now));
    if (entry.user !== user) entry.error = signedOut();
    else if (last) entry.state = { ...last, status: "not_remembered" };
    else entry.error = new MessengerError(NOT_FOUND, "not_found", { status: 404 });
    if (entry.error?.code === "signed_out") entry.state = undefined;
    return true;
  }

  async #onFailure(due: readonly Entry[], error: unknown, signal: AbortSignal): Promise<void> {
    const problem = isMessengerError(error)
      ? error
      : new MessengerError(String(error), "internal", { cause: error });
    let mayPass = problem.retryable;
    if (problem.code === "signed_out") {
      mayPass = await this.#deps.user() !== null && this.#refusals++ < MAX_REFUSALS;
      if (signal.aborted) return;
    } else if (problem.code !== "rate_limited") this.#isCutOff = mayPass;
    if (!mayPass) { for (const entry of due) this.#fail(entry, problem); }
    const { retryAfterMs } = problem;
    const random = Math.random();
    this.#notBefore = !mayPass
      ? 0
      : Date.now() + (retryAfterMs === undefined
        ? retryDelay(this.#failures++, random)
        : spread(retryAfterMs, random));
    this.#showConnection();
  }
}

const NOT_FOUND = "id: there is no message of yours with this id";

/** The state of a message that was dispatched with this client, and gone before the first look at it. */
function unseen(id: string, type: string, now: number): FollowedMessage {
  return {
    ...{
      kind: "message",
      id,
      type,
      status: "pending",
      cancelling: false,
      reason: null,
      attempt: 0,
    },
    ...{ createdAt: new Date(now).toISOString(), availableAt: null, finishedAt: null },
    progress: null,
  };
}
