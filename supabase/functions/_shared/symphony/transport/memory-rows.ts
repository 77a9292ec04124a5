/** A row of the transport in memory: what it holds, and its place in a claim. */

import type { AttemptError, Envelope, OutgoingMessage } from "../message/envelope.ts";
import { isStorable } from "../runtime/json.ts";
import type { Dead, Released, Retry, Settlement, Snoozed } from "../message/outcome.ts";
import { toStamps } from "../database/claimed-messages.ts";
import { type CancelFilter, TransportError } from "./transport.ts";

/** A message with its history. */
export interface StoredEnvelope extends Envelope {
  /** Failed attempts, oldest first. */
  readonly errors: readonly AttemptError[];
}

/** A message that waits or runs. */
export interface Row {
  envelope: StoredEnvelope;
  /** End of the lease in ms; null while the message waits. */
  leasedUntil: number | null;
  /** It runs, and is not to come again. */
  cancelled?: boolean;
  /** The dedupe key it holds, and whether only until it is claimed. */
  holds: { readonly key: string; readonly untilStarted: boolean } | null;
}

/** A message as it is when it has been sent. */
export function toEnvelope(id: string, message: OutgoingMessage, now: number): StoredEnvelope {
  return {
    id,
    type: message.type,
    payload: stored(message.payload),
    queue: message.queue ?? "default",
    priority: message.priority ?? 0,
    availableAt: new Date(message.availableAt ?? now + (message.delayMs ?? 0)),
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
  };
}

const MAX_CALL_BYTES = 64 * 1_048_576;

/** Refuses what Postgres refuses. @throws RangeError */
export function checkSizes(messages: readonly OutgoingMessage[]): void {
  let total = 0;
  for (const { payload, stamps = {} } of messages) {
    total += checkSize("payload", payload, 8_388_608) + checkSize("stamps", stamps, 1_048_576);
  }
  if (total > MAX_CALL_BYTES) {
    throw new RangeError(
      `messages: have ${total} bytes together; a call takes at most ${MAX_CALL_BYTES}, ` +
        "give them in several calls",
    );
  }
}

function checkSize(field: string, value: unknown, most: number): number {
  const bytes = JSON.stringify(value).length;
  if (bytes > most) {
    throw new RangeError(`${field}: has ${bytes} bytes; has to have at most ${most}`);
  }
  return bytes;
}

function bytesOf({ payload, stamps = {} }: OutgoingMessage): number {
  return (JSON.stringify(payload)?.length ?? 0) + JSON.stringify(stamps).length;
}

/** As many of these rows as fit into so many bytes, from the first on; one in any case. */
export function fitting(rows: readonly Row[], maxBytes: number): readonly Row[] {
  let bytes = 0;
  const end = rows.findIndex(({ envelope }, index) => {
    bytes += envelope.bytes ?? 0;
    return index > 0 && bytes > maxBytes;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

/**
 * What a claim hands out, with nothing in it that is kept here. The history stays here, and of a crashed
 * message the payload.
 */
export function handedOut(
  { errors: _, payload, ...envelope }: StoredEnvelope,
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

/**
 * Refuses texts that Postgres cannot hold, in keys and values.
 * @param operation what was asked for
 * @throws TransportError
 */
export function checkTexts(operation: string, values: unknown): void {
  const check = (text: unknown) => {
    if (typeof text !== "string" || isStorable(text)) return;
    const problem = "a text holds U+0000 or half of a surrogate pair, which Postgres cannot hold";
    throw new TransportError(operation, problem, false);
  };
  JSON.stringify(values, (key, value) => {
    check(key);
    check(value);
    return value;
  });
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
    stamps: stored(outcome.stamps ?? envelope.stamps),
    leaseToken: "",
  };
  const { attempts, snoozes = 0, interruptions = 0 } = envelope;
  if (outcome.kind === "snoozed") {
    return { ...again, attempts: attempts - 1, snoozes: snoozes + 1, interruptions: 0 };
  }
  return {
    ...again,
    retryCount: outcome.retryCount,
    quarantined: envelope.quarantined || (outcome.quarantined ?? false),
    attempts: attempts - Number(outcome.interrupted ?? false),
    interruptions: outcome.interrupted ? interruptions + 1 : 0,
    errors: [...envelope.errors, ...structuredClone(outcome.errors)],
  };
}

/** What becomes of a cancelled message that was to come again; null where it was not. */
export function cancelledInstead(outcome: Settlement["outcome"]): Dead | null {
  if (outcome.kind === "handled" || outcome.kind === "dead") return null;
  const { stamps, errors = [] }: Partial<Dead> = { ...outcome, kind: "dead" };
  return { kind: "dead", reason: "cancelled", errors, ...(stamps && { stamps }) };
}

/** @throws RangeError if the message's time to live is over when it falls due */
export function checkTtl({ ttlMs, delayMs, availableAt }: OutgoingMessage, now: number): void {
  const waitMs = availableAt ? availableAt.getTime() - now : delayMs ?? 0;
  if (ttlMs === undefined || ttlMs > waitMs) return;
  throw new RangeError(
    "ttl: ends before the message is due; it has to be longer than the delay, or end after availableAt",
  );
}

/** The key that is held as long as the message, or until it is claimed. */
export function heldKey({ type, dedupeKey, dedupe }: OutgoingMessage): Row["holds"] {
  if (dedupeKey === undefined || typeof dedupe === "object") return null;
  return { key: JSON.stringify([type, dedupeKey]), untilStarted: dedupe === "until-started" };
}

/** Whether a filter of what to cancel means a row. */
export function isMeant({ envelope }: Row, { ids, type, queue }: CancelFilter): boolean {
  return (!ids || ids.includes(envelope.id)) && (type === undefined || type === envelope.type) &&
    (queue === undefined || queue === envelope.queue);
}

/** The order of a claim: priority, due time, id. */
export function inClaimOrder({ envelope: a }: Row, { envelope: b }: Row): number {
  return b.priority - a.priority || a.availableAt.getTime() - b.availableAt.getTime() ||
    Number(a.id) - Number(b.id);
}
