/**
 * The state of a batch, as operators and the user who dispatched it see it. The function `dispatch` sends it, and
 * clients receive it; neither needs types of the other.
 */

/** The state of a batch. */
export interface FollowedBatch {
  /** Tells it from a message and from a schedule. */
  readonly kind: "batch";
  readonly id: string;
  readonly name: string;
  /**
   * `open`: not sealed. `running`: members wait or run. `cancelling`: they do, and are being cancelled. `handled`,
   * `failed`, `cancelled`: no member is left; all were handled, some are dead letters, or some were cancelled.
   */
  readonly status: "open" | "running" | "cancelling" | "handled" | "failed" | "cancelled";
  /** Types of its members, the first 1,000. */
  readonly types: readonly string[];
  readonly total: number;
  readonly handled: number;
  /** Members that are dead letters, or were removed as such. */
  readonly failed: number;
  /** Members that wait or run. */
  readonly pending: number;
  /** Moments are ISO 8601. */
  readonly createdAt: string;
  readonly sealedAt: string | null;
  /** When its first dead letter was counted. */
  readonly failedAt: string | null;
  /** When first no member was left. */
  readonly finishedAt: string | null;
  /** When all members were handled. */
  readonly succeededAt: string | null;
  readonly cancelledAt: string | null;
}

/** A page of a user's batches: answer of `GET /dispatch/batches`. The newest come first. */
export interface OwnBatches {
  readonly batches: readonly FollowedBatch[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}
