/** Processes of functions that come to an end, and what their ticks do before. */

import { assert, assertEquals } from "@std/assert";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const leftOver = (stack: TestStack) =>
  stack.sql`select id, status, attempts, retry_count, errors -> 0 ->> 'class' as error
    from public.messenger_messages order by id`;

testsOnStack({
  env: { SYMPHONY_TICK_CPU_MS: "800", SYMPHONY_WORKER_CONCURRENCY: "2" },
  limits: { cpuMs: 1800 },
}, (test) => {
  test("handlers that use up the CPU kill no process: each tick ends in time and the next one continues", async (stack) => {
    // More than any one process may use.
    const ids = await stack.dispatch(
      Array.from({ length: 60 }, () => ({ type: "Burn", payload: { ms: 40 } })),
    );
    let handled = 0;
    for (let ticks = 0; handled < ids.length; ticks++) {
      assert(ticks < 15, `handled ${handled}`);
      const response = await stack.post("tick", {});
      assertEquals(response.status, 200);
      const { messages } = await response.json();
      assert(messages.handled > 0 && messages.handled < ids.length);
      handled += messages.handled;
      // As the platform retires a worker that has used half of its CPU.
      await stack.killFunction("tick");
      assert((await leftOver(stack)).every(({ attempts }) => attempts === 0));
    }
    const effects = await stack.effects();
    assertEquals(effects.map((effect) => effect.message_id).toSorted(), ids.toSorted());
  });

  test("a process that is told to end leaves no message leased", async (stack) => {
    const [slow] = await stack.dispatch([
      { type: "Slow", payload: { ms: 60_000 }, priority: 1 },
      { type: "Slow", payload: { ms: 60_000 } },
      { type: "Note", payload: { text: "waits" } },
    ]);
    await stack.post("tick", { wait: false }).then((response) => response.body?.cancel());
    await eventually(() => stack.effects(), (effects) => effects.length === 2);
    await stack.killFunction("tick", "SIGTERM");
    const rows = await leftOver(stack);
    assertEquals(rows.map(({ status, attempts, error }) => [status, attempts, error]), [
      ["pending", 0, "WorkerStoppedError"],
      ["pending", 0, "WorkerStoppedError"],
      ["pending", 0, null],
    ]);
    assertEquals(rows[0]?.id, slow);
    const [tick] = await stack.sql`
      select ended_at, report from public.messenger_ticks where started_at is not null`;
    assert(tick?.ended_at);
    assertEquals(tick?.report, { claimed: 2, handled: 0, retried: 2, failed: 0 });
  });
});

testsOnStack({}, (test) => {
  test("a rejection that a handler forgot kills neither its process nor the messages beside it", async (stack) => {
    await stack.dispatch([
      { type: "Slow", payload: { ms: 200 } },
      { type: "Stray", payload: {} },
      { type: "Note", payload: { text: "beside" } },
    ]);
    assertEquals((await stack.tick()).messages.handled, 3);
    const [line] = stack.logs.filter((line) => line.includes("stray_error"));
    assert(line?.includes("forgotten"));
  });

  test("messages of a type are handled together, and one of them fails alone", async (stack) => {
    await stack.dispatch(
      Array.from({ length: 40 }, (_, n) => ({ type: "Together", payload: { n } })),
    );
    assertEquals((await stack.tick()).messages, {
      claimed: 41,
      handled: 40,
      retried: 1,
      failed: 0,
    });
    const effects = await stack.effects();
    const sizes = effects.map(({ payload }) => Number(payload.together));
    assert(Math.max(...sizes) > 1 && Math.max(...sizes) <= 20);
    const again = effects.filter(({ attempt }) => attempt === 2);
    assertEquals(again.map(({ payload }) => payload), [{ n: 7, together: 1 }]);
  });
});
