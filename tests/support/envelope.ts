/** A claimed message, for tests of what is decided about it. */

import type { Envelope } from "../../supabase/functions/_shared/symphony/index.ts";

/** A message of type T at its first attempt. @param at when it was dispatched, and due */
export function envelopeAt(at: Date, more: Partial<Envelope> = {}): Envelope {
  return {
    id: "1",
    type: "T",
    payload: {},
    queue: "default",
    priority: 0,
    availableAt: at,
    createdAt: at,
    expiresAt: null,
    expired: false,
    retryCount: 0,
    attempts: 1,
    groupKey: null,
    stamps: {},
    quarantined: false,
    leaseToken: "token",
    ...more,
  };
}
