/**
 * Dispatches what a user wants dispatched once, however often the button is clicked: one idempotency key
 * from the first try to the success.
 */

import type { DispatchOptions } from "../dispatch.ts";
import type { MessengerError } from "../errors.ts";
import type { Job } from "../job.ts";
import type { Abortable } from "../request.ts";
import type { Messenger } from "./messenger.ts";
import { createStore, type Store } from "../store.ts";

/** Options of a dispatch. */
export type IntentOptions = DispatchOptions & Abortable;

/** Where a dispatch stands. */
export interface DispatchState {
  /** Whether an answer is awaited. */
  readonly isPending: boolean;
  /** Why the last try failed; undefined while another one is under way. */
  readonly error: MessengerError | undefined;
  /** The dispatched message. */
  readonly job: Job | undefined;
}

/** The dispatches of one component, one after the other. */
export interface Intent extends Pick<Store<DispatchState>, "get" | "subscribe"> {
  /**
   * Dispatches a message. While the same one is being dispatched, it returns that promise. After a failure
   * the same payload and options have the same key, so that a lost answer does not make two messages.
   */
  dispatch(payload: unknown, options?: IntentOptions): Promise<Job>;
  /** Tells that something else failed, or with undefined that it did not. */
  fail(error: MessengerError | undefined): void;
  /** Forgets the key and the state. A request that is under way may still take effect. */
  reset(): void;
}

const IDLE = { isPending: false } as DispatchState;

/** @param onDispatched is called with each message that was dispatched and not reset meanwhile */
export function createIntent(
  client: Messenger,
  type: string,
  onDispatched: (job: Job) => void,
): Intent {
  let content: string | undefined;
  let idempotencyKey: string | undefined;
  let pending: Promise<Job> | undefined;
  const store = createStore(IDLE);
  const begin = (next?: string) => content = (idempotencyKey = pending = undefined, next);
  return {
    ...store,
    reset() {
      begin();
      store.put(IDLE);
    },
    fail: (error) => store.put({ ...store.get(), error }),
    dispatch(payload, options) {
      const given = contentOf(payload, options);
      if (given !== content) begin(given);
      if (pending) return pending;
      const key = idempotencyKey && { idempotencyKey };
      const promise = pending = client.dispatch(type, payload, { ...key, ...options });
      store.put({ ...IDLE, isPending: true });
      promise.then((job) => {
        if (pending !== promise) return;
        begin();
        store.put({ ...IDLE, job });
        onDispatched(job);
      }, (error) => {
        if (pending !== promise) return;
        pending = undefined;
        // The client makes a key where the caller may give one, and tells the key of what failed.
        idempotencyKey = error?.idempotencyKey ?? idempotencyKey;
        // The caller who aborts knows the reason.
        store.put(options?.signal?.aborted ? IDLE : { ...IDLE, error });
      });
      return promise;
    },
  };
}

/** A text that is equal for equal messages; undefined if there is no JSON, which the client refuses. */
function contentOf(payload: unknown, options: IntentOptions = {}): string | undefined {
  const { signal: _, idempotencyKey: _given, ...rest } = options;
  try {
    return JSON.stringify([payload, rest]);
  } catch {
    return undefined;
  }
}
