/** The wait of a message whose type this worker does not know: another worker may know it. */

import type { Envelope, Stamps } from "../message/envelope.ts";
import { ExponentialBackoffRetryStrategy } from "./strategy.ts";

/**
 * Workers of the version before a deploy live on for up to 400 s (paid plans), and claim types that they
 * do not know yet. Delays of 5 s, 10 s, 20 s and so forth wait for 10 min 35 s in all.
 */
const patience = new ExponentialBackoffRetryStrategy({ maxRetries: 7, delay: 5_000, maxDelay: 0 });

/**
 * Returns the wait until the next attempt; null if the message has waited long enough. The stamp
 * `unknownType` counts how often in a row the type was unknown since the dispatch or redrive, so that
 * the message's own retries are not used up.
 */
export function unknownTypeWait(
  { stamps, attempts }: Pick<Envelope, "stamps" | "attempts">,
): { readonly delayMs: number; readonly stamps: Stamps } | null {
  const { unknownType } = stamps;
  // The count holds for the attempt before this one. A redrive starts the attempts at 1 again.
  const times = unknownType?.attempt === attempts - 1 ? unknownType.times : 0;
  if (!patience.shouldRetry(times)) return null;
  return {
    delayMs: patience.getDelay(times),
    stamps: { ...stamps, unknownType: { times: times + 1, attempt: attempts } },
  };
}
