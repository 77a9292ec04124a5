/** The store of batches, as transports keep them. */

import type { BatchChunk, BatchResults, WrittenBatch } from "../message/dispatched-batch.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { CancelResult } from "./receiver.ts";

/** Keeps batches: their members, their counts, and the messages of their ends. */
export interface BatchStore {
  /**
   * Writes one numbered chunk of a batch, and seals the batch with the last one. A chunk that is there is not
   * written again.
   * @param limits rate limits that count the messages of a chunk that is written
   * @throws ConflictError if the batch's key stands for other content, or the batch is cancelled
   * @throws the errors of {@link send}
   */
  writeBatch(chunk: BatchChunk, limits?: readonly LimitedDispatch[]): Promise<WrittenBatch>;
  /**
   * Adds what has become of members to the counts of these batches, and dispatches what is due. Sweeps do the
   * same later.
   */
  foldBatches(ids: readonly string[]): Promise<void>;
  /**
   * Returns the state of a batch; null if it is unknown.
   * @param userId null, or the user who must have dispatched it
   */
  followBatch(id: string, userId?: string | null): Promise<FollowedBatch | null>;
  /**
   * Returns what has become of the members of a batch of one chunk, once it is finished.
   * @throws RangeError if the results have more than 1 MiB together
   */
  batchResults(id: string): Promise<BatchResults>;
  /**
   * Cancels a batch: it takes no further member, those that wait become dead letters, those that run are stopped.
   * @throws NotFoundError if it is unknown
   */
  cancelBatch(id: string): Promise<CancelResult>;
}
