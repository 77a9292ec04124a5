/** Outcomes that wait to be written. */

import { assertEquals } from "@std/assert";
import type { Effects } from "../../../../supabase/functions/_shared/symphony/message/effects.ts";
import {
  handled,
  type Settlement,
} from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import {
  MAX_CALL_SIZE,
  MAX_UNWRITTEN_SIZE,
  SettleBuffer,
} from "../../../../supabase/functions/_shared/symphony/worker/settle/settle-buffer.ts";
import { envelopeAt } from "../../../support/envelope.ts";

Deno.test("outcomes that one call could not write as well are due with the next", () => {
  const buffer = new SettleBuffer(100);
  const effects = { messages: [], emits: [], size: 0.6 * MAX_CALL_SIZE };
  for (const id of ["1", "2"]) buffer.add(envelopeAt(new Date(0), { id }), handled, effects);
  const later = buffer.dueAt;
  assertEquals([buffer.isDue(later - 1, false), buffer.take().length], [true, 1]);
  assertEquals([buffer.isDue(later - 1, false), buffer.isDue(later, false)], [false, true]);
  assertEquals([buffer.take().length, buffer.isEmpty, buffer.dueAt], [1, true, Infinity]);
});

Deno.test("a buffer is full while large results, errors and effects wait or are being written", () => {
  const envelope = envelopeAt(new Date(0), { id: "1" });
  const size = MAX_UNWRITTEN_SIZE / 2;
  const half = size / 2;
  const error = { message: "m".repeat(half), class: "Error", stack: "s".repeat(half) };
  const at = { attempt: 1, at: "2026-01-01T00:00:00.000Z", durationMs: 0 };
  const large: [Settlement["outcome"], Effects?][] = [
    [{ kind: "handled", result: "", resultBytes: size }],
    [{ kind: "dead", reason: "exhausted", errors: [{ ...error, ...at }] }],
    [{ kind: "retry", delayMs: 0, retryCount: 1, errors: [{ ...error, ...at }] }],
    [handled, { messages: [], emits: [], size }],
  ];
  for (const [outcome, effects] of large) {
    const buffer = new SettleBuffer(100);
    buffer.add(envelope, outcome, effects);
    const first = buffer.take();
    buffer.add(envelope, outcome, effects);
    assertEquals([buffer.isFull, buffer.isEmpty], [true, false]);
    buffer.written(first);
    assertEquals(buffer.isFull, false);
  }
});
