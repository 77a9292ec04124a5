/** Steps: results that are stored, failures that end a run, and failures for good. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  DurableUsageError,
  type HandlerContext,
  StepError,
  UnrecoverableError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";

const QUICK = { retry: { maxRetries: 3, delay: 1 } };

/** Runs one message with this handler until it is finished. Returns what the handler noted. */
async function run(
  handler: (ctx: HandlerContext, notes: unknown[]) => Promise<unknown>,
  more: Parameters<typeof define>[1] = QUICK,
) {
  const notes: unknown[] = [];
  const bench = workbench([define((_payload, ctx) => handler(ctx, notes), more)]);
  await bench.bus.dispatchAll([{ type: "T", payload: 1 }]);
  await bench.work({ budgetMs: 30_000 });
  return { ...bench, notes };
}

Deno.test("a stored step is not computed again when the handler fails behind it", async () => {
  const { notes, memory } = await run(async (ctx, notes) => {
    const first = await ctx.step("first", () => {
      notes.push("computed");
      return { id: 7 };
    });
    notes.push(first);
    if (ctx.attempt < 3) throw new Error("no luck");
  });
  assertEquals(notes, ["computed", { id: 7 }, { id: 7 }, { id: 7 }]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("the steps of a handled message are gone", async () => {
  const { memory } = await run((ctx) => ctx.step("only", () => 1));
  assertEquals(memory.handled.length, 1);
  assertEquals(memory.steps.of("1"), []);
});

Deno.test("a step that fails twice and then succeeds reaches no catch of the handler", async () => {
  let calls = 0;
  const { notes, memory } = await run(async (ctx, notes) => {
    try {
      notes.push(
        await ctx.step("shaky", () => {
          if (++calls < 3) throw new Error("no luck");
          return "done";
        }),
      );
    } catch (error) {
      notes.push(error);
    }
  });
  assertEquals(notes, ["done"]);
  assertEquals(calls, 3);
  assertEquals(memory.handled[0]?.errors.map(({ message, step }) => [message, step]), [
    ["no luck", "shaky"],
    ["no luck", "shaky"],
  ]);
});

Deno.test("a step without retries left throws a StepError, and the handler compensates once", async () => {
  let compensated = 0;
  const { notes, memory } = await run(async (ctx, notes) => {
    await ctx.step("book", () => "booked");
    try {
      await ctx.step("pay", () => Promise.reject(new Error("declined")));
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      notes.push([error.step, error.reason, error.cause.message]);
      await ctx.step("cancel", () => ++compensated);
    }
    if (ctx.attempt < 7) throw new Error("once more");
  });
  // 1 + 3 retries of the step, then two runs that fail behind it.
  assertEquals(notes.length, 4);
  assertEquals(notes[0], ["pay", "exhausted", "declined"]);
  assertEquals(new Set(notes.map((note) => JSON.stringify(note))).size, 1);
  assertEquals(compensated, 1);
  assertEquals(memory.handled.length, 1);
});

Deno.test("a StepError that no handler catches makes a dead letter with the step's reason", async () => {
  const { memory } = await run((ctx) =>
    ctx.step("pay", () => {
      throw new UnrecoverableError("card stolen");
    })
  );
  assertEquals(memory.failed.map(({ reason }) => reason), ["unrecoverable"]);
  assertEquals(memory.steps.of("1").map(({ name, status }) => [name, status]), [["pay", "failed"]]);
});

Deno.test("retries are counted from the last stored step", async () => {
  const calls: Record<string, number> = {};
  const shaky = (name: string) => () => {
    calls[name] = (calls[name] ?? 0) + 1;
    if (calls[name] <= 3) throw new Error("no luck");
  };
  const { memory } = await run(async (ctx) => {
    for (const name of ["a", "b", "c"]) await ctx.step(name, shaky(name));
  });
  assertEquals(calls, { a: 4, b: 4, c: 4 });
  assertEquals(memory.handled.length, 1);
});

Deno.test("a step's own retry options hold for it alone", async () => {
  let calls = 0;
  const { memory } = await run(async (ctx) => {
    await ctx.step("once", () => Promise.reject(new Error(`call ${++calls}`)), {
      retry: { maxRetries: 0 },
    }).catch(() => {});
    if (ctx.attempt < 3) throw new Error("the message's own");
  });
  assertEquals(calls, 1);
  assertEquals(memory.handled.length, 1);
});

Deno.test("a key is the same over retries, and another for every step", async () => {
  const keys: Record<string, string[]> = { a: [], b: [] };
  await run(async (ctx) => {
    for (const name of ["a", "b"]) {
      await ctx.step(name, ({ key }) => {
        keys[name]?.push(key);
        if ((keys[name]?.length ?? 0) < 2) throw new Error("no luck");
      });
    }
  });
  const [a, b] = [new Set(keys.a), new Set(keys.b)];
  assertEquals([a.size, b.size, new Set([...a, ...b]).size], [1, 1, 2]);
  for (const key of a) assertEquals(/^[0-9a-f]{64}$/.test(key), true);
});

Deno.test("a loop calls a step again and again, and each call has its own result", async () => {
  let computed = 0;
  const { notes } = await run(async (ctx, notes) => {
    const results: number[] = [];
    for (let n = 0; n < 5; n++) results.push(await ctx.step("next", () => ++computed));
    notes.push(results);
    if (ctx.attempt === 1) throw new Error("once more");
  });
  assertEquals(notes, [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]);
});

Deno.test("steps that run at once need keys, and a repeated name without one is refused", async () => {
  const items = Array.from({ length: 20 }, (_, id) => ({ id: `${id}` }));
  const random = () => new Promise((done) => setTimeout(done, Math.random() * 20));
  let computed = 0;
  const { notes } = await run(async (ctx, notes) => {
    const results = await Promise.all(items.map(({ id }) =>
      ctx.step("resize", async () => {
        await random();
        computed++;
        return id;
      }, { key: id })
    ));
    notes.push(results);
    const error = await assertRejects(
      () => Promise.all([ctx.step("both", random), ctx.step("both", random)]),
      DurableUsageError,
    );
    notes.push(error.message);
    if (ctx.attempt === 1) throw new Error("once more");
  });
  assertEquals(computed, 20);
  assertEquals(notes[0], items.map(({ id }) => id));
  assertEquals(notes[2], notes[0]);
  assertEquals(
    notes[1],
    'step "both": is still running; await it before it is called again, or tell ' +
      "the calls apart by a key: { key: item.id }",
  );
});

Deno.test("the first run gets the JSON copy, as every later one does", async () => {
  const { notes } = await run(async (ctx, notes) => {
    notes.push(await ctx.step("copy", () => ({ kept: 1, left: undefined })));
    notes.push(await ctx.step("nothing", () => {}), await ctx.step("null", () => null));
    if (ctx.attempt === 1) throw new Error("once more");
  });
  assertEquals(notes, [{ kept: 1 }, undefined, null, { kept: 1 }, undefined, null]);
});

for (
  const [what, value, place] of [
    ["a Date", { at: new Date(0) }, "result.at"],
    ["a Map", new Map(), "result"],
    ["a BigInt", { n: 1n }, "result.n"],
    ["NaN", [NaN], "result.0"],
    ["more than 256 kB", "x".repeat(262_145), "result"],
  ] as const
) {
  Deno.test(`a step that returns ${what} fails for good at the first run`, async () => {
    const { notes } = await run(async (ctx, notes) => {
      const error = await assertRejects(() => ctx.step("bad", () => value), StepError);
      notes.push(error.step, error.reason, error.cause.message.split(":")[0]);
    });
    assertEquals(notes, ["bad", "unrecoverable", place]);
  });
}

Deno.test("the 1,001st step is refused by name", async () => {
  const { notes, memory } = await run(async (ctx, notes) => {
    for (let n = 0; n < 1_000; n++) await ctx.step("n", () => n);
    notes.push((await assertRejects(() => ctx.step("last", () => 1), StepError)).step);
  });
  assertEquals(notes, ["last"]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("durable calls in middleware and inside the function of a step are refused", async () => {
  const notes: string[] = [];
  const note = async (call: () => Promise<unknown>) =>
    void notes.push((await assertRejects(call, DurableUsageError)).message.split(";")[0] ?? "");
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      await ctx.step("outer", () => note(() => ctx.step("inner", () => 1)));
      await ctx.step("pause", () => note(() => ctx.sleep("1d")));
    }, QUICK),
  ], {
    middleware: [{
      handle: async (ctx, next) => {
        await note(() => ctx.step("early", () => 1));
        await next();
      },
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(notes, [
    "ctx.step: can be called by a handler only, neither by middleware nor by a batch handler",
    'ctx.step: cannot be called inside the function of step "outer"',
    'ctx.sleep: cannot be called inside the function of step "pause"',
  ]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("middleware's next rejects when a step is retried, and swallowing that changes nothing", async () => {
  const notes: unknown[] = [];
  let calls = 0;
  const { bus, work, memory } = workbench([
    define((_payload, ctx) =>
      ctx.step("shaky", () => {
        if (++calls === 1) throw new Error("no luck");
      }), QUICK),
  ], {
    middleware: [{
      handle: async (_ctx, next) => {
        await next().then(() => notes.push("done"), (error) => notes.push(error.message));
      },
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(notes, ["no luck", "done"]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("with several named handlers each has its own steps", async () => {
  const computed: string[] = [];
  const part = (name: string) => async (_payload: unknown, ctx: HandlerContext) => {
    await ctx.step("work", () => void computed.push(name));
    if (ctx.attempt === 1) throw new Error("once more");
  };
  const { bus, work, memory } = workbench([define({ a: part("a"), b: part("b") }, QUICK)]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(computed, ["a", "b"]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("a step that takes longer than its timeout is retried", async () => {
  let calls = 0;
  const { memory } = await run((ctx) =>
    ctx.step("slow", ({ signal }) => {
      if (++calls > 1) return "quick";
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    }, { timeout: 10 })
  );
  assertEquals(calls, 2);
  assertEquals(memory.handled[0]?.errors.map((error) => error.class), ["StepTimeoutError"]);
});

Deno.test("the version is that of the first durable write", async () => {
  const notes: unknown[] = [];
  const versions = (version: string) =>
    define(async (_payload, ctx) => {
      notes.push(ctx.version);
      await ctx.step("first", () => 1);
      if (version === "1") throw new Error("once more");
    }, { retry: { maxRetries: 3, delay: "1h" }, version });
  const first = workbench([versions("1")]);
  await first.bus.dispatchAll([{ type: "T", payload: 1 }]);
  await first.work();
  const [row] = first.memory.messages;
  assertEquals(row?.stamps.durable, { version: "1" });
  const [failedRow] = first.memory.messages;
  assertEquals(failedRow?.retryCount, 1);
  assertEquals(notes, ["1"]);
});
