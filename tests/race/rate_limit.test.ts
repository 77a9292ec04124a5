/** Rate limits with many sessions at once: never one too many, never one too few. */

import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { RateLimitedError } from "../../supabase/functions/_shared/symphony/index.ts";
import type { LimitedDispatch } from "../../supabase/functions/_shared/symphony/message/rate-limit.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const message = { type: "A", payload: {} };

const limitOf = (max: number, count = 1, caller = "user:ann"): LimitedDispatch => ({
  type: "A",
  caller,
  count,
  max,
  perMs: 3_600_000,
});

/** Sends a message. Returns whether the limit let it through. */
const passes = (transport: SupabaseTransport, limits: LimitedDispatch[], count = 1) =>
  transport.send(Array.from({ length: count }, () => message), limits).then(() => true, (error) => {
    assert(error instanceof RateLimitedError, String(error));
    return false;
  });

testsOnStack({ poolSize: 20 }, (test) => {
  test("200 dispatches at once against a limit of 50: exactly 50 are written", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => passes(transport, [limitOf(50)])),
    );
    assertEquals(answers.filter(Boolean).length, 50);
    assertEquals(await stack.count(), 50);
  });

  test("arrays of users at once, under a limit of each and one of all, are whole or not there", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) =>
      passes(transport, [
        limitOf(30, 3, `user:${n % 3}`),
        limitOf(50, 3, "total"),
      ], 3)));
    // 48 is the most that threes make of 50; no user may have more than 30 of them.
    assertEquals(answers.filter(Boolean).length, 16);
    assertEquals(await stack.count(), 48);
  });

  test("the second of two dispatches waits for the first, and is counted after it", async (stack) => {
    const other = postgres(stack.adminDbUrl, { max: 1 });
    const transport = new SupabaseTransport(stack.client);
    const limits = JSON.stringify([{ ...limitOf(1), per_ms: 3_600_000 }]);
    const first = () =>
      other`select public.messenger_enqueue_limited('[{"type":"A"}]', ${limits}::text::jsonb)`;
    const blocked = () =>
      eventually(
        async () =>
          await stack.sql`
            select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`,
        (waiting) => waiting.length > 0,
      );
    try {
      await other`begin`;
      await first();
      const refused = passes(transport, [limitOf(1)]);
      await blocked();
      await other`commit`;
      assertEquals(await refused, false);

      await stack.sql`truncate messenger.rate_limits`;
      await other`begin`;
      await first();
      const allowed = passes(transport, [limitOf(1)]);
      await blocked();
      await other`rollback`;
      assertEquals(await allowed, true);
    } finally {
      await other.end();
    }
  });
});
