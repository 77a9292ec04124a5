/** A receiver hands out deliveries in their order, one of a group and of a message at a time. */

import { assertEquals } from "@std/assert";
import {
  readBody,
  writeBody,
} from "../../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import {
  HeldDeliveries,
  isCounted,
  isCrashed,
  type WaitingDelivery,
} from "../../../supabase/functions/_shared/symphony/transport/held-deliveries.ts";

const ORIGIN = "00000000-0000-4000-8000-000000000001";
const NOW = Date.parse("2026-01-01T00:00:00Z");

function delivery(
  id: string,
  groupKey: string | null = null,
  { redelivered = 0, expiresAt = null as string | null } = {},
): WaitingDelivery {
  const createdAt = "2025-12-31T00:00:00Z";
  const body = writeBody({
    ...{ origin: ORIGIN, payload: id, createdAt, groupKey, expiresAt, attempts: 1 },
  });
  return {
    id,
    delivery: {
      ...{ id, publication: 1, type: "T", queue: "default", body, redelivered, handle: {} },
    },
    body: readBody(body),
    mayBeRepeated: false,
  };
}

const limits = { max: 10, maxBytes: Infinity };
const ids = (held: readonly { id: string }[]) => held.map(({ id }) => id);

Deno.test("of a group one is handed out at a time, in order", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1", "a"), delivery("2", "a"), delivery("3"), delivery("4", "b")]);
  const first = held.take(limits, "x", NOW);
  assertEquals(ids(first), ["1", "3", "4"]);
  assertEquals([held.hasReady, held.waiting], [false, 1]);
  held.remove(first.slice(0, 1));
  assertEquals(ids(held.take(limits, "y", NOW)), ["2"]);
});

Deno.test("a copy of a held message waits, and is looked up before it runs", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1"), delivery("1")]);
  const [first] = held.take(limits, "x", NOW);
  assertEquals([first?.mayBeRepeated, held.hasReady], [false, false]);
  if (first) held.remove([first]);
  assertEquals(held.take(limits, "y", NOW).map(({ mayBeRepeated }) => mayBeRepeated), [true]);
});

Deno.test("a claim has as many messages and bytes as it asks for, and one in any case", () => {
  const held = new HeldDeliveries();
  held.add(["1", "2", "3", "4"].map((id) => delivery(id)));
  assertEquals(ids(held.take({ max: 2, maxBytes: Infinity }, "x", NOW)), ["1", "2"]);
  assertEquals(ids(held.take({ max: 2, maxBytes: 1 }, "x", NOW)), ["3"]);
});

Deno.test("a message is found under the lease of its claim only", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1")]);
  held.take(limits, "x", NOW);
  assertEquals([held.get("1", "x")?.id, held.get("1", "y"), held.get("2", "x")], [
    ...["1", undefined, undefined],
  ]);
});

Deno.test("an envelope knows that the time of its message is over", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1", null, { redelivered: 2, expiresAt: "2026-01-01T00:00:00Z" })]);
  const [first] = held.take(limits, "x", NOW).map(({ envelope }) => envelope);
  assertEquals([first?.attempts, first?.expired, first?.quarantined], [2, true, false]);
});

Deno.test("a copy has crashed that workers have taken several times since it came often, and not one that only came often", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1", null, { redelivered: 7 }), delivery("2", null, { redelivered: 8 })]);
  const [first, second] = held.take(limits, "x", NOW);
  if (!first || !second) throw new Error("two were to be taken");
  assertEquals([isCounted(first), isCounted(second)], [false, true]);
  assertEquals([isCrashed(second, 3), second.envelope.quarantined], [false, false]);
  assertEquals([isCrashed(second, 4), second.envelope.quarantined], [true, true]);
  assertEquals(second.envelope.attempts, 10);
});

Deno.test("what is put back is taken again, with its group", () => {
  const held = new HeldDeliveries();
  held.add([delivery("1", "a"), delivery("2", "a"), delivery("3")]);
  held.putBack(held.take(limits, "x", NOW));
  assertEquals(ids(held.take(limits, "y", NOW)), ["1", "3"]);
});
