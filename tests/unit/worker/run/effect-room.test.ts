/** The room for what handlers dispatch: who waits, and for how long. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  type EffectOwner,
  EffectRoom,
} from "../../../../supabase/functions/_shared/symphony/worker/run/effect-room.ts";

const MB = 1_048_576;

function ownerOf(signal = new AbortController().signal): EffectOwner & { isOver: boolean } {
  return { isOver: false, signal };
}

Deno.test("a dispatch larger than the room has it when no other holds any", () => {
  assertEquals(new EffectRoom().enter(ownerOf(), 20 * MB), undefined);
});

Deno.test("a dispatch waits while others hold the room, and enters when they leave it", async () => {
  const room = new EffectRoom();
  const [first, second, third] = [ownerOf(), ownerOf(), ownerOf()];
  room.enter(first, 8 * MB);
  const entered: string[] = [];
  const waits = [
    room.enter(second, 8 * MB)?.then(() => entered.push("second")),
    room.enter(third, MB)?.then(() => entered.push("third")),
  ];
  assertEquals([entered, room.isFull], [[], true]);
  room.leave(first, 8 * MB);
  await waits[0];
  assertEquals([entered, room.isFull], [["second"], true]);
  room.leave(second, 8 * MB);
  await waits[1];
  assertEquals([entered, room.isFull], [["second", "third"], false]);
});

Deno.test("handlers that each hold a part do not wait for each other: the first to hold one continues", async () => {
  const room = new EffectRoom();
  const [first, second] = [ownerOf(), ownerOf()];
  room.enter(first, 4 * MB);
  room.enter(second, 4 * MB);
  const wait = room.enter(second, 4 * MB);
  assertEquals(room.enter(first, 4 * MB), undefined);
  room.leave(first, 8 * MB);
  await wait;
});

Deno.test("a dispatch waits for outcomes that are not written", async () => {
  let unwritten = 8 * MB;
  const room = new EffectRoom(() => unwritten);
  const wait = room.enter(ownerOf(), 1);
  unwritten = 0;
  room.changed();
  await wait;
});

Deno.test("a stop ends the wait of a dispatch, whose room no other waits for", async () => {
  const room = new EffectRoom();
  const stop = new AbortController();
  room.enter(ownerOf(), 8 * MB);
  const wait = room.enter(ownerOf(stop.signal), 1);
  stop.abort(new Error("stopped"));
  await assertRejects(() => wait ?? Promise.resolve(), Error, "stopped");
  await assertRejects(() => room.enter(ownerOf(stop.signal), 1) ?? Promise.resolve(), Error);
  assertEquals(room.isFull, false);
});

Deno.test("what an attempt has held that is over takes no room", () => {
  const room = new EffectRoom();
  const over = ownerOf();
  room.enter(over, 8 * MB);
  over.isOver = true;
  assertEquals(room.enter(ownerOf(), 1), undefined);
});

Deno.test("what an attempt has held that is over takes no room behind one that runs", () => {
  const room = new EffectRoom();
  const over = ownerOf();
  room.enter(ownerOf(), MB);
  room.enter(over, 8 * MB);
  over.isOver = true;
  assertEquals(room.enter(ownerOf(), 1), undefined);
});

Deno.test("an attempt waits once, and for a bounded time", async () => {
  const room = new EffectRoom(() => 0, 1);
  const late = ownerOf();
  room.enter(ownerOf(), 8 * MB);
  const wait = room.enter(late, MB);
  await wait;
  assertEquals(room.enter(late, MB), undefined);
});
