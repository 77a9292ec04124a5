/** Outcomes that wait to be written. */

import { assertEquals } from "@std/assert";
import { MAX_EFFECTS_SIZE } from "../../../../supabase/functions/_shared/symphony/message/effects.ts";
import { handled } from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { SettleBuffer } from "../../../../supabase/functions/_shared/symphony/worker/settle/settle-buffer.ts";
import { envelopeAt } from "../../../support/envelope.ts";

Deno.test("outcomes that one call could not write as well are due with the next", () => {
  const buffer = new SettleBuffer(100);
  const effects = { messages: [], emits: [], size: 0.6 * MAX_EFFECTS_SIZE };
  for (const id of ["1", "2"]) buffer.add(envelopeAt(new Date(0), { id }), handled, effects);
  const later = buffer.dueAt;
  assertEquals([buffer.isDue(later - 1, false), buffer.take().length], [true, 1]);
  assertEquals([buffer.isDue(later - 1, false), buffer.isDue(later, false)], [false, true]);
  assertEquals([buffer.take().length, buffer.isEmpty, buffer.dueAt], [1, true, Infinity]);
});
