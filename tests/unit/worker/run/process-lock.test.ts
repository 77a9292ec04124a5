/** The process lock: ordinary messages share the process, a quarantined message has it to itself. */

import { assertEquals, assertRejects } from "@std/assert";
import { ProcessLock } from "../../../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";

/** Records which messages run together. */
function visitors() {
  const inside = new Set<string>();
  const seen: string[] = [];
  const visit = (name: string) => async () => {
    inside.add(name);
    seen.push([...inside].toSorted().join("+"));
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside.delete(name);
  };
  return { seen, visit };
}

Deno.test("ordinary messages run together", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  await Promise.all([lock.shared(visit("a")), lock.shared(visit("b"))]);
  assertEquals(seen, ["a", "a+b"]);
});

Deno.test("a quarantined message waits for running handlers and blocks new ones until it ends", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  await Promise.all([
    lock.shared(visit("a")),
    lock.exclusive(visit("alone")),
    lock.shared(visit("b")),
    lock.shared(visit("c")),
  ]);
  assertEquals(seen, ["a", "alone", "b", "b+c"]);
});

Deno.test("two quarantined messages run one after the other", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  await Promise.all([lock.exclusive(visit("x")), lock.exclusive(visit("y"))]);
  assertEquals(seen, ["x", "y"]);
});

Deno.test("work that fails releases the lock", async () => {
  const lock = new ProcessLock();
  await assertRejects(() => lock.exclusive(() => Promise.reject(new Error("x"))), Error, "x");
  await assertRejects(() => lock.shared(() => Promise.reject(new Error("y"))), Error, "y");
  assertEquals(await lock.exclusive(() => Promise.resolve("in")), "in");
});

Deno.test("a quarantined message that gives up its turn lets in those behind it", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  const alone = visit("alone");
  const first = Promise.withResolvers<void>();
  const running = lock.shared(() => first.promise);
  const waiting = [lock.exclusive(alone), lock.shared(visit("b"))];
  lock.withdraw(alone);
  assertEquals(await Promise.all(waiting), [null, undefined]);
  assertEquals(seen, ["b"]);
  first.resolve();
  await running;
});
