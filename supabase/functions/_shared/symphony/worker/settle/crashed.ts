/** What becomes of messages that a claim hands out not to be run: crashed, or older than their ttl. */

import type { Envelope } from "../../message/envelope.ts";
import { CrashError, MessageExpiredError } from "../../message/errors.ts";
import type { Dead, Retry } from "../../message/outcome.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { Claim } from "../../transport/transport.ts";

/**
 * Judges a message whose worker died; or that is larger than any worker can take, which no retry mends.
 * @param claim that handed it out
 */
export function judgeCrashed(envelope: Envelope, claim: Claim, retry: RetryManager): Retry | Dead {
  if (!claim.oversized?.includes(envelope.id)) {
    return retry.decide(envelope, new CrashError(), { durationMs: 0 });
  }
  const error = new CrashError("payload: has more bytes than a worker can take; it was not run");
  const { errors } = retry.decide(envelope, error, { durationMs: 0 });
  return { kind: "dead", reason: "crashed", errors };
}

/** Judges a message that is older than its ttl. It needs no slot, and waits for none. */
export function judgeExpired(envelope: Envelope, retry: RetryManager): Retry | Dead {
  const error = new MessageExpiredError(envelope.expiresAt ?? new Date());
  return retry.decide(envelope, error, { durationMs: 0 });
}
