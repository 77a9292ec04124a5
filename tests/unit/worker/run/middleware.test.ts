/** Middleware around the handlers: what it may be, and what its mistakes cost. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { define, defineOnce, never } from "../../../support/definitions.ts";
import { beside, trouble } from "../../../support/trouble.ts";
import { workbench } from "../../../support/worker.ts";
import {
  defineMessage,
  type HandlerContext,
  type Middleware,
  MiddlewareError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("middleware stands around the handlers, the first outermost", async () => {
  const order: string[] = [];
  const around = (name: string) => ({
    handle: async (_ctx: unknown, next: () => Promise<void>) => {
      order.push(`${name} before`);
      await next();
      order.push(`${name} after`);
    },
  });
  const { bus, work } = workbench([define(() => order.push("handler"))], {
    middleware: [around("outer"), around("inner")],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(order, ["outer before", "inner before", "handler", "inner after", "outer after"]);
});

Deno.test("middleware that never settles is stopped at the timeout, and its slot is free", async () => {
  const { reason, errors } = await trouble(defineOnce(() => {}, { timeout: "50ms" }), {
    middleware: [{ handle: ({ envelope }, next) => envelope.type === "T" ? never : next() }],
  });
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
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
  const { bus, work } = workbench([defineOnce(() => {})], { middleware: [counting] });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals([counting.dispatched, counting.handled], [1, 1]);
});

Deno.test("middleware that does not wait for next fails the attempt once the handlers have ended", async () => {
  let ended = false;
  const { reason, errors } = await trouble(
    defineOnce(async () => {
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
  const { reason, errors } = await trouble(defineOnce(() => void runs++), {
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
  const { bus, memory, work, lines } = workbench([defineOnce(() => void runs++)], {
    middleware: [{ handle: () => {} }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals([(await work()).handled, runs, memory.messages.length], [1, 0, 0]);
  assert(lines.some(({ event }) => event === "middleware_left_out_handlers"));
});

Deno.test("middleware may be a module's namespace, which has no constructor", async () => {
  const namespace = Object.assign(Object.create(null), { handle: () => {} });
  const { bus, work, lines } = workbench([defineOnce(() => {})], { middleware: [namespace] });
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
      () => defineOnce(wrong),
      () => defineOnce({ mail: () => {}, log: wrong }),
      () => defineOnce(() => {}, { onRetry: wrong }),
      () => defineOnce(() => {}, { onDeadLetter: wrong }),
      () => defineOnce(() => {}, { classify: wrong }),
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

Deno.test("a call of next that comes too late rejects, and throws nothing into a timer", async () => {
  const { promise: refused, resolve } = Promise.withResolvers<unknown>();
  const { bus, work } = workbench([define(() => {})], {
    middleware: [{
      handle: (_, next) => void setTimeout(() => next().catch(resolve), 1),
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assert(await refused instanceof MiddlewareError);
});
