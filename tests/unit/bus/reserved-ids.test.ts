/** Reserved ids: how many calls they take, and which id a dispatch gets. */

import { assertEquals, assertRejects } from "@std/assert";
import { TransportError } from "../../../supabase/functions/_shared/symphony/index.ts";
import { ReservedIds } from "../../../supabase/functions/_shared/symphony/bus/reserved-ids.ts";

/** Ids from a sequence, and the sizes of the calls. A call ends when the test lets it. */
function sequence(most = Infinity) {
  let next = 1;
  const calls: number[] = [];
  const waiting: (() => void)[] = [];
  const ids = new ReservedIds({
    reserveIds: async (number) => {
      calls.push(number);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return Array.from({ length: Math.min(number, most) }, () => String(next++));
    },
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  const answer = async () => {
    await settle();
    waiting.shift()?.();
    await settle();
  };
  return { ids, calls, answer };
}

Deno.test("dispatches share a call, and the next ones need none", async () => {
  const { ids, calls, answer } = sequence();
  const first = [ids.take(false), ids.take(false), ids.take(false)];
  await answer();
  assertEquals(await Promise.all(first), ["1", "2", "3"]);
  assertEquals([ids.take(false), ids.take(false)], ["4", "5"]);
  assertEquals(calls, [11]);
});

Deno.test("a message of a group gets an id that was reserved after its dispatch", async () => {
  const { ids, calls, answer } = sequence();
  const first = ids.take(false);
  // The call that is under way may have drawn its ids before.
  await Promise.resolve();
  await Promise.resolve();
  const grouped = ids.take(true);
  const other = ids.take(false);
  await answer();
  assertEquals([await first, await other], ["1", "2"]);
  await answer();
  assertEquals(await grouped, "10");
  assertEquals(calls, [9, 1]);
  assertEquals(ids.take(false), "3");
});

Deno.test("a call that fails fails those that waited for it, and no others", async () => {
  let calls = 0;
  const ids = new ReservedIds({
    reserveIds: (number) =>
      ++calls === 1
        ? Promise.reject(new Error("out of reach"))
        : Promise.resolve(Array.from({ length: number }, (_, index) => String(index))),
  });
  await assertRejects(async () => await ids.take(false), Error, "out of reach");
  assertEquals(await ids.take(false), "0");
});

Deno.test("a call that a passing fault has hit is repeated, and no dispatch learns of it", async () => {
  let calls = 0;
  const ids = new ReservedIds({
    reserveIds: () =>
      ++calls < 3
        ? Promise.reject(new TransportError("reserve_ids", "HTTP 502", true))
        : Promise.resolve(["7"]),
  });
  assertEquals([await ids.take(false), calls], ["7", 3]);
});

Deno.test("a transport that reserves one id a call serves each dispatch", async () => {
  const { ids, calls, answer } = sequence(1);
  const taken = [ids.take(false), ids.take(true), ids.take(false)];
  for (const _ of taken) await answer();
  assertEquals(await Promise.all(taken), ["1", "2", "3"]);
  assertEquals(calls.length, 3);
});

Deno.test("a transport that reserves none fails the dispatch", async () => {
  const ids = new ReservedIds({ reserveIds: () => Promise.resolve([]) });
  await assertRejects(async () => await ids.take(false), RangeError, "has to return an id");
});

Deno.test("each call brings more ids than the one before, up to a thousand", async () => {
  const { ids, calls, answer } = sequence();
  for (let call = 0; call < 9; call++) {
    let taken = ids.take(false);
    while (typeof taken === "string") taken = ids.take(false);
    await answer();
    await taken;
  }
  assertEquals(calls, [9, 17, 33, 65, 129, 257, 513, 1000, 1000]);
});
