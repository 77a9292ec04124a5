/** Options of a dispatch. */

import type { Duration } from "../runtime/duration.ts";
import type { Dedupe } from "./dedupe.ts";
import type { Stamps } from "./envelope.ts";

/** Options of a dispatch. The definition's values hold for options that are left out. */
export interface DispatchOptions {
  /** Time until the message is due. */
  readonly delay?: Duration;
  /** The moment when the message is due; cannot be combined with `delay`. */
  readonly availableAt?: Date;
  readonly queue?: string;
  /** Lane in the queue, in place of the one that the definition finds in the payload. */
  readonly lane?: string;
  readonly priority?: number;
  /** Time to live. An older message goes to the dead letters without an attempt. */
  readonly ttl?: Duration;
  /** A dispatch that repeats the key within 24 hours returns the first message's id. At most 255 characters. */
  readonly idempotencyKey?: string;
  /** Owner of the idempotency key: a user's id, or empty. */
  readonly idempotencyScope?: string;
  /** While the key is held, a dispatch of the same type and key returns the first message's id: see `dedupe`. */
  readonly dedupeKey?: string;
  /** How long the key is held, and which payload wins; default: the definition's `dedupe`. */
  readonly dedupe?: Dedupe;
  /** Messages of one queue with the same key run one after another, in the order of their dispatch. */
  readonly groupKey?: string;
  /** Transport that the message goes through, one of `config.transports` or `home`; default: that of its route. */
  readonly transport?: string;
  readonly stamps?: Stamps;
  /** Dispatched in the transaction that cancels the message. In SQL it is the stamp `onCancelled`. */
  readonly onCancelled?: { readonly type: string; readonly payload: unknown };
}

/** A message to dispatch, by its type's name. */
export interface MessageInput {
  readonly type: string;
  readonly payload: unknown;
  readonly options?: DispatchOptions;
}
