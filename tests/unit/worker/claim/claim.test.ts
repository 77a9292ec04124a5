/** The claims of a worker while others are under way. */

import { assertEquals } from "@std/assert";
import { Claimer } from "../../../../supabase/functions/_shared/symphony/worker/claim/claim.ts";

Deno.test("only one of the claims under way may take the starts of free slots", () => {
  const claimer = new Claimer({
    ...{ concurrency: 5, batchSize: 100, leaseMs: 60_000, endsAt: Infinity },
  });
  const standing = { now: performance.now(), free: 5, busy: 0, running: 0, stalledMs: 0 };
  const first = claimer.request({ ...standing, budget: 2, settles: true });
  claimer.sent(first);
  const second = claimer.request({ ...standing, budget: 100, settles: true });
  assertEquals([first, second].map((claim) => [claim?.maxMessages, claim?.slots]), [[2, 5], [
    8,
    0,
  ]]);
  claimer.ended(first, []);
  assertEquals(claimer.request({ ...standing, budget: 100, settles: true })?.slots, 5);
});
