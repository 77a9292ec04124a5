/** The order in which claimed messages start. */

import { assertEquals } from "@std/assert";
import type { Envelope } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { Inbox } from "../../../../supabase/functions/_shared/symphony/worker/claim/inbox.ts";

const envelope = (id: string, more: Partial<Envelope> = {}): Envelope => ({
  id,
  type: "T",
  payload: null,
  queue: "default",
  priority: 0,
  availableAt: new Date(0),
  createdAt: new Date(0),
  expiresAt: null,
  expired: false,
  retryCount: 0,
  attempts: 1,
  groupKey: null,
  stamps: {},
  quarantined: false,
  leaseToken: "",
  ...more,
});
const ids = (envelopes: Iterable<Envelope>) => [...envelopes].map(({ id }) => id);
const one = () => 1;

Deno.test("messages start in the order of their claim, those that have to hurry first", () => {
  const inbox = new Inbox();
  inbox.add([envelope("1"), envelope("2", { startWindowMs: null })], 0);
  inbox.add([envelope("3", { startWindowMs: 50 }), envelope("4", { startWindowMs: 20 })], 100);
  assertEquals([inbox.size, inbox.startBy], [4, 120]);
  assertEquals([1, 2, 3, 4, 5].map(() => ids(inbox.take(one))), [["3"], ["4"], ["1"], ["2"], []]);
  assertEquals([inbox.size, inbox.startBy], [0, Infinity]);
});

Deno.test("a message is late once its time is over, counted from the request", () => {
  const inbox = new Inbox();
  inbox.add([envelope("1"), envelope("2", { startWindowMs: 50 })], 100);
  inbox.add([envelope("3", { startWindowMs: 80 })], 100);
  assertEquals(ids(inbox.takeLate(149)), []);
  assertEquals(ids(inbox.takeLate(150)), ["2"]);
  assertEquals(ids(inbox), ["3", "1"]);
});

Deno.test("messages of a type are taken together up to the capacity, others keep their place", () => {
  const inbox = new Inbox();
  const types = ["B", "A", "B", "B", "A"];
  inbox.add(types.map((type, index) => envelope(String(index), { type })), 0);
  inbox.add([envelope("5", { type: "B", quarantined: true }), envelope("6", { type: "B" })], 0);
  const capacity = (type: string) => type === "B" ? 3 : 1;
  assertEquals([1, 2, 3, 4, 5].map(() => ids(inbox.take(capacity))), [
    ["0", "2", "3"],
    ["1"],
    ["4"],
    ["5"],
    ["6"],
  ]);
});

Deno.test("messages are taken out by id, from the end, or all at once", () => {
  const inbox = new Inbox();
  inbox.add(["1", "2", "3", "4"].map((id) => envelope(id)), 0);
  inbox.add([envelope("5", { startWindowMs: 9 })], 0);
  assertEquals(ids(inbox.takeOut(["2", "9"])), ["2"]);
  assertEquals(ids(inbox.takeBeyond(2)), ["4"]);
  assertEquals(ids(inbox.takeAll()), ["5", "1", "3"]);
  assertEquals(inbox.size, 0);
});
