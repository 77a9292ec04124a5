/** Claimed messages that are not run: their worker died, or they are older than their ttl. */

import type { Envelope } from "../../message/envelope.ts";
import { CrashError, MessageExpiredError } from "../../message/errors.ts";
import type { Dead, Retry } from "../../message/outcome.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { Claim } from "../../transport/receiver.ts";

/** Yields each message of a claim that is not run, with its outcome. Such a message needs no slot. */
export function* unrunnable(
  claim: Claim,
  retry: RetryManager,
): Generator<readonly [envelope: Envelope, outcome: Retry | Dead]> {
  for (const envelope of claim.crashed) yield [envelope, judgeCrashed(envelope, claim, retry)];
  for (const envelope of claim.messages) {
    if (!envelope.expired) continue;
    const error = new MessageExpiredError(envelope.expiresAt ?? new Date());
    yield [envelope, retry.decide(envelope, error, { durationMs: 0 })];
  }
}

/** The outcome of a message whose worker died, or that has more bytes than any worker can take. */
function judgeCrashed(envelope: Envelope, claim: Claim, retry: RetryManager): Retry | Dead {
  if (!claim.oversized?.includes(envelope.id)) {
    return retry.decide(envelope, new CrashError(), { durationMs: 0 });
  }
  // No retry makes a message smaller.
  const error = new CrashError("payload: has more bytes than a worker can take; it was not run");
  const { errors } = retry.decide(envelope, error, { durationMs: 0 });
  return { kind: "dead", reason: "crashed", errors };
}
