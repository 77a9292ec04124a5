/** How long a worker may count on its leases. */

import { assertEquals } from "@std/assert";
import { Leases } from "../../../../supabase/functions/_shared/symphony/worker/claim/leases.ts";

Deno.test("leases hold from when the claim was sent, and from each heartbeat that kept them", () => {
  const leases = new Leases(1_000);
  leases.taken(100, true, 1_000);
  assertEquals(leases.endAt, 1_100);
  leases.kept(600);
  assertEquals(leases.endAt, 1_600);
  // An older heartbeat whose answer comes late.
  leases.kept(500);
  assertEquals(leases.endAt, 1_600);
});

Deno.test("a later claim prolongs no lease of an earlier one, unless it was all settled", () => {
  const leases = new Leases(1_000);
  leases.taken(100, true, 1_000);
  leases.taken(700, false, 1_000);
  assertEquals(leases.endAt, 1_100);
  leases.taken(900, true, 1_000);
  assertEquals(leases.endAt, 1_900);
});

Deno.test("the shortest lease counts for all, and the first that is shorter is told", () => {
  const leases = new Leases(1_000);
  assertEquals([1_000, 300, 500].map((ms) => leases.taken(0, false, ms)), [false, true, false]);
  assertEquals(leases.ms, 300);
});
