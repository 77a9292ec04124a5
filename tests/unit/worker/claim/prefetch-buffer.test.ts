/** The order in which claimed messages start. */

import { assertEquals } from "@std/assert";
import type { Envelope } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { envelopeAt } from "../../../support/envelope.ts";
import { PrefetchBuffer } from "../../../../supabase/functions/_shared/symphony/worker/claim/prefetch-buffer.ts";

const envelope = (id: string, more: Partial<Envelope> = {}) =>
  envelopeAt(new Date(0), { id, ...more });
const ids = (envelopes: Iterable<Envelope>) => [...envelopes].map(({ id }) => id);
const one = () => 1;

Deno.test("messages start in the order of their claim, those with a start window first", () => {
  const buffer = new PrefetchBuffer();
  buffer.add([envelope("1"), envelope("2", { startWindowMs: null })], 0);
  buffer.add([envelope("3", { startWindowMs: 50 }), envelope("4", { startWindowMs: 20 })], 100);
  assertEquals([buffer.size, buffer.startBy], [4, 120]);
  assertEquals([1, 2, 3, 4, 5].map(() => ids(buffer.take(one))), [["3"], ["4"], ["1"], ["2"], []]);
  assertEquals([buffer.size, buffer.startBy], [0, Infinity]);
});

Deno.test("a message is late once its start window is over, counted from the request", () => {
  const buffer = new PrefetchBuffer();
  buffer.add([envelope("1"), envelope("2", { startWindowMs: 50 })], 100);
  buffer.add([envelope("3", { startWindowMs: 80 })], 100);
  assertEquals(ids(buffer.takeLate(149)), []);
  assertEquals(ids(buffer.takeLate(150)), ["2"]);
  assertEquals(ids(buffer), ["3", "1"]);
});

Deno.test("messages of a type are taken together up to the capacity, others keep their place", () => {
  const buffer = new PrefetchBuffer();
  const types = ["B", "A", "B", "B", "A"];
  buffer.add(types.map((type, index) => envelope(String(index), { type })), 0);
  buffer.add([envelope("5", { type: "B", quarantined: true }), envelope("6", { type: "B" })], 0);
  const capacity = (type: string) => type === "B" ? 3 : 1;
  assertEquals([1, 2, 3, 4, 5].map(() => ids(buffer.take(capacity))), [
    ["0", "2", "3"],
    ["1"],
    ["4"],
    ["5"],
    ["6"],
  ]);
});

Deno.test("a batch takes no quarantined message in", () => {
  const buffer = new PrefetchBuffer();
  const type = "B";
  buffer.add([envelope("0", { type }), envelope("1", { type, quarantined: true })], 0);
  buffer.add([envelope("2", { type })], 0);
  assertEquals([1, 2].map(() => ids(buffer.take(() => 3))), [["0", "2"], ["1"]]);
});

Deno.test("messages are taken out by id, from the end, or all at once", () => {
  const buffer = new PrefetchBuffer();
  buffer.add(["1", "2", "3", "4"].map((id) => envelope(id)), 0);
  buffer.add([envelope("5", { startWindowMs: 9 })], 0);
  assertEquals(ids(buffer.takeOut(["2", "9"])), ["2"]);
  assertEquals(ids(buffer.takeBeyond(2)), ["4"]);
  assertEquals(ids(buffer.takeAll()), ["5", "1", "3"]);
  assertEquals(buffer.size, 0);
});

Deno.test("lanes of a queue take turns, so that a new one does not wait behind a full buffer", () => {
  const buffer = new PrefetchBuffer();
  buffer.add(["1", "2", "3"].map((id) => envelope(id, { queue: "reports/acme" })), 0);
  buffer.add([envelope("4", { queue: "mail" }), envelope("5", { queue: "reports/globex" })], 0);
  assertEquals(ids(buffer), ["1", "5", "2", "4", "3"]);
  buffer.add([envelope("6", { queue: "other/acme" }), envelope("7", { queue: "mail" })], 0);
  assertEquals(ids(buffer), ["1", "5", "2", "4", "3", "6", "7"]);
});
