/** What becomes of a message whose type nobody here knows: it waits a while for a worker that does. */

import type { Envelope, Stamps } from "../message/envelope.ts";
import { ExponentialBackoffRetryStrategy } from "./strategy.ts";

/**
 * After a deploy, workers of the version before go on for as long as the platform lets one live (400 s
 * when paid), and claim what they do not know yet. 5 s, 10 s, 20 s ... are 10 min 35 s in all.
 */
const patience = new ExponentialBackoffRetryStrategy({ maxRetries: 7, delay: 5_000, maxDelay: 0 });

/**
 * How a message of unknown type waits for its next attempt; null once it has waited for long enough. Its
 * stamp `unknownType` counts how often in a row the type was unknown since the message was dispatched or
 * redriven, so that its own retries are left to it.
 */
export function unknownTypeWait(
  { stamps, attempts }: Pick<Envelope, "stamps" | "attempts">,
): { readonly delayMs: number; readonly stamps: Stamps } | null {
  const { unknownType } = stamps;
  // Of the attempt before: attempts are counted from 1 again when a message is redriven.
  const times = unknownType?.attempt === attempts - 1 ? unknownType.times : 0;
  if (!patience.shouldRetry(times)) return null;
  return {
    delayMs: patience.getDelay(times),
    stamps: { ...stamps, unknownType: { times: times + 1, attempt: attempts } },
  };
}
