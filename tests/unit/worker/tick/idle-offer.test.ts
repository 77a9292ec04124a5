/** The spaces between a run's offers to be idle. */

import { assertEquals } from "@std/assert";
import { IdleOffer } from "../../../../supabase/functions/_shared/symphony/worker/tick/idle-offer.ts";

/** The pauses after refused offers that took so long, in ms. */
function pauses(tookMs: readonly number[], offer = new IdleOffer()): number[] {
  const { now } = performance;
  performance.now = () => 0;
  try {
    return tookMs.map((ms) => (offer.putOff(ms), offer.notBefore));
  } finally {
    performance.now = now;
  }
}

Deno.test("each refused offer puts off the next one twice as long, up to a second", () => {
  const offer = new IdleOffer();
  assertEquals(pauses(Array(9).fill(1), offer), [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
  offer.agreed();
  assertEquals(pauses([1], offer), [10]);
});

Deno.test("after an offer for which the database has waited, the next comes soon", () => {
  assertEquals(pauses([1, 1, 1, 2_500, 1]), [10, 20, 40, 10, 20]);
});
