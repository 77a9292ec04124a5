/** The gate: ordinary messages share the process, one from a crash has it to itself. */

import { assertEquals, assertRejects } from "@std/assert";
import { Gate } from "../../../../supabase/functions/_shared/symphony/worker/run/gate.ts";

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
  const gate = new Gate();
  const { seen, visit } = visitors();
  await Promise.all([gate.shared(visit("a")), gate.shared(visit("b"))]);
  assertEquals(seen, ["a", "a+b"]);
});

Deno.test("one who needs it alone waits for those inside, and lets nobody in before it has left", async () => {
  const gate = new Gate();
  const { seen, visit } = visitors();
  await Promise.all([
    gate.shared(visit("a")),
    gate.exclusive(visit("alone")),
    gate.shared(visit("b")),
    gate.shared(visit("c")),
  ]);
  assertEquals(seen, ["a", "alone", "b", "b+c"]);
});

Deno.test("two who need it alone go one after the other", async () => {
  const gate = new Gate();
  const { seen, visit } = visitors();
  await Promise.all([gate.exclusive(visit("x")), gate.exclusive(visit("y"))]);
  assertEquals(seen, ["x", "y"]);
});

Deno.test("one who fails inside does not keep the gate shut", async () => {
  const gate = new Gate();
  await assertRejects(() => gate.exclusive(() => Promise.reject(new Error("x"))), Error, "x");
  await assertRejects(() => gate.shared(() => Promise.reject(new Error("y"))), Error, "y");
  assertEquals(await gate.exclusive(() => Promise.resolve("in")), "in");
});
