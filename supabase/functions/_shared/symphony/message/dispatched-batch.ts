/** Batches: messages that are dispatched together, and whose end is told. */

import type { z } from "zod";
import type { DispatchOptions, MessageInput } from "./dispatch-options.ts";
import type { OutgoingMessage } from "./envelope.ts";

/** A message by its definition. */
export interface DefinedMessage {
  readonly definition: { readonly type: string; readonly schema: z.ZodType };
  readonly payload: unknown;
  readonly options?: DispatchOptions;
}

/** A member of a batch: a message by its type's name, or by its definition. */
export type BatchMember = MessageInput | DefinedMessage;

/** Options of a batch. */
export interface DispatchBatchOptions {
  /** A name for people, 1 to 255 characters. Several batches may have one name. */
  readonly name: string;
  /**
   * Identity of the batch: a call that repeats the key, such as one whose first run was killed, writes what is
   * missing and returns the same id. Held until 24 hours after the batch was sealed. Other content under the key
   * throws ConflictError. Without a key each call makes a batch of its own, except that an array which is given
   * again continues a batch of the same name and content that was left unsealed.
   */
  readonly idempotencyKey?: string;
  /** Dispatched once, when first no member waits or runs. Its handler finds the counts in `ctx.envelope.stamps.ofBatch`. */
  readonly onFinished?: BatchMember;
  /** Dispatched once, when all members are handled; possibly after a redrive. */
  readonly onSucceeded?: BatchMember;
  /** Dispatched once, at the first dead letter, unless the batch was cancelled before. */
  readonly onFailed?: BatchMember;
}

/** The part of a batch that every chunk carries, the same each time. */
export interface BatchHead {
  readonly name: string;
  readonly idempotencyKey?: string;
  /** Owner of the key: a user's id; empty for holders of a secret key. */
  readonly idempotencyScope?: string;
  /** The user who dispatches it, who may follow it. */
  readonly userId?: string;
  /** Whether that user is told of its counts over Realtime. */
  readonly live?: boolean;
  /** Id of the message whose handler waits for the batch. */
  readonly parentId?: string;
  /**
   * UUID of one call, with a key that is made of the content. Once the batch is sealed, a further call with the
   * same content makes a batch of its own.
   */
  readonly call?: string;
  /** Whether what the handlers of its members return is kept. */
  readonly keepsResults?: boolean;
  readonly onFinished?: OutgoingMessage;
  readonly onSucceeded?: OutgoingMessage;
  readonly onFailed?: OutgoingMessage;
}

/** The largest number of messages in one chunk. */
export const MAX_CHUNK_MESSAGES = 1_000;

/** One numbered chunk of a batch. */
export interface BatchChunk {
  readonly head: BatchHead;
  /** At most {@link MAX_CHUNK_MESSAGES}. */
  readonly messages: readonly OutgoingMessage[];
  /** Number of the chunk; the first is 1. */
  readonly chunk: number;
  /** Whether it is the last one, which seals the batch. */
  readonly isLast: boolean;
}

/** The answer to a chunk. */
export interface WrittenBatch {
  /** Id of the batch. */
  readonly id: string;
  /** Its members so far. */
  readonly total: number;
  readonly sealed: boolean;
}

/** The fate of one member. */
export interface MemberResult {
  readonly id: string;
  /** `missing`: it is no longer known. */
  readonly status: "handled" | "failed" | "cancelled" | "missing";
  /** The value that its handler returned; null if it returned nothing, or was not handled. */
  readonly result: unknown;
  /** Why it is a dead letter; null if it is none. */
  readonly reason: string | null;
  /** Text of its last error. */
  readonly error: string | null;
}

/** The results of a batch whose end a handler waits for. */
export interface BatchResults {
  /** Whether there is such a batch. */
  readonly known: boolean;
  readonly finished: boolean;
  /** Once it is finished: its members, in order. */
  readonly results?: readonly MemberResult[];
}
