/** Calls of a handler after its attempt is over. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { defineOnce, never } from "../../../support/definitions.ts";
import { trouble } from "../../../support/trouble.ts";
import { workbench } from "../../../support/worker.ts";
import {
  defineMessage,
  type HandlerContext,
} from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("what a handler calls after its attempt is ignored with a warning", async () => {
  const late = Promise.withResolvers<HandlerContext>();
  const child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
  const { bus, memory, work, lines } = workbench([
    defineOnce((_, ctx) => late.resolve(ctx)),
    child,
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  const ctx = await late.promise;
  ctx.progress(0.5);
  ctx.log.info("late");
  await assertRejects(() => ctx.dispatch(child, {}), Error, "the attempt is over");
  assertEquals(memory.messages.length, 0);
  assertEquals(memory.progress.size, 0);
  const told = lines.filter(({ event }) => event === "late_call_ignored").map(({ call }) => call);
  assertEquals(told.toSorted(), ["ctx.dispatch", "ctx.log", "ctx.progress"]);
  assertEquals(lines.some(({ event }) => event === "late"), false);
});

Deno.test("a late dispatch that nothing waits for disturbs no one", async () => {
  const child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
  const { bus, work } = workbench([
    defineOnce((_, ctx) => void setTimeout(() => void ctx.dispatch(child, {}), 20)),
    child,
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  // A stray rejection would fail this test.
  await new Promise((resolve) => setTimeout(resolve, 60));
});

Deno.test("what the function of a step dispatches or emits after its end is told once, and disturbs no one", async () => {
  const child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
  const { bus, memory, work, lines } = workbench([
    defineOnce(async (_, ctx) => {
      const called = Promise.withResolvers<void>();
      await ctx.step("forgetful", () =>
        void setTimeout(() => {
          // A stray rejection would fail this test.
          for (let nth = 0; nth < 2; nth++) void ctx.dispatch(child, {});
          void ctx.emit("done");
          setTimeout(called.resolve, 5);
        }, 5));
      await called.promise;
    }),
    child,
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals(memory.messages.length, 0);
  const told = lines.filter(({ event }) => event === "late_call_ignored").map(({ call }) => call);
  assertEquals(told.toSorted(), ["ctx.dispatch", "ctx.emit"]);
});

Deno.test("a message whose timed-out handler still works does not run a second time beside it", async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const stubborn = defineOnce(async () => {
    runs++;
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 150));
    running--;
  }, { timeout: "20ms", retry: { maxRetries: 2, delay: 0 } });
  const { bus, memory, work } = workbench([stubborn]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ budgetMs: 5_000 });
  assertEquals([runs, most, memory.failed[0]?.reason], [3, 1, "exhausted"]);
});

Deno.test("a handler that ignores its stop keeps its group and its queue's places while it works", async () => {
  const order: string[] = [];
  let running = 0;
  let most = 0;
  const stubborn = defineOnce(async (payload) => {
    most = Math.max(most, ++running);
    order.push(`${payload} begins`);
    await new Promise((resolve) => setTimeout(resolve, payload === 1 ? 100 : 1));
    order.push(`${payload} ends`);
    running--;
  }, { timeout: "20ms", retry: { maxRetries: 0 } });
  const { bus, memory, work } = workbench([stubborn]);
  memory.queues.set("default", { concurrency: 1 });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({
    type: "T",
    payload,
    options: { groupKey: "g" },
  })));
  await work({ budgetMs: 5_000 });
  assertEquals(most, 1);
  assertEquals(order.slice(0, 3), ["1 begins", "1 ends", "2 begins"]);
});

Deno.test("a handler that never ends is waited for as long as the definition's grace, then told of", async () => {
  const { reason, errors, lines } = await trouble(
    defineOnce(() => never, { timeout: "20ms", stopGrace: "50ms" }),
  );
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
  assert(lines.includes("handler_still_runs"));
});
