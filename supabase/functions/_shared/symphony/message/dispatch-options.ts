/** What a dispatch may choose beside the payload. */

import type { Duration } from "../runtime/duration.ts";
import type { Dedupe } from "./dedupe.ts";
import type { Stamps } from "./envelope.ts";

/** What a dispatch may choose; the definition's values hold for the rest. */
export interface DispatchOptions {
  /** Time until the message is due. */
  readonly delay?: Duration;
  /** When the message is due, instead of a delay. */
  readonly availableAt?: Date;
  readonly queue?: string;
  readonly priority?: number;
  /** How long the message matters: older, it goes to the dead letters unrun. */
  readonly ttl?: Duration;
  /** A repeat within 24 hours answers the first message's id. At most 255 characters. */
  readonly idempotencyKey?: string;
  /** Whose key it is; a user's id, or empty. */
  readonly idempotencyScope?: string;
  /** While it is held, a dispatch of the type with this key answers the first message's id. */
  readonly dedupeKey?: string;
  /** How long the key is held; the definition says it where absent. */
  readonly dedupe?: Dedupe;
  /** Messages of one queue with this key run one after another, in the order of their dispatch. */
  readonly groupKey?: string;
  readonly stamps?: Stamps;
}

/** A message by its type's name, as it comes from outside. */
export interface MessageInput {
  readonly type: string;
  readonly payload: unknown;
  readonly options?: DispatchOptions;
}
