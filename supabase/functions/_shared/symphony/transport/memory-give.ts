/** Which rows of the transport in memory a claim may have. */

import type { MemoryQueues } from "./memory-queues.ts";
import { fitting, inClaimOrder, type Row } from "./memory-rows.ts";
import { type ClaimRequest, MAX_CLAIM_BYTES, START_WINDOW_MS } from "./transport.ts";

/** What the transport holds at one moment. */
export interface MemoryState {
  /** All messages that wait or run. */
  readonly rows: readonly Row[];
  readonly queues: MemoryQueues;
  /** In ms since 1970. */
  readonly now: number;
}

/**
 * Of the due rows, in claim order, those to be leased: a share by weight for each queue, then what is
 * left, within the bytes asked for.
 */
export function give(
  due: readonly Row[],
  request: ClaimRequest,
  state: MemoryState,
): { readonly given: readonly Row[]; readonly more: boolean } {
  const max = request.quarantined ? Math.min(request.maxMessages, 1) : request.maxMessages;
  const { queues, now } = state;
  const byQueue = Map.groupBy(due, ({ envelope }) => envelope.queue);
  const weightOf = (queue: string) => queues.get(queue).weight ?? 1;
  const weights = [...byQueue.keys()].reduce((total, queue) => total + weightOf(queue), 0);
  const taken = new Set<Row>();
  // What has expired is given to be buried, and takes neither a place nor a start from what lives.
  const isLiving = (row: Row) => !isPastTtl(row, now);
  for (
    const share of [(queue: string) => Math.ceil(max * weightOf(queue) / weights), () => max]
  ) {
    for (const [queue, rowsOfQueue] of byQueue) {
      const elsewhere = [...taken].filter((row) =>
        row.envelope.queue !== queue && queues.isRated(row.envelope.queue) && isLiving(row)
      );
      const slots = request.slots === undefined ? Infinity : request.slots - elsewhere.length;
      const room = queues.room(queue, leasesOf(queue, state).length, now, slots);
      const before = rowsOfQueue.filter((row) => taken.has(row) && isLiving(row)).length;
      const most = Math.min(share(queue), max - taken.size);
      const free = rowsOfQueue.filter((row) => !taken.has(row) && isFirst(row, state));
      withRoom(free, room - before, isLiving).slice(0, most).forEach((row) => taken.add(row));
    }
  }
  const given = fitting([...taken].sort(inClaimOrder), maxBytesOf(request));
  for (const queue of byQueue.keys()) {
    const granted = given.filter((row) => row.envelope.queue === queue && isLiving(row)).length;
    queues.grant(queue, granted, now, request.startWindowMs ?? START_WINDOW_MS);
  }
  return { given, more: given.length < taken.size };
}

/**
 * What a sweep gives before all else: waiting messages that are older than their ttl, whatever else holds
 * them back, the oldest first.
 */
export function pastTtl(request: ClaimRequest, { rows, queues, now }: MemoryState): readonly Row[] {
  const past = rows.filter((row) =>
    row.leasedUntil === null && isPastTtl(row, now) && isFirst(row, { rows, queues, now }) &&
    (!request.queues || request.queues.includes(row.envelope.queue))
  );
  const endOf = ({ envelope: { expiresAt } }: Row) => expiresAt?.getTime() ?? Infinity;
  const oldest = past.sort((a, b) => endOf(a) - endOf(b)).slice(0, request.maxMessages);
  return fitting(oldest, maxBytesOf(request));
}

/** What is asked for beside these messages. */
export function behind(past: readonly Row[], request: ClaimRequest): ClaimRequest {
  const bytes = past.reduce((total, { envelope }) => total + (envelope.bytes ?? 0), 0);
  const isFull = bytes > maxBytesOf(request) / 2;
  return {
    ...request,
    maxMessages: isFull ? 0 : request.maxMessages - past.length,
    maxBytes: maxBytesOf(request) - bytes,
  };
}

/** Whether it is older than its ttl. */
export function isPastTtl({ envelope: { expiresAt } }: Row, now: number): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now;
}

function maxBytesOf({ maxBytes = MAX_CLAIM_BYTES }: ClaimRequest): number {
  return maxBytes;
}

/** Rows from the first on, of which at most `room` are living; none where there is no room. */
function withRoom(
  rows: readonly Row[],
  room: number,
  isLiving: (row: Row) => boolean,
): readonly Row[] {
  let left = room;
  return rows.filter((row) => left > 0 && (isLiving(row) ? left-- > 0 : true));
}

/** Whether its turn has come in its group; of a message that is in none, always. */
export function isFirst(
  { envelope: { id, queue, groupKey } }: Row,
  { rows, queues }: MemoryState,
): boolean {
  if (groupKey === null) return true;
  const group = rows.filter(({ envelope }) =>
    envelope.queue === queue && envelope.groupKey === groupKey
  );
  const { groupConcurrency = 1 } = queues.get(queue);
  const before = group.filter(({ envelope }) => Number(envelope.id) < Number(id)).length;
  const running = group.filter(({ leasedUntil }) => leasedUntil !== null).length;
  return before < groupConcurrency && running < groupConcurrency;
}

/** When the live leases of a queue end. */
export function leasesOf(queue: string, { rows, now }: MemoryState): number[] {
  return rows.flatMap(({ envelope, leasedUntil }) =>
    envelope.queue === queue && leasedUntil !== null && leasedUntil > now ? [leasedUntil] : []
  );
}
