/** Batches of the transport in memory: what their members have come to, and what they dispatch at their end. */

import { type BatchEventStamp, batchStampOf } from "../message/batch-stamps.ts";
import {
  type BatchChunk,
  type BatchHead,
  type BatchResults,
  MAX_CHUNK_MESSAGES,
  type MemberResult,
  type WrittenBatch,
} from "../message/dispatched-batch.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import { NotFoundError } from "../message/errors.ts";
import { checkChunk } from "./memory-checks.ts";

const KEY_MS = 24 * 60 * 60 * 1000;

/** A batch with its chunks. */
interface MemoryBatch {
  readonly id: string;
  readonly head: BatchHead;
  readonly content: string;
  /** The content of each chunk. */
  readonly chunks: string[];
  readonly ids: string[];
  readonly types: Set<string>;
  readonly at: Partial<Record<BatchMoment, number>>;
  readonly createdAt: number;
  total: number;
  handled: number;
  failed: number;
  /** Something has become of its members since the last fold. */
  isDue: boolean;
  /** A member has become a dead letter. */
  hasFailed: boolean;
  /** The message that waits for it was woken, or is no more. */
  isTaken: boolean;
  /** From this moment on its key is free. */
  keyUntil: number;
  /** The call that sealed it, of a key that is made of the content. */
  sealedBy?: string | undefined;
}

type BatchMoment = "sealed" | "failed" | "finished" | "succeeded" | "cancelled";

const EVENTS = [
  ["failed", "onFailed"],
  ["finished", "onFinished"],
  ["succeeded", "onSucceeded"],
] as const;

/** The parts of the transport that batches need. */
export interface BatchStore {
  /** In ms since 1970. */
  now(): number;
  enqueue(messages: readonly OutgoingMessage[]): string[];
  /** The stamps of a message that waits or runs; undefined if it does neither. */
  stampsOf(id: string): Stamps | undefined;
  /** Makes a message due that is parked. Returns false if it still runs. */
  wake(id: string): boolean;
  /** Cancels messages. */
  cancel(ids: readonly string[]): { cancelled: number; running: number };
}

/** The batches of one transport. */
export class MemoryBatches {
  readonly #batches = new Map<string, MemoryBatch>();
  readonly #store: BatchStore;
  #nextId = 1;

  constructor(store: BatchStore) {
    this.#store = store;
  }

  /** Writes one chunk, unless it is there. @throws ConflictError if the key stands for other content */
  write({ head, messages, chunk, isLast }: BatchChunk, count: () => void): WrittenBatch {
    if (messages.length > MAX_CHUNK_MESSAGES) {
      throw new RangeError(
        `messages: has to be an array of at most ${MAX_CHUNK_MESSAGES} messages`,
      );
    }
    if (head.idempotencyKey === undefined && (chunk > 1 || !isLast)) {
      throw new RangeError("idempotency_key: is required for a batch of several chunks");
    }
    const known = this.#known(head);
    const content = JSON.stringify(messages.map(({ stamps: _, ...rest }) => rest));
    const batch = known ?? this.#make(head);
    checkChunk(batch, { chunk, content, isLast, isOther: batch.content !== contentOf(head) });
    if (batch.chunks.length < chunk) {
      count();
      this.#add(batch, messages, chunk, content);
    }
    this.#batches.set(batch.id, batch);
    if (isLast && batch.at.sealed === undefined) {
      batch.sealedBy = head.call;
      this.#seal(batch);
    }
    return { id: batch.id, total: batch.total, sealed: batch.at.sealed !== undefined };
  }

  /** A message is handled (reason null) or has become a dead letter. */
  finished(stamps: Stamps, reason: string | null): void {
    const batch = this.#of(stamps);
    if (!batch) return;
    if (reason === null) batch.handled++;
    else {
      batch.failed++;
      batch.hasFailed = true;
    }
    batch.isDue = true;
  }

  /** A dead letter was put back. */
  redriven(stamps: Stamps): void {
    const batch = this.#of(stamps);
    if (!batch) return;
    batch.failed--;
    batch.isDue = true;
  }

  /** Dispatches what is due: of these batches, or of all. */
  fold(ids: Iterable<string> = this.#batches.keys()): void {
    for (const id of [...ids]) {
      const batch = this.#batches.get(id);
      if (batch?.isDue) this.#tell(batch);
      if (batch?.at.finished !== undefined && batch.head.parentId !== undefined && !batch.isTaken) {
        batch.isTaken = this.#store.wake(batch.head.parentId);
      }
    }
  }

  /** The state of a batch; null if it is unknown, or not of this user. */
  follow(id: string, userId: string | null): FollowedBatch | null {
    const batch = this.#batches.get(id);
    return batch && (userId === null || batch.head.userId === userId) ? stateOf(batch) : null;
  }

  /** The members of a finished batch. @param memberOf what has become of a message that is finished */
  results(id: string, memberOf: (id: string) => MemberResult): BatchResults {
    const batch = this.#batches.get(id);
    if (batch?.at.finished === undefined) return { known: batch !== undefined, finished: false };
    return { known: true, finished: true, results: batch.ids.map(memberOf) };
  }

  /** Cancels a batch and its members. @throws NotFoundError */
  cancel(id: string): { cancelled: number; running: number } {
    const batch = this.#batches.get(id);
    if (!batch) throw new NotFoundError(`id: no batch ${id}`);
    batch.at.cancelled ??= this.#store.now();
    this.#seal(batch);
    const result = this.#store.cancel(batch.ids);
    this.fold([id]);
    return result;
  }

  /** Cancels the batches that a message waits for. */
  cancelOf(parentId: string): void {
    for (const { id, head, at } of this.#batches.values()) {
      if (head.parentId === parentId && at.finished === undefined) this.cancel(id);
    }
  }

  #of(stamps: Stamps): MemoryBatch | undefined {
    const stamp = batchStampOf(stamps);
    return stamp && this.#batches.get(stamp.id);
  }

  #known({ idempotencyKey, idempotencyScope = "", call }: BatchHead): MemoryBatch | undefined {
    if (idempotencyKey === undefined) return undefined;
    return this.#batches.values().find(({ head, keyUntil, at, sealedBy }) =>
      head.idempotencyKey === idempotencyKey &&
      (head.idempotencyScope ?? "") === idempotencyScope &&
      keyUntil > this.#store.now() &&
      (call === undefined || at.sealed === undefined || sealedBy === call)
    );
  }

  #make(head: BatchHead): MemoryBatch {
    return {
      ...{
        id: String(this.#nextId++),
        head,
        content: contentOf(head),
        createdAt: this.#store.now(),
      },
      ...{ chunks: [], ids: [], types: new Set(), at: {}, keyUntil: Infinity },
      ...{ total: 0, handled: 0, failed: 0, isDue: false, hasFailed: false, isTaken: false },
    };
  }

  #add(
    batch: MemoryBatch,
    messages: readonly OutgoingMessage[],
    chunk: number,
    content: string,
  ): void {
    const before = (chunk - 1) * MAX_CHUNK_MESSAGES;
    const keeps = batch.head.keepsResults === true;
    const ids = this.#store.enqueue(messages.map((message, index) => ({
      ...message,
      stamps: {
        ...message.stamps,
        batch: { id: batch.id, nth: before + index + 1, ...(keeps && { keeps }) },
      },
    })));
    batch.chunks.push(content);
    // A member of an earlier chunk, whose key this one has, is counted with that one.
    const own = new Set(ids.filter((id) => {
      const stamp = batchStampOf(this.#store.stampsOf(id) ?? {});
      return stamp?.id === batch.id && stamp.nth > before;
    }));
    batch.ids.push(...own);
    batch.total += own.size;
    for (const { type } of messages) batch.types.add(type);
  }

  #seal(batch: MemoryBatch): void {
    if (batch.at.sealed !== undefined) return;
    batch.at.sealed = this.#store.now();
    batch.keyUntil = batch.at.sealed + KEY_MS;
    this.#tell(batch);
  }

  #tell(batch: MemoryBatch): void {
    batch.isDue = false;
    const { at, head } = batch;
    const isSealed = at.sealed !== undefined;
    const has = {
      failed: batch.hasFailed,
      finished: isSealed && batch.handled + batch.failed >= batch.total,
      succeeded: isSealed && batch.handled >= batch.total,
    };
    const due: OutgoingMessage[] = [];
    for (const [event, name] of EVENTS) {
      if (!has[event] || at[event] !== undefined) continue;
      at[event] = this.#store.now();
      const message = head[name];
      if (!message || event === "failed" && at.cancelled !== undefined) continue;
      due.push({ ...message, stamps: { ...message.stamps, ofBatch: eventStamp(batch, event) } });
    }
    if (due.length > 0) this.#store.enqueue(due);
  }
}

function eventStamp(
  { id, head: { name }, total, handled, failed }: MemoryBatch,
  event: BatchEventStamp["event"],
): BatchEventStamp {
  return { id, name, event, total, handled, failed };
}

function contentOf({ userId: _, live: __, call: ___, ...head }: BatchHead): string {
  return JSON.stringify(head);
}

function stateOf(batch: MemoryBatch): FollowedBatch {
  const { id, head: { name }, at, total, handled, failed, createdAt } = batch;
  const timeOf = (moment: BatchMoment) => {
    const ms = at[moment];
    return ms === undefined ? null : new Date(ms).toISOString();
  };
  return {
    ...{ kind: "batch", id, name, status: statusOf(batch), types: [...batch.types].sort() },
    ...{ total, handled, failed, pending: Math.max(0, total - handled - failed) },
    createdAt: new Date(createdAt).toISOString(),
    sealedAt: timeOf("sealed"),
    failedAt: timeOf("failed"),
    finishedAt: timeOf("finished"),
    succeededAt: timeOf("succeeded"),
    cancelledAt: timeOf("cancelled"),
  };
}

function statusOf({ at, total, handled, failed }: MemoryBatch): FollowedBatch["status"] {
  const isCancelled = at.cancelled !== undefined;
  if (at.sealed === undefined) return "open";
  if (handled + failed < total) return isCancelled ? "cancelling" : "running";
  if (failed === 0) return "handled";
  return isCancelled ? "cancelled" : "failed";
}
