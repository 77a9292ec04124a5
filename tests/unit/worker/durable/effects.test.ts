/** Dispatches of durable handlers, and SQL functions as steps. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { define } from "../../../support/definitions.ts";
import { failing } from "../../../support/changed_transport.ts";
import { workbench } from "../../../support/worker.ts";
import {
  AttemptOverError,
  defineMessage,
  DurableUsageError,
  type HandlerContext,
  StepError,
  TransportError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
const soon = { retry: { maxRetries: 3, delay: 1 } } as const;

/** Runs one message until nothing is due, and returns the payloads of all children that were written. */
async function childrenOf(
  handler: Parameters<typeof define>[0],
  prepare: (bench: ReturnType<typeof workbench>) => void = () => {},
) {
  const bench = workbench([define(handler, soon), Child]);
  prepare(bench);
  await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  const report = await bench.work({ budgetMs: 5_000 });
  const children = bench.memory.sent.filter(({ type }) => type === "Child");
  return { ...bench, report, children: children.map(({ payload }) => payload) };
}

Deno.test("a step's dispatches are written with its result, whatever becomes of the attempt", async () => {
  let runs = 0;
  const { children, report } = await childrenOf(async (_, ctx) => {
    await ctx.step("order", async () => {
      await ctx.dispatch(Child, `step, run ${++runs}`);
    });
    await ctx.dispatch(Child, `handler, attempt ${ctx.attempt}`);
    if (ctx.attempt < 3) throw new Error("no luck");
  });
  assertEquals(children, ["step, run 1", "handler, attempt 3"]);
  assertEquals([report.handled, runs], [3, 1]);
});

Deno.test("a step that fails drops its dispatches, and repeats them when it runs again", async () => {
  let runs = 0;
  const { children } = await childrenOf(async (_, ctx) => {
    await ctx.step("order", async () => {
      await ctx.dispatch(Child, ++runs);
      if (runs < 3) throw new Error("no luck");
    });
  });
  assertEquals(children, [3]);
});

Deno.test("steps that run at once keep their dispatches apart", async () => {
  const { children } = await childrenOf(async (_, ctx) => {
    await Promise.all([1, 2, 3].map((item) =>
      ctx.step("item", async () => {
        await ctx.dispatch(Child, item);
        await new Promise((resolve) => setTimeout(resolve, 4 - item));
        await ctx.dispatch(Child, item * 10);
      }, { key: String(item) })
    ));
    throw new Error("no luck");
  });
  assertEquals(children.toSorted(), [1, 10, 2, 20, 3, 30]);
});

Deno.test("a dispatch after the end of its step's function is refused", async () => {
  const late = Promise.withResolvers<HandlerContext["dispatch"]>();
  let refusal: unknown;
  await childrenOf(async (_, ctx) => {
    let dispatched: Promise<unknown> = Promise.resolve();
    await ctx.step("forgetful", () => {
      dispatched = late.promise.then((dispatch) => dispatch(Child, 1)).catch((error) => error);
    });
    late.resolve(ctx.dispatch);
    refusal = await dispatched;
  });
  assertEquals(refusal instanceof AttemptOverError, true);
});

Deno.test("a message that parks twice and fails in between has each child once", async () => {
  let failures = 0;
  const ids: string[][] = [];
  const { children, memory } = await childrenOf(async (_, ctx) => {
    const own: string[] = [];
    ids.push(own);
    own.push(await ctx.dispatch(Child, "before"));
    await ctx.sleep(10);
    own.push(await ctx.dispatch(Child, "between"));
    if (failures++ < 2) throw new Error("no luck");
    await ctx.sleep(10);
    own.push(await ctx.dispatch(Child, "after"));
  });
  assertEquals(children, ["before", "between", "after"]);
  const written = memory.sent.filter(({ type }) => type === "Child").map(({ id }) => id);
  assertEquals(ids.at(-1), written);
  assertEquals(new Set(ids.map(([first]) => first)), new Set([written[0]]));
});

Deno.test("a handler that has ended keeps its child once while another handler sleeps", async () => {
  const { children } = await childrenOf({
    mail: (_, ctx) => ctx.dispatch(Child, "mail"),
    wait: async (_, ctx) => {
      await ctx.dispatch(Child, "wait");
      await ctx.sleep(10);
    },
  });
  assertEquals(children, ["mail", "wait"]);
});

Deno.test("a SQL function runs once for each call, over retries, and its result is found", async () => {
  const calls: unknown[] = [];
  const seen: unknown[] = [];
  const { report } = await childrenOf(async (_, ctx) => {
    const first = await ctx.effect("book", { n: 1 });
    const second = await ctx.effect<{ n: number }>("book", { n: 2 }, { key: "two" });
    seen.push([first, second]);
    if (ctx.attempt < 3) throw new Error("no luck");
  }, ({ memory }) => {
    memory.functions.set("book", (args) => {
      calls.push(args.n);
      return { n: args.n, at: new Date(0) };
    });
  });
  assertEquals([calls, report.handled], [[1, 2], 1]);
  const at = "1970-01-01T00:00:00.000Z";
  assertEquals(seen, Array(3).fill([{ n: 1, at }, { n: 2, at }]));
});

Deno.test("a cancel while a SQL function runs keeps its result, and no further step begins", async () => {
  const seen: string[] = [];
  const { memory } = await childrenOf(async (_, ctx) => {
    await ctx.effect("book");
    seen.push("booked");
    await ctx.step("pay", () => void seen.push("paid"));
  }, ({ memory }) => {
    memory.functions.set("book", async () => {
      await memory.cancel({ all: true });
      return 1;
    });
  });
  assertEquals(seen, []);
  const [dead] = memory.failed;
  const [step] = memory.steps.of("1");
  assertEquals([dead?.reason, step?.result], ["cancelled", 1]);
});

Deno.test("a SQL function that fails is retried like a step, and fails for good as a StepError", async () => {
  let calls = 0;
  const caught: unknown[] = [];
  const { report } = await childrenOf(async (_, ctx) => {
    try {
      await ctx.effect("book", {}, { retry: { maxRetries: 1, delay: 1 } });
    } catch (error) {
      caught.push(error instanceof StepError && error.step);
    }
  }, ({ memory }) => {
    memory.functions.set("book", () => {
      calls++;
      throw new Error("no room");
    });
  });
  assertEquals([calls, caught, report.handled], [2, ["book"], 1]);
});

Deno.test("a SQL function that succeeds after its timeout, while its end is awaited, is a success", async () => {
  let calls = 0;
  const seen: unknown[] = [];
  const { report } = await childrenOf(async (_, ctx) => {
    seen.push(await ctx.effect("book", {}, { timeout: 5, retry: { maxRetries: 0 } }));
  }, ({ memory }) => {
    memory.functions.set("book", async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return ++calls;
    });
  });
  assertEquals([calls, seen, report.handled], [1, [1], 1]);
});

Deno.test("wrong calls of effect name what is wrong", async () => {
  const problems: string[] = [];
  await childrenOf(async (_, ctx) => {
    const wrong = [
      () => ctx.effect("public.book"),
      () => ctx.effect("book", [1] as never),
      () => ctx.effect("book", { n: NaN }),
      () => ctx.effect("book", {}, { kex: "a" } as never),
      () => ctx.effect("book", {}, { timeout: 0 }),
      () => ctx.step("outer", () => ctx.effect("book")),
    ];
    for (const call of wrong) {
      await call().catch((error: Error) => problems.push(error.message.split(";")[0] ?? ""));
    }
  });
  assertEquals(problems.map((problem) => problem.split(" (was")[0]?.replace(/,.*/, "")), [
    "ctx.effect: function: has to be the name of a SQL function of the schema public",
    'ctx.effect "book": args: has to be an object of arguments by name',
    'ctx.effect "book": args.n: has to be a finite number',
    'ctx.effect "book": kex: no such option',
    'ctx.effect "book": timeout: has to be more than 0',
    'ctx.effect: cannot be called inside the function of step "outer"',
  ]);
});

Deno.test("a test gives functions to the kit, and one that it did not give is told", async () => {
  const Order = defineMessage({
    type: "Order",
    schema: z.string(),
    handler: async (customer, ctx) => {
      await ctx.effect("book", { customer });
    },
    retry: { maxRetries: 0 },
  });
  const booked: unknown[] = [];
  const t = createTestMessenger({
    messages: [Order],
    functions: { book: ({ customer }) => void booked.push(customer) },
  });
  await t.dispatch(Order, "ada");
  await t.drain();
  assertEquals(booked, ["ada"]);
  const without = createTestMessenger({ messages: [Order] });
  await without.dispatch(Order, "ada");
  await without.drain();
  assertEquals(without.failed().map(({ error }) => error?.split(";")[0]), [
    'step "book": failed for good (exhausted): function: there is no function public.book (was book)',
  ]);
});

Deno.test("effect cannot be called after the attempt", async () => {
  let kept: HandlerContext | undefined;
  await childrenOf((_, ctx) => void (kept = ctx));
  await assertRejects(async () => await kept?.effect("book"), AttemptOverError);
  assertEquals(DurableUsageError.name, "DurableUsageError");
});

Deno.test("events are emitted once with the outcome or the step, and not by attempts that fail", async () => {
  const { memory } = await childrenOf(async (_, ctx) => {
    await ctx.emit("begun", 1);
    await ctx.step("inner", () => ctx.emit("stepped", { ok: true }));
    if (ctx.attempt < 2) throw new Error("no luck");
    await ctx.sleep(10);
    await ctx.emit("ended");
  });
  assertEquals(memory.events.all.map(({ event, value }) => [event, value]), [
    ["stepped", { ok: true }],
    ["begun", 1],
    ["ended", null],
  ]);
});

Deno.test("a parent gets the event that its child emits", async () => {
  const got: unknown[] = [];
  const Parent = defineMessage({
    type: "Parent",
    schema: z.string(),
    handler: async (name, ctx) => {
      await ctx.dispatch(Answer, name);
      got.push(await ctx.waitFor(`answered:${name}`));
    },
  });
  const Answer = defineMessage({
    type: "Answer",
    schema: z.string(),
    handler: async (name, ctx) => {
      await ctx.emit(`answered:${name}`, name.length);
      if (ctx.attempt < 2) throw new Error("no luck");
    },
    retry: { maxRetries: 3, delay: 1 },
  });
  const { bus, memory, work } = workbench([Parent, Answer]);
  await bus.dispatchAll([{ type: "Parent", payload: "ada" }]);
  await work({ budgetMs: 5_000 });
  assertEquals(got, [{ key: "answered:ada", value: 3 }]);
  assertEquals(memory.sent.filter(({ type }) => type === "Answer").length, 1);
});

Deno.test("a SQL function whose responses are lost is a success if its result is stored", async () => {
  let calls = 0;
  const seen: unknown[] = [];
  const book = define(async (_, ctx) => {
    seen.push(await ctx.effect("book", {}, { retry: { maxRetries: 0 } }));
    if (ctx.attempt < 2) throw new Error("no luck");
  }, soon);
  const { bus, memory, work } = workbench([book], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          operation === "effect" && when === "after"
            ? new TransportError(operation, "the response is lost", true)
            : undefined,
      ),
  });
  memory.functions.set("book", () => ++calls);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  const report = await work({ budgetMs: 5_000 });
  assertEquals([calls, seen, report.handled], [1, [1, 1], 1]);
});
