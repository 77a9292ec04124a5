/** A row of the transport in memory: what it holds, and its place in a claim. */

import { debounceOf, replacesPayload } from "../message/dedupe.ts";
import type { AttemptError, Envelope, OutgoingMessage } from "../message/envelope.ts";
import type { Dead, Parked, Released, Retry, Settlement, Snoozed } from "../message/outcome.ts";
import { toStamps } from "../database/claimed-messages.ts";
import { withParent } from "./memory-queues.ts";
import type { CancelFilter } from "./receiver.ts";

/** A message with its history. */
export interface StoredEnvelope extends Envelope {
  /** Failed attempts, oldest first. */
  readonly errors: readonly AttemptError[];
  /** Name of its transport; `home` is Postgres. */
  readonly transport: string;
}

/** A message that waits or runs. */
export interface Row {
  envelope: StoredEnvelope;
  /** End of the lease in ms; null while the message waits. */
  leasedUntil: number | null;
  /** The message runs, and must not run again. */
  cancelled?: boolean;
  /** The dedupe key that the message holds, and whether only until it is claimed. */
  holds: HeldKey | null;
  /** The dedupe key that the message held until it was claimed. */
  heldUntilClaim?: HeldKey | null;
}

interface HeldKey {
  readonly key: string;
  readonly untilStarted: boolean;
}

/** A message as it is stored when it is sent. */
export function toEnvelope(id: string, message: OutgoingMessage, now: number): StoredEnvelope {
  return {
    id,
    type: message.type,
    payload: stored(message.payload),
    queue: message.queue ?? "default",
    priority: message.priority ?? 0,
    availableAt: new Date(
      message.availableAt ?? now + (message.delayMs ?? debounceOf(message.dedupe) ?? 0),
    ),
    createdAt: new Date(now),
    expiresAt: message.ttlMs === undefined ? null : new Date(now + message.ttlMs),
    expired: false,
    retryCount: 0,
    attempts: 0,
    groupKey: message.groupKey ?? null,
    stamps: stored(message.stamps ?? {}),
    errors: [],
    quarantined: false,
    snoozes: 0,
    interruptions: 0,
    leaseToken: "",
    bytes: bytesOf(message),
    transport: message.transport ?? "home",
  };
}

function bytesOf({ payload, stamps = {} }: OutgoingMessage): number {
  return (JSON.stringify(payload)?.length ?? 0) + JSON.stringify(stamps).length;
}

/** The first of these rows that have at most `maxBytes` together; one in any case. */
export function fitting(rows: readonly Row[], maxBytes: number): readonly Row[] {
  let bytes = 0;
  const end = rows.findIndex(({ envelope }, index) => {
    bytes += envelope.bytes ?? 0;
    return index > 0 && bytes > maxBytes;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

/**
 * Copies a message for a claim, so that a handler cannot change the stored one. The copy has no history,
 * and that of a crashed message no payload.
 */
export function handedOut(
  { errors: _, transport: __, payload, ...envelope }: StoredEnvelope,
  isCrashed: boolean,
): Envelope {
  const { stamps, ...copy } = structuredClone(envelope);
  return {
    ...copy,
    payload: isCrashed ? null : structuredClone(payload),
    stamps: toStamps(stamps),
  };
}

/** A value as JSON keeps it. */
function stored<Value>(value: Value): Value {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

/** A message that waits again, as its outcome leaves it. */
export function waitingAgain(
  envelope: StoredEnvelope,
  outcome: Retry | Snoozed | Released,
  now: number,
): StoredEnvelope {
  if (outcome.kind === "released") {
    return { ...envelope, attempts: envelope.attempts - 1, leaseToken: "" };
  }
  const again = {
    ...envelope,
    availableAt: new Date(now + outcome.delayMs),
    stamps: {
      ...stored(outcome.stamps ?? envelope.stamps),
      ...(outcome.kind === "retry" && outcome.ended && { ended: outcome.ended }),
    },
    leaseToken: "",
  };
  const { attempts, snoozes = 0, interruptions = 0 } = envelope;
  if (outcome.kind === "snoozed") {
    return { ...again, attempts: attempts - 1, snoozes: snoozes + 1, interruptions: 0 };
  }
  return {
    ...again,
    retryCount: outcome.ended ? envelope.retryCount : outcome.retryCount,
    expiresAt: outcome.ended ? null : envelope.expiresAt,
    quarantined: envelope.quarantined || (outcome.quarantined ?? false),
    attempts: attempts - Number(outcome.interrupted ?? false),
    interruptions: outcome.interrupted ? interruptions + 1 : 0,
    errors: [...envelope.errors, ...structuredClone(outcome.errors)],
  };
}

/** A parked message, as it waits for its next run. @param stepEnds when its step ends, in ms since 1970 */
export function parkedAgain(
  envelope: StoredEnvelope,
  { delayMs, leaveGroup, stamps }: Parked,
  stepEnds: number,
  now: number,
): StoredEnvelope {
  return {
    ...envelope,
    attempts: envelope.attempts - 1,
    availableAt: new Date(delayMs === null ? stepEnds : now + delayMs),
    groupKey: leaveGroup ? null : envelope.groupKey,
    stamps: stored(stamps ?? envelope.stamps),
    interruptions: 0,
    expiresAt: null,
    leaseToken: "",
  };
}

/** A running message of which a step was stored: its retries begin again, and its time to live is over. */
export function afterStep(
  envelope: StoredEnvelope,
  version: number | string | null,
): StoredEnvelope {
  return {
    ...envelope,
    ...{ retryCount: 0, interruptions: 0, quarantined: false, expiresAt: null },
    stamps: { ...envelope.stamps, durable: envelope.stamps.durable ?? { version } },
  };
}

/** The outcome of a cancelled message instead of one that runs it again; null for any other outcome. */
export function cancelledInstead(outcome: Settlement["outcome"]): Dead | null {
  if (outcome.kind === "handled" || outcome.kind === "dead") return null;
  const { stamps, errors = [] }: Partial<Dead> = { ...outcome, kind: "dead" };
  return { kind: "dead", reason: "cancelled", errors, ...(stamps && { stamps }) };
}

/** The dedupe key that the message holds while it is stored, or until it is claimed. */
export function heldKey({ type, dedupeKey, dedupe }: OutgoingMessage): Row["holds"] {
  if (dedupeKey === undefined || typeof dedupe === "object" && "windowMs" in dedupe) return null;
  const untilStarted = dedupe === "until-started" || replacesPayload(dedupe);
  return { key: JSON.stringify([type, dedupeKey]), untilStarted };
}

/** Whether a worker has claimed the message, and did more than give it back. */
export function hasStarted({ envelope, leasedUntil }: Row): boolean {
  const { attempts, snoozes = 0, interruptions = 0, stamps } = envelope;
  return leasedUntil !== null || attempts + snoozes + interruptions > 0 ||
    stamps.durable !== undefined;
}

/**
 * Gives a message that was not started the key that its claim took, unless another one has it by now. Of two that
 * were not started, the later one has it.
 */
export function holdAgain(row: Row, rows: Iterable<Row>): void {
  const { heldUntilClaim: held } = row;
  if (!held) return;
  const holder = [...rows].find(({ holds }) => holds?.key === held.key);
  if (holder) {
    const isLater = Number(row.envelope.id) > Number(holder.envelope.id);
    if (!isLater || !holder.holds?.untilStarted || holder.leasedUntil !== null) return;
    holder.holds = null;
  }
  row.holds = held;
}

/** A waiting message after a repeated dispatch under its dedupe key. @param now in ms since 1970 */
export function replaced(
  envelope: StoredEnvelope,
  message: OutgoingMessage,
  now: number,
): StoredEnvelope {
  const { payload, dedupe, ttlMs } = message;
  if (!replacesPayload(dedupe)) return envelope;
  const latest = { ...envelope, payload: stored(payload), bytes: bytesOf(message) };
  if (typeof dedupe !== "object" || !("debounceMs" in dedupe)) return latest;
  const lastDue = envelope.createdAt.getTime() + (dedupe.maxWaitMs ?? Infinity);
  return {
    ...latest,
    availableAt: new Date(Math.min(now + dedupe.debounceMs, lastDue)),
    expiresAt: ttlMs === undefined ? null : new Date(now + ttlMs),
  };
}

/** Whether the filter of a cancel includes a row. */
export function matches({ envelope }: Row, { ids, type, queue }: CancelFilter): boolean {
  return (!ids || ids.includes(envelope.id)) && (type === undefined || type === envelope.type) &&
    (queue === undefined || withParent(envelope.queue).includes(queue));
}

/** The order of a claim: priority, due time, id. */
export function inClaimOrder({ envelope: a }: Row, { envelope: b }: Row): number {
  return b.priority - a.priority || a.availableAt.getTime() - b.availableAt.getTime() ||
    Number(a.id) - Number(b.id);
}
