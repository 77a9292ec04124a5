/** The command `worker`: messages in a resident process, beside ticks, and what becomes of them when it ends. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HEAVY_MESSAGES, startCommand, workers } from "../support/resident.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const heavy = (type: string, ms: number, count: number) =>
  Array.from({ length: count }, () => ({ type, payload: { ms } }));

const failed = async (stack: TestStack) => {
  const rows = await stack.sql<{ reason: string }[]>`
    select reason from public.messenger_failed_messages`;
  return rows.map(({ reason }) => reason);
};

testsOnStack({ messages: HEAVY_MESSAGES }, (test) => {
  // 24 times 5 s would take two minutes: here each computes for 200 ms, longer than two leases in all.
  test("24 handlers that compute run in it, each once, while ticks serve the other queues", async (stack) => {
    const worker = await startCommand(stack, "--concurrency", "24", "--name", "vm");
    await stack.dispatch(heavy("Compute", 200, 24));
    await stack.dispatch(
      Array.from({ length: 5 }, () => ({ type: "Note", payload: { text: "a" } })),
    );
    assertEquals((await stack.tick()).messages, { claimed: 5, handled: 5, retried: 0, failed: 0 });
    assert(await stack.count() > 0, "the ticks were done first");
    const refused = await stack.post("tick", { queues: ["heavy"] });
    assertEquals(refused.status, 400);
    assertStringIncludes(await refused.text(), "heavy runs on workers");
    await eventually(() => stack.count(), (count) => count === 0);
    const computed = (await stack.effects()).filter(({ type }) => type === "Compute");
    assertEquals(computed.map(({ attempt }) => attempt), Array(24).fill(1));
    assertEquals(await failed(stack), []);
    worker.kill("SIGTERM");
    assertEquals((await worker.status).code, 0);
    const [row] = await workers(stack);
    assertEquals([row?.worker, row?.queues], ["vm", ["heavy"]]);
    assertEquals(row?.report, { claimed: 24, handled: 24, retried: 0, failed: 0 });
    assert(row?.ended_at);
  });

  test("SIGTERM lets a running handler finish, and leaves the rest to others", async (stack) => {
    const worker = await startCommand(stack, "--concurrency", "1", "--grace", "60");
    await stack.dispatch(heavy("Wait", 500, 3));
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    worker.kill("SIGTERM");
    assertEquals((await worker.status).code, 0);
    assertEquals(await stack.count(), 2);
    const rows = await stack.sql`select status, attempts from public.messenger_messages`;
    assertEquals(rows.map(({ status, attempts }) => [status, attempts]), [
      ["pending", 0],
      ["pending", 0],
    ]);
  });

  test("a second signal gives a running handler back at once, and another worker takes it", async (stack) => {
    const worker = await startCommand(stack, "--grace", "600");
    await stack.dispatch(heavy("Wait", 600_000, 1));
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    worker.kill("SIGINT");
    worker.kill("SIGTERM");
    await worker.status;
    const rows = await stack.sql`select status from public.messenger_messages`;
    assertEquals(rows.map(({ status }) => status), ["pending"]);
    const next = await startCommand(stack, "--grace", "0");
    await eventually(() => stack.effects(), (effects) => effects.length === 2);
    next.kill("SIGTERM");
    await next.status;
  });

  test("a worker whose command is killed drains by itself", async (stack) => {
    const worker = await startCommand(stack, "--grace", "0");
    worker.kill("SIGKILL");
    await worker.status;
    await eventually(() => workers(stack), ([row]) => row?.ended_at !== null);
  });
});
