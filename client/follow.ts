/** Follows a message to its end, as an iterator over its states. */

import { type Entry, type FollowedState, isFinal } from "./entry.ts";
import type { Looks } from "./looks.ts";
import type { Abortable } from "./request.ts";

/**
 * The states of a message, each once: `for await (const { status } of messenger.follow(id))`. The loop ends after
 * `handled`, `failed`, `cancelled` or `not_remembered`; it throws a MessengerError, or the signal's reason.
 */
export interface MessageStates extends AsyncIterable<FollowedState> {
  next(): Promise<IteratorResult<FollowedState, undefined>>;
  /** Ends it at once, also while a state is waited for. */
  return(): Promise<IteratorResult<FollowedState, undefined>>;
  [Symbol.asyncIterator](): MessageStates;
}

type Step = IteratorResult<FollowedState, undefined>;

interface Waiting {
  readonly resolve: (step: Step) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: Step = { done: true, value: undefined };

/**
 * A generator cannot be ended while it waits, so this is none.
 */
class States implements MessageStates {
  readonly #looks: Looks;
  readonly #id: string;
  readonly #signal: AbortSignal | undefined;
  /** States that were not asked for yet. */
  readonly #states: FollowedState[] = [];
  readonly #waiting: Waiting[] = [];
  #last: FollowedState | undefined;
  #stop: (() => void) | undefined;
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(looks: Looks, id: string, signal: AbortSignal | undefined) {
    this.#looks = looks;
    this.#id = id;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (!this.#stop && !this.#isOver) this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  return(): Promise<Step> {
    this.#states.length = 0;
    this.#end();
    return Promise.resolve(DONE);
  }

  #start(): void {
    const onAbort = () => this.#fail(this.#signal?.reason);
    this.#signal?.addEventListener("abort", onAbort);
    let stop = () => {};
    this.#stop = () => {
      stop();
      this.#signal?.removeEventListener("abort", onAbort);
    };
    if (this.#signal?.aborted) return onAbort();
    stop = this.#looks.watch(this.#id, (entry) => this.#see(entry));
    // The first state may have been the last.
    if (this.#isOver) stop();
  }

  #see({ state, error }: Entry): void {
    if (this.#isOver) return;
    if (error) return this.#fail(error);
    if (!state || state === this.#last) return;
    const waiting = this.#states.at(-1);
    // A slow reader gets the latest progress only.
    const isProgress = waiting?.status === state.status && waiting.attempt === state.attempt;
    if (isProgress) this.#states.pop();
    this.#states.push(this.#last = state);
    if (isFinal(state)) this.#end();
    else this.#serve();
  }

  #fail(reason: unknown): void {
    this.#states.length = 0;
    this.#failure ??= { reason };
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#stop?.();
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const value = this.#states.shift();
      if (!value && !this.#isOver) return;
      const { resolve, reject } = this.#waiting.shift() as Waiting;
      if (value) resolve({ done: false, value });
      else if (this.#failure) reject(this.#failure.reason);
      else resolve(DONE);
      if (!value) this.#failure = undefined;
    }
  }
}

/** Follows a message. Nothing happens before the first state is asked for. */
export function follow(looks: Looks, id: string, { signal }: Abortable = {}): MessageStates {
  return new States(looks, id, signal);
}

/** Waits for the end of a message and returns its last state. */
export async function finished(
  looks: Looks,
  id: string,
  options?: Abortable,
): Promise<FollowedState> {
  let last: FollowedState | undefined;
  for await (last of follow(looks, id, options));
  return last as FollowedState;
}
