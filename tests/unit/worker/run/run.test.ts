/** One attempt's trouble stays its own: what hangs, throws oddly, or is misused. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { define, defineOnce, never } from "../../../support/definitions.ts";
import { trouble } from "../../../support/trouble.ts";
import { workbench } from "../../../support/worker.ts";
import {
  defineMessage,
  DispatchTimeoutError,
  InvalidPayloadError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("a schema that never settles is stopped at the timeout, as a handler is", async () => {
  const schema = z.unknown().refine(() => never);
  const { reason, errors } = await trouble(defineOnce(() => {}, { schema, timeout: "50ms" }));
  assertEquals([reason, errors[0]?.class], ["exhausted", "HandlerTimeoutError"]);
});

Deno.test("a message that another project handles, and that SQL wrote here, is a dead letter and not handled", async () => {
  const { reason, errors } = await trouble(
    defineMessage({ type: "T", schema: z.unknown(), transport: "eu" }),
  );
  assertEquals([reason, errors[0]?.class], ["unrecoverable", "UnrecoverableError"]);
  assert(errors[0]?.message.startsWith("handler: T has none here; "));
});

Deno.test("a slot is free after the stop, whatever a handler's dispatch or a later handler's schema does", async () => {
  let parses = 0;
  const second = z.unknown().refine(() => ++parses === 1 ? Promise.resolve(true) : never);
  const child = defineMessage({
    type: "Child",
    schema: z.unknown().refine(() => never),
    handler: () => {},
  });
  const several = defineMessage({
    type: "T",
    schema: second,
    handler: { first: () => {}, second: () => {} },
    timeout: "50ms",
    retry: { maxRetries: 0 },
  });
  const parent = defineOnce(async (_, ctx) => void await ctx.dispatch(child, {}), {
    timeout: "50ms",
  });
  for (const definition of [several, parent]) {
    const { memory, work, lines } = workbench([definition, child]);
    await memory.send([{ type: "T", payload: 1 }]);
    await work();
    assertEquals(memory.failed.map(({ envelope }) => envelope.errors?.[0]?.class), [
      "HandlerTimeoutError",
    ]);
    assert(!lines.some(({ event }) => event === "handler_still_runs"));
  }
});

Deno.test("a hook that never settles holds the end of a run for two seconds at most", async () => {
  const definition = defineOnce(() => {
    throw new Error("x");
  }, { onDeadLetter: () => never });
  const { reason, lines } = await trouble(definition);
  assertEquals([reason, lines.includes("hook_failed")], ["exhausted", true]);
});

/** Lists whose methods return none. */
class OwnSlice extends Array {
  override slice = () => null as never;
}
class OwnSpecies extends Array {
  static override readonly [Symbol.species] = function () {
    return {};
  } as never;
}

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
    ...[OwnSlice, OwnSpecies].map((list) =>
      Object.assign(new AggregateError([]), { errors: list.of(1) })
    ),
  ];
  for (const [index, value] of thrown.entries()) {
    const { reason, errors } = await trouble(defineOnce(() => {
      throw value;
    }));
    assertEquals([reason, errors.length], ["exhausted", 1], `case ${index}`);
    assert(!errors[0]?.message.startsWith("the attempt broke off"), `case ${index}`);
    assert(JSON.stringify(errors).isWellFormed() && !JSON.stringify(errors).includes("\\u0000"));
  }
});

Deno.test("a handler that returns a generator fails, because nothing of it has run", async () => {
  const runs: string[] = [];
  async function* work() {
    runs.push("body");
    yield await Promise.resolve(1);
  }
  function* steps() {
    runs.push("body");
    yield 1;
  }
  for (const handler of [() => work(), () => steps(), () => Promise.resolve(steps())]) {
    const { reason, errors } = await trouble(define(handler));
    assertEquals([reason, runs], ["unrecoverable", []]);
    assert(errors[0]?.message.startsWith("handler: returned a generator"));
  }
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

Deno.test("a handler's name that could not be stored is refused where it is defined", () => {
  for (const name of ["nul \0", "half \ud800", "x".repeat(256), ""]) {
    assertThrows(() => defineOnce({ [name]: () => {} }), RangeError, "T: handler: name: ");
  }
});

Deno.test("a handler that dispatches a bad child fails by the general rules, and its classify is asked", async () => {
  const child = defineMessage({
    type: "Child",
    schema: z.object({ to: z.string() }),
    handler: () => {},
  });
  const asked: unknown[] = [];
  const parent = (classify: (error: unknown) => undefined) =>
    defineOnce(async (_, ctx) => void await ctx.dispatch(child, {} as never), { classify });
  const { bus, memory, work } = workbench([parent((error) => void asked.push(error)), child]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed.map(({ reason }) => reason), ["unrecoverable"]);
  assert(asked[0] instanceof InvalidPayloadError);
});

Deno.test("a dispatch with a schema that never settles is refused after a bound", async () => {
  const schema = z.unknown().refine(() => never);
  const { bus } = workbench([defineOnce(() => {}, { schema })]);
  await assertRejects(
    () => bus.dispatchAll([{ type: "T", payload: 1 }]),
    DispatchTimeoutError,
    "T: schema: took longer than",
  );
});
