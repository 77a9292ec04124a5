/** The watch of a resident worker: when it waits in the database, and what it does with the answer. */

import { assertEquals } from "@std/assert";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { Watch } from "../../../../supabase/functions/_shared/symphony/worker/resident/watch.ts";

const report = { claimed: 0, handled: 0, retried: 0, failed: 0 };
const free = { now: 0, stopping: false, calling: false, idle: true, stalledMs: 0, report };

function watching({ quiet = true, leavesDue = false } = {}) {
  const waits: PromiseWithResolvers<boolean>[] = [];
  const events: string[] = [];
  let told = Promise.withResolvers<void>();
  const watch = new Watch({
    awaitDue: () => {
      const wait = Promise.withResolvers<boolean>();
      waits.push(wait);
      return wait.promise;
    },
    planner: { quiet, leavesDue, pollNow: () => void events.push("poll") },
    changed: {
      notify: () => {
        events.push("notify");
        told.resolve();
        told = Promise.withResolvers();
      },
    },
    log: createLogger({ level: "error", write: () => {} }),
  });
  const answer = async (isDue: boolean | Error) => {
    const next = told.promise;
    const wait = waits.at(-1);
    if (isDue instanceof Error) wait?.reject(isDue);
    else wait?.resolve(isDue);
    await next;
  };
  return { watch, waits, events, answer };
}

Deno.test("an idle worker waits in one call at a time", async () => {
  const { watch, waits, answer } = watching();
  watch.turn(free);
  watch.turn(free);
  assertEquals(waits.length, 1);
  await answer(false);
  watch.turn(free);
  assertEquals(waits.length, 2);
});

Deno.test("a wait that ends with a due message makes the worker poll", async () => {
  const { watch, events, answer } = watching();
  watch.turn(free);
  await answer(true);
  assertEquals(events, ["poll", "notify"]);
});

Deno.test("a due message that no claim can lease makes the worker poll after a pause", async () => {
  const { watch, events, answer } = watching({ leavesDue: true });
  watch.turn(free);
  const isOver = answer(true);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(events, []);
  await isOver;
  assertEquals(events, ["poll", "notify"]);
});

Deno.test("a wait that ends without one does not", async () => {
  const { watch, events, answer } = watching();
  watch.turn(free);
  await answer(false);
  assertEquals(events, ["notify"]);
});

Deno.test("a wait that fails makes the worker poll, after a pause", async () => {
  const { watch, events, answer } = watching();
  watch.turn(free);
  await answer(new Error("no connection"));
  assertEquals(events, ["poll", "notify"]);
});

Deno.test("a worker that stops, claims, has no free slot or is about to poll does not wait", () => {
  const { watch, waits } = watching();
  watch.turn({ ...free, stopping: true });
  watch.turn({ ...free, calling: true });
  watch.turn({ ...free, stalledMs: 1 });
  const polling = watching({ quiet: false });
  polling.watch.turn(free);
  assertEquals([waits.length, polling.waits.length], [0, 0]);
});
