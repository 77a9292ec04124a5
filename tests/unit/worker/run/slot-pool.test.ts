/** Slots that workers of several transports share: none is idle while one has work, and each gets its share. */

import { assertEquals } from "@std/assert";
import { SlotPool } from "../../../../supabase/functions/_shared/symphony/worker/run/slot-pool.ts";

function setup(size: number, workers: number) {
  const pool = new SlotPool(size);
  const told: number[] = [];
  const shares = Array.from({ length: workers }, (_, index) => pool.join(() => told.push(index)));
  const [a, b] = shares;
  if (!a || !b) throw new Error("needs two workers");
  return { a, b, shares, told };
}

/** Takes all slots that are free for a worker. */
function fill(share: { readonly free: number; take(): void }): number {
  let taken = 0;
  for (; share.free > 0; taken++) share.take();
  return taken;
}

Deno.test("a worker uses all slots while the others have nothing to run", () => {
  const { a, b } = setup(10, 2);
  assertEquals([a.free, b.free], [10, 10]);
  assertEquals([fill(a), b.free], [10, 0]);
});

Deno.test("the slots that become free go to the one that waits, until it has its share", () => {
  const { a, b, told } = setup(10, 2);
  fill(a);
  b.want(true);
  for (let ended = 1; ended <= 5; ended++) {
    a.give();
    assertEquals([a.free, b.free], [0, 1]);
    b.take();
    b.want(true);
  }
  assertEquals(told, [1, 1, 1, 1, 1]);
  a.want(true);
  a.give();
  assertEquals([a.free, b.free], [1, 0]);
});

Deno.test("a worker above its share keeps nothing free for one that no longer waits", () => {
  const { a, b, told } = setup(4, 2);
  fill(a);
  b.want(true);
  a.give();
  assertEquals(a.free, 0);
  b.want(false);
  assertEquals([a.free, told], [1, [1, 0]]);
});

Deno.test("workers that share fewer slots than they are take turns", () => {
  const { a, b } = setup(1, 2);
  const order: string[] = [];
  a.want(true);
  b.want(true);
  for (let turn = 0; turn < 6; turn++) {
    const [name, one] = a.free > 0 ? ["a", a] as const : ["b", b] as const;
    assertEquals(one.free, 1);
    one.take();
    order.push(name);
    one.want(true);
    one.give();
  }
  assertEquals(order.join(""), "ababab");
});

Deno.test("a worker that has ended leaves its slots to the others", () => {
  const { a, b, told } = setup(4, 2);
  b.want(true);
  assertEquals(fill(a), 2);
  b.leave();
  assertEquals(a.free, 2);
  assertEquals(told, [0]);
});

Deno.test("a worker without messages is told that slots are free once it has found none, and not of each", () => {
  const { a, b, told } = setup(4, 2);
  assertEquals(b.free, 4);
  fill(a);
  a.give();
  assertEquals(told, []);
  fill(a);
  assertEquals(b.free, 0);
  a.give();
  a.give();
  assertEquals(told, [1]);
  assertEquals(b.free, 2);
});
