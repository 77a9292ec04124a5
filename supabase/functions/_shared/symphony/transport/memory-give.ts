/** Chooses the rows of the transport in memory that a claim may have. */

import type { MemoryQueues } from "./memory-queues.ts";
import { fitting, inClaimOrder, type Row } from "./memory-rows.ts";
import { type ClaimRequest, MAX_CLAIM_BYTES, START_WINDOW_MS } from "./receiver.ts";

/** The state of the transport at one moment. */
export interface MemoryState {
  /** All messages that wait or run. */
  readonly rows: readonly Row[];
  readonly queues: MemoryQueues;
  /** In ms since 1970. */
  readonly now: number;
}

/**
 * Chooses the due rows to lease: a share by weight for each queue, then the remaining places in claim
 * order, within the bytes of the request.
 * @param due in claim order
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
  // An expired message is claimed only to become a dead letter: it takes no place of a concurrency limit,
  // and no start of a rate.
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
 * Chooses the expired rows that a sweep takes before all others, the oldest first. A pause or a limit of
 * their queue does not hold them back.
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

/** The request for the messages after these expired ones. */
export function besides(past: readonly Row[], request: ClaimRequest): ClaimRequest {
  const bytes = past.reduce((total, { envelope }) => total + (envelope.bytes ?? 0), 0);
  const isFull = bytes > maxBytesOf(request) / 2;
  return {
    ...request,
    maxMessages: isFull ? 0 : request.maxMessages - past.length,
    maxBytes: maxBytesOf(request) - bytes,
  };
}

/** Whether the message is older than its time to live. */
export function isPastTtl({ envelope: { expiresAt } }: Row, now: number): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now;
}

function maxBytesOf({ maxBytes = MAX_CLAIM_BYTES }: ClaimRequest): number {
  return maxBytes;
}

/** The first rows of which at most `room` are living; none if there is no room. */
function withRoom(
  rows: readonly Row[],
  room: number,
  isLiving: (row: Row) => boolean,
): readonly Row[] {
  let left = room;
  return rows.filter((row) => left > 0 && (isLiving(row) ? left-- > 0 : true));
}

/** Whether the group of the message lets it run. A message without a group may always run. */
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

/** The ends of the live leases of a queue, in ms since 1970. */
export function leasesOf(queue: string, { rows, now }: MemoryState): number[] {
  return rows.flatMap(({ envelope, leasedUntil }) =>
    envelope.queue === queue && leasedUntil !== null && leasedUntil > now ? [leasedUntil] : []
  );
}
