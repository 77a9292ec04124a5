/** The lock: ordinary messages share the process, one from a crash has it to itself. */

import { assertEquals, assertRejects } from "@std/assert";
import { ProcessLock } from "../../../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";

/** Records who is inside together. */
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

Deno.test("those who share are inside together", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  await Promise.all([lock.shared(visit("a")), lock.shared(visit("b"))]);
  assertEquals(seen, ["a", "a+b"]);
});

Deno.test("one who needs it alone waits for those inside, and lets nobody in before it has left", async () => {
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

Deno.test("two who need it alone go one after the other", async () => {
  const lock = new ProcessLock();
  const { seen, visit } = visitors();
  await Promise.all([lock.exclusive(visit("x")), lock.exclusive(visit("y"))]);
  assertEquals(seen, ["x", "y"]);
});

Deno.test("one who fails inside does not keep the lock shut", async () => {
  const lock = new ProcessLock();
  await assertRejects(() => lock.exclusive(() => Promise.reject(new Error("x"))), Error, "x");
  await assertRejects(() => lock.shared(() => Promise.reject(new Error("y"))), Error, "y");
  assertEquals(await lock.exclusive(() => Promise.resolve("in")), "in");
});
