/** One attempt's trouble stays its own: what hangs, throws oddly, is misused or comes late. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  type AttemptError,
  defineMessage,
  DispatchTimeoutError,
  type Handler,
  type HandlerContext,
  InvalidPayloadError,
  type MessageDefinition,
  type MessageOptions,
  type Middleware,
  Snooze,
  snooze,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { workbench } from "../../../support/worker.ts";

const define = (
  handler: MessageOptions<z.ZodUnknown>["handler"],
  more: Partial<MessageOptions<z.ZodUnknown>> = {},
): MessageDefinition =>
  defineMessage({ type: "T", schema: z.unknown(), retry: { maxRetries: 0 }, handler, ...more });

/** A message beside the one in trouble, in the same batch of the same worker. */
const beside = defineMessage({ type: "Beside", schema: z.unknown(), handler: () => {} });

const never = new Promise<never>(() => {});

/** Runs one message in trouble beside three others; returns the reason and the errors it ended with. */
async function trouble(
  definition: MessageDefinition,
  options: { readonly middleware?: readonly Middleware[]; readonly stamps?: unknown } = {},
): Promise<{ reason: string | undefined; errors: readonly AttemptError[]; lines: string[] }> {
  const { middleware = [] } = options;
  const { memory, work, lines } = workbench([definition, beside], { middleware });
  await memory.send([
    {
      type: "T",
      payload: {},
      ...(options.stamps !== undefined && { stamps: options.stamps as never }),
    },
    ...[1, 2, 3].map((payload) => ({ type: "Beside", payload })),
  ]);
  const report = await work({ budgetMs: 10_000 });
  assertEquals(report.claimed, 4);
  assert(report.handled >= 3, JSON.stringify(report));
  const [letter] = memory.failed;
  return {
    reason: letter?.reason,
    errors: letter?.envelope.errors ?? [],
    lines: lines.map(({ event }) => event),
  };
}

Deno.test("a schema that never settles is stopped at the timeout, as a handler is", async () => {
  const schema = z.unknown().refine(() => never);
  const { reason, errors } = await trouble(define(() => {}, { schema, timeout: "50ms" }));
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
});

Deno.test("middleware that never settles is stopped at the timeout, and its slot is free", async () => {
  const { reason, errors } = await trouble(define(() => {}, { timeout: "50ms" }), {
    middleware: [{ handle: ({ envelope }, next) => envelope.type === "T" ? never : next() }],
  });
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
});

Deno.test("a hook that never settles holds the end of a run for two seconds at most", async () => {
  const definition = define(() => {
    throw new Error("x");
  }, { onDeadLetter: () => never });
  const { reason, lines } = await trouble(definition);
  assertEquals([reason, lines.includes("hook_failed")], ["exhausted", true]);
});

Deno.test("whatever a handler throws ends as the outcome of its message", async () => {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  const cycle: { cause?: unknown } = {};
  cycle.cause = cycle;
  const hostile = {
    get message() {
      throw new Error("no");
    },
    get name() {
      throw new Error("no");
    },
    toString() {
      throw new Error("no");
    },
  };
  const thrown: unknown[] = [
    proxy,
    cycle,
    hostile,
    undefined,
    null,
    Symbol("s"),
    1n,
    () => {},
    new AggregateError([proxy, hostile]),
    new Proxy([], { get: () => hostile }),
    { length: Number.MAX_SAFE_INTEGER, errors: { length: 1e9 } },
    new Error("nul \0 and half \ud800"),
    Object.create(null),
  ];
  for (const [index, value] of thrown.entries()) {
    const { reason, errors } = await trouble(define(() => {
      throw value;
    }));
    assertEquals([reason, errors.length], ["exhausted", 1], `case ${index}`);
    assert(JSON.stringify(errors).isWellFormed() && !JSON.stringify(errors).includes("\\u0000"));
  }
});

Deno.test("middleware may be a class: its methods find their object", async () => {
  class Counting implements Middleware {
    dispatched = 0;
    handled = 0;
    dispatch(message: Parameters<NonNullable<Middleware["dispatch"]>>[0]) {
      this.dispatched++;
      return message;
    }
    async handle(_: HandlerContext, next: () => Promise<void>) {
      await next();
      this.handled++;
    }
  }
  const counting = new Counting();
  const { bus, work } = workbench([define(() => {})], { middleware: [counting] });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals([counting.dispatched, counting.handled], [1, 1]);
});

Deno.test("handlers, rules and hooks may be methods: they find their object", async () => {
  class Order {
    readonly #told: string[] = [];
    readonly type = "T";
    readonly schema = z.unknown();
    readonly retry = { maxRetries: 0 };
    static told(order: Order) {
      return order.#told;
    }
    handler() {
      this.#told.push("handler");
      throw new Error("x");
    }
    classify(): undefined {
      this.#told.push("classify");
    }
    onDeadLetter() {
      this.#told.push("onDeadLetter");
    }
  }
  const order = new Order();
  const { reason } = await trouble(defineMessage(order));
  assertEquals([reason, Order.told(order)], ["exhausted", ["handler", "classify", "onDeadLetter"]]);
});

Deno.test("middleware that does not wait for next fails the attempt once the handlers have ended", async () => {
  let ended = false;
  const { reason, errors } = await trouble(
    define(async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      ended = true;
    }),
    {
      middleware: [{
        handle: ({ envelope }, next) => {
          const handled = next();
          return envelope.type === "T" ? undefined : handled;
        },
      }],
    },
  );
  assertEquals([reason, errors[0]?.class, ended], ["exhausted", "MiddlewareError", true]);
});

Deno.test("middleware that calls next twice fails the attempt, and the handlers run once", async () => {
  let runs = 0;
  const { reason, errors } = await trouble(define(() => void runs++), {
    middleware: [{
      handle: async ({ envelope }, next) => {
        await next();
        if (envelope.type === "T") await next().catch(() => {});
      },
    }],
  });
  assertEquals([runs, reason, errors[0]?.class], [1, "exhausted", "MiddlewareError"]);
});

Deno.test("middleware that never calls next leaves the handlers out, and the log says so", async () => {
  let runs = 0;
  const { bus, memory, work, lines } = workbench([define(() => void runs++)], {
    middleware: [{ handle: () => {} }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals([(await work()).handled, runs, memory.messages.length], [1, 0, 0]);
  assert(lines.some(({ event }) => event === "middleware_left_out_handlers"));
});

Deno.test("middleware may be a module's namespace, which has no constructor", async () => {
  const namespace = Object.assign(Object.create(null), { handle: () => {} });
  const { bus, work, lines } = workbench([define(() => {})], { middleware: [namespace] });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assert(lines.some(({ event }) => event === "middleware_left_out_handlers"));
});

Deno.test("generators, of which a call runs nothing, are refused where they are given", () => {
  function* generator() {}
  async function* asyncGenerator() {}
  for (const wrong of [generator, asyncGenerator] as never[]) {
    const batch = { type: "T", schema: z.unknown(), handleBatch: wrong };
    const refused = [
      () => define(wrong),
      () => define({ mail: () => {}, log: wrong }),
      () => define(() => {}, { onRetry: wrong }),
      () => define(() => {}, { onDeadLetter: wrong }),
      () => define(() => {}, { classify: wrong }),
      () => defineMessage(batch),
      () => workbench([beside], { middleware: [{ handle: wrong }] }),
      () => workbench([beside], { middleware: [{ dispatch: wrong }] }),
    ];
    for (const make of refused) assertThrows(make, RangeError, "no generator");
  }
});

Deno.test("what is no middleware is refused where it is given", () => {
  for (const wrong of [null, 5, { handle: "x" }, { dispatch: {} }]) {
    assertThrows(
      () => workbench([beside], { middleware: [wrong as never] }),
      RangeError,
      "middleware: 1: ",
    );
  }
});

Deno.test("a handler's name that could not be stored is refused where it is defined", () => {
  for (const name of ["nul \0", "half \ud800", "x".repeat(256), ""]) {
    assertThrows(() => define({ [name]: () => {} }), RangeError, "T: handler: name: ");
  }
});

Deno.test("a snooze that is no duration is refused where it is made", () => {
  for (const wrong of [NaN, Infinity, -1, "soon", null, undefined, 1e30]) {
    assertThrows(() => new Snooze(wrong as number), RangeError, "snooze: ");
    assertThrows(() => snooze(wrong as number), RangeError, "snooze: ");
  }
});

Deno.test("a handler that makes an impossible snooze fails, and its message alone", async () => {
  const { reason, errors } = await trouble(define(() => new Snooze(NaN)));
  assertEquals([reason, errors[0]?.class], ["exhausted", "RangeError"]);
});

Deno.test("what a handler calls after its attempt is ignored with a warning", async () => {
  const late = Promise.withResolvers<HandlerContext>();
  const child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
  const { bus, memory, work, lines } = workbench([
    define((_, ctx) => late.resolve(ctx)),
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
    define((_, ctx) => void setTimeout(() => void ctx.dispatch(child, {}), 20)),
    child,
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  // A stray rejection would fail this test.
  await new Promise((resolve) => setTimeout(resolve, 60));
});

Deno.test("a message whose timed-out handler still works does not run a second time beside it", async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const stubborn = define(async () => {
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
  const stubborn = define(async (payload) => {
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
    define(() => never, { timeout: "20ms", stopGrace: "50ms" }),
  );
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
  assert(lines.includes("handler_still_runs"));
});

Deno.test("each handler gets a reading of its own, and a retry the payload as it was stored", async () => {
  const seen: unknown[] = [];
  let fails = 1;
  const spoil = (name: string) => (payload: unknown) => {
    const own = payload as { to?: string; list: number[] };
    seen.push([name, structuredClone(own)]);
    delete own.to;
    own.list.push(99);
    if (name === "second" && fails-- > 0) throw new Error("again");
  };
  const { bus, work } = workbench([
    define({ first: spoil("first"), second: spoil("second"), third: spoil("third") }, {
      retry: { maxRetries: 1, delay: 0 },
    }),
  ]);
  const payload = { to: "a", list: [1] };
  await bus.dispatchAll([{ type: "T", payload }]);
  await work();
  assertEquals(seen, ["first", "second", "third", "second"].map((name) => [name, payload]));
  assertEquals(payload, { to: "a", list: [1] });
});

Deno.test("what a handler does to its user and its occurrence reaches no other handler", async () => {
  const seen: unknown[] = [];
  const spoil: Handler<unknown> = (_, { user, schedule }) => {
    seen.push(structuredClone({ user, schedule }));
    for (const stamp of [user, schedule]) {
      assertThrows(() => Object.assign(stamp ?? {}, { id: "other" }), TypeError);
    }
  };
  const { bus, work } = workbench([define({ first: spoil, second: spoil })]);
  const stamps = {
    user: { id: "u", isAnonymous: false },
    schedule: { id: "1", name: null, occurrence: "2026-01-01T00:00:00.000Z", run: 1 },
  };
  await bus.dispatchAll([{ type: "T", payload: 1, options: { stamps } }]);
  assertEquals((await work()).handled, 1);
  assertEquals(seen, [stamps, stamps]);
});

Deno.test("a single handler's changes reach neither its retry nor its hooks nor middleware", async () => {
  const seen: unknown[] = [];
  const { bus, work } = workbench([
    define((payload) => {
      seen.push(structuredClone(payload));
      delete (payload as { to?: string }).to;
      throw new Error("again");
    }, {
      retry: { maxRetries: 1, delay: 0 },
      onRetry: ({ envelope }) => void seen.push(envelope.payload),
    }),
  ], {
    middleware: [{
      handle: async ({ envelope }, next) => {
        await next().catch(() => {});
        seen.push(envelope.payload);
        throw new Error("again");
      },
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: { to: "a" } }]);
  await work();
  assertEquals(seen, Array(5).fill({ to: "a" }));
});

Deno.test("an envelope cannot be changed", async () => {
  const { reason, errors } = await trouble(define((_, { envelope }) => {
    (envelope as { id: string }).id = "7";
  }));
  assertEquals([reason, errors[0]?.class], ["exhausted", "TypeError"]);
});

Deno.test("a handler that dispatches a bad child fails by the general rules, and its classify is asked", async () => {
  const child = defineMessage({
    type: "Child",
    schema: z.object({ to: z.string() }),
    handler: () => {},
  });
  const asked: unknown[] = [];
  const parent = (classify: (error: unknown) => undefined) =>
    define(async (_, ctx) => void await ctx.dispatch(child, {} as never), { classify });
  const { bus, memory, work } = workbench([parent((error) => void asked.push(error)), child]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed.map(({ reason }) => reason), ["unrecoverable"]);
  assert(asked[0] instanceof InvalidPayloadError);
});

Deno.test("a dispatch with a schema that never settles is refused after a bound", async () => {
  const schema = z.unknown().refine(() => never);
  const { bus } = workbench([define(() => {}, { schema })]);
  await assertRejects(
    () => bus.dispatchAll([{ type: "T", payload: 1 }]),
    DispatchTimeoutError,
    "T: schema: took longer than",
  );
});

Deno.test("a schema's refine runs once for each parse", async () => {
  for (const isAsync of [false, true]) {
    let runs = 0;
    const refine = () => {
      runs++;
      return isAsync ? Promise.resolve(true) : true;
    };
    const { bus, work } = workbench([
      define(() => {}, { schema: z.unknown().refine(refine) as never }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    assertEquals(runs, 1);
    await work();
    assertEquals(runs, 2);
  }
});

Deno.test("a hook that changes what it is told changes no stored history", async () => {
  const { bus, memory, work } = workbench([
    define(() => {
      throw new Error("as it was");
    }, {
      onDeadLetter: ({ errors }) => void Object.assign(errors[0] ?? {}, { message: "changed" }),
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed[0]?.envelope.errors.map(({ message }) => message), ["as it was"]);
});
