/** What becomes of a message whose type nobody here knows: it waits a while for a worker that does. */

import type { Envelope } from "../envelope.ts";
import { UnknownMessageTypeError } from "../errors.ts";
import { ExponentialBackoffRetryStrategy } from "./strategy.ts";

/**
 * After a deploy, workers of the version before go on for as long as the platform lets one live (400 s
 * when paid), and claim what they do not know yet. 5 s, 10 s, 20 s ... are 10 min 35 s in all.
 */
const patience = new ExponentialBackoffRetryStrategy({ maxRetries: 7, delay: 5_000, maxDelay: 0 });

/**
 * Ms until a message of unknown type is to be looked at again; null once it has been waited for long
 * enough. It counts how often in a row the type was unknown since the message was dispatched or
 * redriven, so that its own retries are left to it.
 */
export function unknownTypeDelay({ errors, attempts }: Envelope): number | null {
  let times = 0;
  let before = attempts;
  for (const error of errors.toReversed()) {
    // Attempts are counted anew when a message is redriven.
    if (error.class !== UnknownMessageTypeError.name || error.attempt >= before) break;
    before = error.attempt;
    times++;
  }
  return patience.shouldRetry(times) ? patience.getDelay(times) : null;
}
