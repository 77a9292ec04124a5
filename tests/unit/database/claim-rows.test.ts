/** Claims as rows of the database tell them. */

import { assertEquals } from "@std/assert";
import {
  type ClaimAnswer,
  toClaim,
} from "../../../supabase/functions/_shared/symphony/database/claim-rows.ts";
import type { MessageRow } from "../../../supabase/functions/_shared/symphony/database/claimed-messages.ts";

const DAY_MS = 86_400_000;
const now = Date.parse("2026-01-05T10:00:00Z");

/** A claim of messages that are due at these moments, in ms since 1970. */
function claimOf(due: readonly number[]): ClaimAnswer {
  return {
    messages: due.map((availableAt, index): MessageRow => [
      ...[String(index), "T", null, "default", 0, 1, availableAt, now, null, null] as const,
    ]),
    ...{ crashed: [], oversized: [], bytes: 0, more: false, token: "a", crashed_token: "b" },
    ...{ last_keys: {}, quarantined_due: false, now: new Date(now).toISOString() },
    ...{ next_due_at: null, lease_ms: 1, lock_ms: 0, rated: [] },
  };
}

Deno.test("a worker of any age knows for how long a message has been due", () => {
  const { now: clock } = performance;
  try {
    for (const age of [0, 13 * DAY_MS, 400 * DAY_MS]) {
      performance.now = () => age + 0.25;
      const { messages } = toClaim(
        claimOf([now, now - 1_500.4, now + 500]),
        { maxMessages: 3 } as never,
      );
      assertEquals(messages.map(({ dueAtMs = NaN }) => dueAtMs - age), [0, -1_500, 500]);
    }
  } finally {
    performance.now = clock;
  }
});

Deno.test("the time of a message that is due since the year 1 can be added", () => {
  const { messages } = toClaim(claimOf([-6e13, 6e13]), { maxMessages: 2 } as never);
  const [long = NaN, far = NaN] = messages.map(({ dueAtMs = NaN }) => dueAtMs);
  assertEquals(far - long, 2 ** 31);
});
