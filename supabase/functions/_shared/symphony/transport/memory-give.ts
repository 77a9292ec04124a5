/** Chooses the rows of the transport in memory that a claim may have. */

import { isLane, parentQueue } from "../message/lane.ts";
import { type MemoryQueues, withParent } from "./memory-queues.ts";
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
 * Chooses the due rows to lease: a share by weight for each queue, which its lanes share by theirs, then the remaining
 * places in claim order, within the bytes of the request.
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
  const taken = new Set<Row>();
  // An expired message is claimed only to become a dead letter: it takes no place of a concurrency limit,
  // and no start of a rate.
  const isLiving = (row: Row) => !isPastTtl(row, now);
  for (const share of [sharer([...byQueue.keys()], max, state), () => max]) {
    for (const [queue, rowsOfQueue] of byQueue) {
      const elsewhere = [...taken].filter((row) =>
        row.envelope.queue !== queue && queues.isRated(row.envelope.queue) && isLiving(row)
      );
      const slots = request.slots === undefined ? Infinity : request.slots - elsewhere.length;
      const room = Math.min(
        ...withParent(queue).map((name) => {
          const before = [...taken].filter((row) => isOf(row, name) && isLiving(row)).length;
          return queues.room(name, leasesOf(name, state).length, now, slots) - before;
        }),
      );
      const most = Math.min(share(queue), max - taken.size);
      const free = rowsOfQueue.filter((row) => !taken.has(row) && isFirst(row, state));
      withRoom(free, room, isLiving).slice(0, most).forEach((row) => taken.add(row));
    }
  }
  const given = fitting([...taken].sort(inClaimOrder), maxBytesOf(request));
  for (const queue of new Set([...byQueue.keys()].flatMap(withParent))) {
    const granted = given.filter((row) => isOf(row, queue) && isLiving(row)).length;
    queues.grant(queue, granted, now, request.startWindowMs ?? START_WINDOW_MS);
  }
  return { given, more: given.length < taken.size };
}

/** Each queue's share of `max` messages by weight: its lanes, and its messages in no lane, divide what it may have. */
function sharer(
  names: readonly string[],
  max: number,
  { rows, queues, now }: MemoryState,
): (queue: string) => number {
  const parents = [...new Set(names.map(parentQueue))];
  const weightOf = (queue: string) => queues.get(queue).weight ?? 1;
  const weights = parents.reduce((total, queue) => total + weightOf(queue), 0);
  const shares = new Map(parents.flatMap((parent) => {
    const room = queues.room(parent, leasesOf(parent, { rows, queues, now }).length, now);
    const share = Math.min(Math.ceil(max * weightOf(parent) / weights), room);
    const lanes = names.filter((name) => parentQueue(name) === parent);
    return [...divided(lanes, share, (queue) => isLane(queue) ? weightOf(queue) : 1)];
  }));
  return (queue) => shares.get(queue) ?? 0;
}

/**
 * Divides messages among lanes, as messenger.share_lanes does: one for each; the rest goes where a share by weight is
 * larger than that, and what fractions leave to the largest of them.
 */
function divided(
  lanes: readonly string[],
  messages: number,
  weightOf: (lane: string) => number,
): ReadonlyMap<string, number> {
  const rest = Math.max(messages - lanes.length, 0);
  const weights = lanes.reduce((total, lane) => total + weightOf(lane), 0);
  const missing = lanes.map((lane) => Math.max(messages * weightOf(lane) / weights - 1, 0));
  const all = missing.reduce((total, one) => total + one, 0) || 1;
  const more = missing.map((one) => rest * one / all);
  const left = rest - more.reduce((total, one) => total + Math.floor(one), 0);
  const fraction = (index: number) => (more[index] ?? 0) % 1;
  const first = [...lanes.keys()].sort((a, b) => fraction(b) - fraction(a)).slice(0, left);
  return new Map(lanes.map((lane, index) => [
    lane,
    index >= messages ? 0 : 1 + Math.floor(more[index] ?? 0) + Number(first.includes(index)),
  ]));
}

/** Whether a message waits in a queue, or in a lane of it. */
function isOf({ envelope }: Row, queue: string): boolean {
  return withParent(envelope.queue).includes(queue);
}

/**
 * Chooses the expired rows that a sweep takes before all others, the oldest first. A pause or a limit of
 * their queue does not hold them back.
 */
export function pastTtl(request: ClaimRequest, { rows, queues, now }: MemoryState): readonly Row[] {
  const past = rows.filter((row) =>
    row.leasedUntil === null && isPastTtl(row, now) && isFirst(row, { rows, queues, now }) &&
    (!request.queues || request.queues.some((queue) => isOf(row, queue)))
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

/** The ends of the live leases of a queue and its lanes, in ms since 1970. */
export function leasesOf(queue: string, { rows, now }: MemoryState): number[] {
  return rows.flatMap((row) => {
    const { leasedUntil } = row;
    return isOf(row, queue) && leasedUntil !== null && leasedUntil > now ? [leasedUntil] : [];
  });
}
