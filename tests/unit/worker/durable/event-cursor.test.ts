/** The place of a message in the events of a key. */

import { assertEquals } from "@std/assert";
import {
  allMovedOn,
  movedOn,
} from "../../../../supabase/functions/_shared/symphony/worker/durable/event-cursor.ts";

const events = (...ids: number[]) => ids.map((id) => ({ id: String(id), event: "x", value: null }));
const read = (ids: number[], isAll: boolean, lastId = 100) => ({
  events: events(...ids),
  isAll,
  snapshot: "later",
  lastId: String(lastId),
});
const cursor = { id: "50", snapshot: "former" };

Deno.test("a read that was looked at to its end moves the cursor behind all events there are", () => {
  assertEquals(movedOn("x", undefined, read([], true)), { id: "100", snapshot: "later" });
  assertEquals(movedOn("x", cursor, read([20, 60], true)), { id: "100", snapshot: "later" });
  // Old events were pruned.
  assertEquals(movedOn("x", cursor, read([], true, 0)), { id: "50", snapshot: "later" });
});

Deno.test("an event that is taken moves the cursor behind itself", () => {
  assertEquals(movedOn("x", undefined, read([60], false)), { id: "60", snapshot: "later" });
  assertEquals(movedOn("x", cursor, read([20, 60], false)), { id: "60", snapshot: "later" });
});

Deno.test("an event that was committed late and is taken is named, so that the other late ones are still new", () => {
  const once = movedOn("x", cursor, read([20], false));
  assertEquals(once, { ...cursor, seen: ["20"] });
  assertEquals(movedOn("x", once, read([30, 40], false)), { ...cursor, seen: ["20", "30", "40"] });
  assertEquals(movedOn("x", once, read([30, 60], false)), { id: "60", snapshot: "later" });
});

Deno.test("ids are compared as numbers, beyond those that a double holds", () => {
  const large = { id: "9007199254740993", snapshot: "former" };
  assertEquals(movedOn("x", large, read([], true, 9)), { ...large, snapshot: "later" });
  assertEquals(movedOn("x", { id: "9", snapshot: "former" }, read([10], false))?.id, "10");
});

Deno.test("each key has a cursor of its own", () => {
  const examined = {
    events: [{ id: "60", event: "y", value: null }],
    isAll: false,
    snapshot: "later",
    lastId: "100",
  };
  assertEquals(allMovedOn(["x", "y", "z"], { x: cursor }, examined), {
    x: cursor,
    y: { id: "60", snapshot: "later" },
  });
});
