/** Dispatches of handlers are written with the outcome of their message. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { define, defineOnce } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import {
  AttemptOverError,
  defineMessage,
  type Handler,
  type HandlerContext,
  snooze,
  UnrecoverableError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { MAX_EFFECTS } from "../../../../supabase/functions/_shared/symphony/message/effects.ts";
import { changed } from "../../../support/changed_transport.ts";

const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
const soon = { retry: { maxRetries: 3, delay: 1 } } as const;

/** Fails until the attempt with this number, after it has dispatched. */
const failingUntil = (
  attempt: number,
  dispatch: (ctx: HandlerContext) => Promise<string>,
): Handler<unknown> =>
async (_, ctx) => {
  await dispatch(ctx);
  if (ctx.attempt < attempt) throw new Error("no luck");
};

/** Runs one message, and returns the payloads of all children that were written. */
async function childrenOf(
  handler: Parameters<typeof define>[0],
  more: Parameters<typeof define>[1] = soon,
) {
  const bench = workbench([define(handler, more), Child]);
  await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  const report = await bench.work();
  const children = bench.memory.sent.filter(({ type }) => type === "Child");
  return { ...bench, report, children: children.map(({ payload }) => payload) };
}

Deno.test("four attempts make one child, and four if they dispatch it at once", async () => {
  const withOutcome = await childrenOf(failingUntil(4, (ctx) => ctx.dispatch(Child, "c")));
  assertEquals(withOutcome.children, ["c"]);
  const atOnce = await childrenOf(failingUntil(4, (ctx) => ctx.dispatchNow(Child, "c")));
  assertEquals(atOnce.children, ["c", "c", "c", "c"]);
});

Deno.test("a child is not there before its parent is handled, and has the id that dispatch returned", async () => {
  const before: number[] = [];
  const ids: string[] = [];
  const bench = workbench([
    define(async (_, { dispatch }) => {
      ids.push(await dispatch(Child, 1), await dispatch(Child, 2));
      before.push(bench.memory.sent.length);
    }),
    Child,
  ]);
  const [parent] = await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  await bench.work();
  assertEquals(before, [1]);
  assertEquals(bench.memory.sent.map(({ id }) => id), [parent, ...ids]);
  assert(Number(ids[0]) < Number(ids[1]));
});

Deno.test("a dead letter leaves no child behind", async () => {
  const { children, memory } = await childrenOf(async (_, ctx) => {
    await ctx.dispatch(Child, 1);
    throw new UnrecoverableError("never");
  });
  assertEquals([children, memory.failed.length], [[], 1]);
});

Deno.test("each snooze writes what its run dispatched", async () => {
  const { children } = await childrenOf(async (_, ctx) => {
    const { snoozes = 0 } = ctx.envelope;
    await ctx.dispatch(Child, snoozes);
    return snoozes < 2 ? snooze(100) : undefined;
  });
  assertEquals(children, [0, 1, 2]);
});

for (const fate of ["retried", "dead"] as const) {
  Deno.test(`a handler that succeeded has its child written although its message is ${fate}`, async () => {
    const named: Parameters<typeof define>[0] = {
      mail: async (_, ctx) => void await ctx.dispatch(Child, "of mail"),
      audit: async (_, ctx) => {
        await ctx.dispatch(Child, "of audit");
        if (fate === "dead") throw new UnrecoverableError("never");
        if (ctx.attempt < 3) throw new Error("no luck");
      },
    };
    const { children, report } = await childrenOf(named);
    assertEquals(children, fate === "dead" ? ["of mail"] : ["of mail", "of audit"]);
    assertEquals(report.failed, fate === "dead" ? 1 : 0);
  });
}

Deno.test("middleware that fails after the handler keeps the handler's child and drops its own", async () => {
  const { bus, memory, work } = workbench([
    define((_, ctx) => ctx.dispatch(Child, "handler"), soon),
    Child,
  ], {
    middleware: [{
      handle: async (ctx, next) => {
        if (ctx.envelope.type === "Child") return await next();
        await ctx.dispatch(Child, `middleware ${ctx.attempt}`);
        await next();
        if (ctx.attempt === 1) throw new Error("no luck");
      },
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.sent.map(({ payload }) => payload), [1, "handler", "middleware 2"]);
});

Deno.test("a message whose lease is lost leaves no child behind", async () => {
  const { bus, memory, work } = workbench(
    [
      defineOnce(async (_, ctx) => {
        await ctx.dispatch(Child, 1);
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      }),
      Child,
    ],
    {
      wrap: (memory) =>
        changed(memory, {
          extendLeases: (leases) =>
            Promise.resolve({ lost: leases.flatMap(({ ids }) => ids), cancelled: [] }),
        }),
    },
  );
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ leaseMs: 300, budgetMs: 1_000 });
  assertEquals(memory.sent.map(({ type }) => type), ["T"]);
});

Deno.test("a dispatch that the store refuses at the outcome fails the attempt of its message alone", async () => {
  const seen: unknown[] = [];
  const { bus, memory, work, lines } = workbench([
    define(async (payload, ctx) => {
      seen.push(payload);
      await ctx.dispatch(Child, payload, { idempotencyKey: "one" });
    }, { retry: { maxRetries: 1, delay: 1 } }),
    Child,
  ]);
  await bus.dispatchAll([1, 2, 1].map((payload) => ({ type: "T", payload })));
  const { handled, failed } = await work();
  assertEquals([handled, failed], [3, 1]);
  assertEquals(seen.filter((payload) => payload === 2).length, 2);
  assertEquals(memory.sent.filter(({ type }) => type === "Child").map(({ payload }) => payload), [
    1,
  ]);
  assertEquals(memory.failed.map(({ envelope }) => envelope.errors.map((error) => error.class)), [
    ["ConflictError", "ConflictError"],
  ]);
  assert(lines.some(({ event, type }) => event === "dispatch_refused" && type === "T"));
});

Deno.test("more dispatches than an outcome can write are refused at the call", async () => {
  const problems: string[] = [];
  const { children } = await childrenOf(async (_, ctx) => {
    for (let n = 0; n < MAX_EFFECTS; n++) await ctx.dispatch(Child, n);
    await ctx.dispatch(Child, "one more").catch((error) => problems.push(error.message));
  }, { timeout: "10s" });
  assertEquals(children.length, MAX_EFFECTS);
  assertEquals(problems, [
    "ctx.dispatch: at most 10000 dispatches go with an outcome; use ctx.dispatchNow for more",
  ]);
});

Deno.test("a message that is too large for the database is refused at the call", async () => {
  const problems: string[] = [];
  const large = "x".repeat(5_000_000);
  const { children } = await childrenOf(async (_, ctx) => {
    const note = (error: Error) => void problems.push(error.message.split(";")[0] ?? "");
    await ctx.dispatch(Child, large + large).catch(note);
    await ctx.dispatch(Child, large);
    await ctx.dispatch(Child, large).catch(note);
  });
  assertEquals(children.length, 1);
  assertEquals(problems, [
    "payload: has 10000002 bytes",
    "ctx.dispatch: at most 8388608 bytes of dispatches go with an outcome",
  ]);
});

Deno.test("a dispatch that no handler waits for is written too", async () => {
  const { children } = await childrenOf((_, ctx) => {
    void ctx.dispatch(Child, 1);
    return new Promise((resolve) => setTimeout(resolve, 5));
  });
  assertEquals(children, [1]);
});

Deno.test("an attempt fails if no id can be reserved for a dispatch that it does not wait for", async () => {
  const { bus, memory, work } = workbench([
    defineOnce(async (_, ctx) => {
      ctx.dispatch(Child, 1).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
    }),
    Child,
  ], {
    wrap: (memory) => ({
      ...changed(memory, {}),
      // Slower than the handler.
      reserveIds: () =>
        new Promise((_, reject) => setTimeout(() => reject(new Error("out of reach")), 30)),
    }),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed.map(({ envelope }) => envelope.errors.map(({ message }) => message)), [
    ["out of reach"],
  ]);
});

Deno.test("neither kind of dispatch has an effect after the attempt", async () => {
  let kept: HandlerContext | undefined;
  const { memory } = await childrenOf((_, ctx) => void (kept = ctx));
  await assertRejects(async () => await kept?.dispatch(Child, 1), AttemptOverError);
  await assertRejects(async () => await kept?.dispatchNow(Child, 1), AttemptOverError);
  assertEquals(memory.sent.length, 1);
});

for (
  const [call, size, count] of [["dispatch", 1_100_000, 7], ["emit", 250_000, 30]] as const
) {
  Deno.test(`handlers that ${call} much at once wait for outcomes to be written, and all of them end`, async () => {
    const unwritten = new Map<string, number>();
    let most = 0;
    const Large = defineMessage({ type: "Large", schema: z.string(), handler: () => {} });
    const Sends = defineMessage({
      type: "Sends",
      schema: z.null(),
      handler: async (_, ctx) => {
        const text = "x".repeat(size);
        for (let n = 1; n <= count; n++) {
          await (call === "dispatch" ? ctx.dispatch(Large, text) : ctx.emit("large", text));
          unwritten.set(ctx.envelope.id, n * size);
          most = Math.max(most, [...unwritten.values()].reduce((sum, one) => sum + one, 0));
        }
      },
    });
    const { bus, memory, work } = workbench([Large, Sends], {
      wrap: (memory) =>
        changed(memory, { settle: (all) => all.forEach(({ id }) => unwritten.delete(id)) }),
    });
    await bus.dispatchAll(Array.from({ length: 10 }, () => ({ type: "Sends", payload: null })));
    const { handled } = await work({ batchSize: 20, concurrency: 10, budgetMs: 60_000 });
    assertEquals([handled, memory.messages.length], [call === "dispatch" ? 80 : 10, 0]);
    assert(most < 20e6, `${most} bytes were not written; without a bound, 70 MB`);
  });
}
