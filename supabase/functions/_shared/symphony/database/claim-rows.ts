/** Converts a claim between the library's names and the arguments and result of `messenger_claim`. */

import {
  type Claim,
  type ClaimRequest,
  type LastKeys,
  MAX_CLAIM_BYTES,
  START_WINDOW_MS,
} from "../transport/receiver.ts";
import { type MessageRow, toDate, toEnvelope } from "./claimed-messages.ts";

/** The result of `messenger_claim`. */
export interface ClaimAnswer {
  messages: MessageRow[];
  crashed: MessageRow[];
  oversized: string[];
  bytes: number;
  more: boolean;
  token: string;
  crashed_token: string;
  last_keys: LastKeys;
  quarantined_due: boolean;
  now: string;
  next_due_at: string | null;
  lease_ms: number;
  lock_ms: number;
  rated: string[];
}

/** Makes the arguments of `messenger_claim`. */
export function claimArguments(request: ClaimRequest) {
  return {
    token: request.token,
    max_messages: request.maxMessages,
    lease_ms: request.leaseMs,
    queues: request.queues ?? null,
    last_keys: request.lastKeys ?? null,
    run_alone: request.quarantined ?? false,
    sweep: request.sweep ?? true,
    repeated: request.repeated ?? false,
    slots: request.slots ?? null,
    start_within_ms: request.startWindowMs ?? START_WINDOW_MS,
    max_bytes: request.maxBytes ?? MAX_CLAIM_BYTES,
    unread: request.unread ?? false,
    bare_stamps: true,
  };
}

/** Makes the claim of a result. @param request the claim's own, for its start window */
export function toClaim(answer: ClaimAnswer, request: ClaimRequest): Claim {
  const startWindowMs = request.startWindowMs ?? START_WINDOW_MS;
  const bytes = answer.bytes / answer.messages.length;
  const now = Date.parse(answer.now);
  const clock = { now, localMs: Math.round(performance.now()) };
  const messages = answer.messages.map((row) => toEnvelope(row, answer.token, bytes, clock));
  return {
    messages: answer.rated.length === 0
      ? messages
      : messages.map((envelope) =>
        answer.rated.includes(envelope.queue) ? { ...envelope, startWindowMs } : envelope
      ),
    crashed: answer.crashed.map((row) => toEnvelope(row, answer.crashed_token, 0, clock)),
    oversized: answer.oversized,
    more: answer.more,
    lastKeys: answer.last_keys,
    quarantinedDue: answer.quarantined_due,
    nextDueMs: answer.next_due_at === null
      ? null
      : Math.max(0, toDate(answer.next_due_at).getTime() - now),
    leaseMs: answer.lease_ms,
    lockMs: answer.lock_ms,
    now,
  };
}
