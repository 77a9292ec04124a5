/** Stamps of batches: those of their members, and those of the messages that they dispatch. */

/** The stamp of a member. */
export interface BatchStamp {
  /** Id of the batch. */
  readonly id: string;
  /** The member's place in the batch; the first is 1. */
  readonly nth: number;
  /** Whether what its handler returns is kept. */
  readonly keeps?: boolean;
}

/** The stamp of a message that a batch has dispatched at an event, with the counts at that moment. */
export interface BatchEventStamp {
  /** Id of the batch. */
  readonly id: string;
  readonly name: string;
  readonly event: "finished" | "succeeded" | "failed";
  readonly total: number;
  readonly handled: number;
  readonly failed: number;
}

/** Reads the stamp of a member; undefined for other messages, and for a stamp of the user's own of that name. */
export function batchStampOf(stamps: { readonly batch?: unknown }): BatchStamp | undefined {
  const { batch } = stamps;
  if (batch === undefined || typeof batch !== "object" || batch === null) return undefined;
  return "id" in batch && typeof batch.id === "string" && /^\d{1,18}$/.test(batch.id)
    ? batch as BatchStamp
    : undefined;
}
