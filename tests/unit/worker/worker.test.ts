/** A worker's treatment of the messages that it claims. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { changed, overriding } from "../../support/changed_transport.ts";
import { define, defineLate, payloads } from "../../support/definitions.ts";
import { workbench } from "../../support/worker.ts";
import {
  defineMessage,
  type HandlerContext,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("a worker handles what is due, and ends at once when nothing more is", async () => {
  const seen: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => seen.push(payload))]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  await bus.dispatchAll([{ type: "T", payload: 4, options: { delay: "1h" } }]);
  assertEquals(await work({ budgetMs: 600_000 }), {
    claimed: 3,
    handled: 3,
    retried: 0,
    failed: 0,
  });
  assertEquals([seen, memory.messages.length], [[1, 2, 3], 1]);
});

Deno.test("a worker drains more than one batch", async () => {
  const { bus, memory, work } = workbench([define(() => {})]);
  await bus.dispatchAll(Array.from({ length: 95 }, (_, payload) => ({ type: "T", payload })));
  assertEquals((await work()).handled, 95);
  assertEquals(memory.messages, []);
});

Deno.test("no more handlers run at once than the concurrency", async () => {
  let running = 0;
  let most = 0;
  const { bus, work } = workbench([define(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  })]);
  await bus.dispatchAll(Array.from({ length: 30 }, (_, payload) => ({ type: "T", payload })));
  await work({ batchSize: 20, concurrency: 3 });
  assertEquals(most, 3);
});

Deno.test("a handler may dispatch, and the same worker takes the new message", async () => {
  const seen: string[] = [];
  const second = defineMessage({
    type: "Second",
    schema: z.string(),
    handler: (payload) => seen.push(payload),
  });
  const first = defineMessage({
    type: "First",
    schema: z.string(),
    handler: async (payload, { dispatch }) => void await dispatch(second, `${payload} again`),
  });
  const { bus, work } = workbench([first, second]);
  await bus.dispatch(first, "hello");
  assertEquals((await work()).handled, 2);
  assertEquals(seen, ["hello again"]);
});

Deno.test("a worker takes what was dispatched by a settle call that ended while a claim was under way", async () => {
  const handled: string[] = [];
  const ready = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  const make = (type: string, handler: (ctx: HandlerContext) => Promise<unknown>) =>
    defineMessage({
      type,
      schema: z.null(),
      handler: async (_, ctx) => {
        await handler(ctx);
        handled.push(type);
      },
    });
  const third = make("Third", async () => {});
  const { bus, work } = workbench([
    make("First", async () => {}),
    make("Second", async (ctx) => {
      await ready.promise;
      await ctx.dispatch(third, null);
    }),
    third,
  ], {
    wrap: (memory) =>
      overriding(memory, {
        // The claim beside the first outcome finds nothing, and its answer comes after the second outcome was written.
        settleAndClaim: async (settlements, request) => {
          const answer = await memory.settleAndClaim(settlements, request);
          ready.resolve();
          await settled.promise;
          return answer;
        },
        settle: async (settlements) => {
          const answer = await memory.settle(settlements);
          settled.resolve();
          return answer;
        },
      }),
  });
  await bus.dispatchAll([{ type: "First", payload: null }, { type: "Second", payload: null }]);
  await work();
  assertEquals(handled, ["First", "Second", "Third"]);
});

Deno.test("a worker does not miss the moment at which a message falls due, wherever the clock moves on", async () => {
  const { now } = performance;
  // The milliseconds that pass between two readings of the clock.
  for (let step = 1; step <= 50; step++) {
    const { bus, work } = workbench([define(() => {})]);
    await bus.dispatchAll([{ type: "T", payload: 1, options: { delay: 2 } }]);
    let ahead = 0;
    performance.now = () => now.call(performance) + (ahead += step);
    let missed: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        missed = setTimeout(() => reject(new Error(`missed with steps of ${step} ms`)), 2_000);
      });
      const report = await Promise.race([work({ budgetMs: 3_600_000 }), late]);
      assertEquals(report.handled, 1);
    } finally {
      clearTimeout(missed);
      performance.now = now;
    }
  }
});

Deno.test("the outcome of a message that belongs to a group says so", async () => {
  const grouped: unknown[] = [];
  const { bus, work } = workbench([defineLate(() => {})], {
    wrap: (memory) =>
      changed(memory, { settle: (all) => grouped.push(...all.map(({ grouped }) => grouped)) }),
  });
  await bus.dispatchAll([
    { type: "T", payload: 1, options: { groupKey: "a" } },
    { type: "T", payload: 2 },
  ]);
  await work();
  assertEquals(grouped, [true, undefined]);
});

Deno.test("outcomes are written, and a run ends, although the database can serve no more claims", async () => {
  const lateBy = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  let claims = 0;
  const tooMuch = new TransportError("claim", "statement timeout", true, { fault: "too_much" });
  const { bus, memory, work } = workbench([define((ms) => lateBy(ms as number))], {
    wrap: (memory) =>
      overriding(memory, {
        claim: (request) => claims++ > 0 ? Promise.reject(tooMuch) : memory.claim(request),
        settleAndClaim: () => Promise.reject(tooMuch),
      }),
  });
  // The claims that go with the first two outcomes keep both calls that a worker makes at once.
  await bus.dispatchAll([50, 300, 700].map((payload) => ({ type: "T", payload })));
  assertEquals((await work({ budgetMs: 1_000 })).handled, 3);
  assertEquals(memory.messages, []);
});

Deno.test("no message starts while results of 8 MB are not written, and a call writes 4 MB at most", async () => {
  let unwritten = 0;
  let most = 0;
  const calls: number[] = [];
  const T = define(() => {
    most = Math.max(most, ++unwritten);
    return "x".repeat(250_000);
  }, { keep: { for: "1h", result: true } });
  const { bus, work } = workbench([T], {
    wrap: (memory) => {
      const slow = async <Answer>(settlements: readonly unknown[], call: () => Promise<Answer>) => {
        calls.push(settlements.length);
        // Handlers have many turns of the event loop meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 20));
        unwritten -= settlements.length;
        return await call();
      };
      return overriding(memory, {
        settle: (some) => slow(some, () => memory.settle(some)),
        settleAndClaim: (some, request) => slow(some, () => memory.settleAndClaim(some, request)),
      });
    },
  });
  await bus.dispatchAll(payloads(150));
  assertEquals((await work({ batchSize: 150, budgetMs: 60_000 })).handled, 150);
  assertEquals([most <= 34 + 5, Math.max(...calls) <= 16], [true, true]);
});
