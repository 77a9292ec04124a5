/** Values in payloads: a value that JSON or jsonb would change is refused with its path. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import {
  defineMessage,
  InvalidPayloadError,
  UnstorableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import {
  findInexact,
  parseJson,
} from "../../../supabase/functions/_shared/symphony/runtime/json-text.ts";
import { toJson } from "../../../supabase/functions/_shared/symphony/runtime/json.ts";
import { workbench } from "../../support/worker.ts";
import {
  jsonBytes,
  jsonLength,
} from "../../../supabase/functions/_shared/symphony/runtime/json-length.ts";

const Any = defineMessage({ type: "Any", schema: z.unknown(), handler: () => {} });

class Account {
  id = 1;
}
const cycle: Record<string, unknown> = {};
cycle.self = { again: cycle };
const throwing = {
  toJSON: () => {
    throw new Error("not today");
  },
};
const getter = {
  get a(): number {
    throw new Error("not today");
  },
};
const { proxy, revoke } = Proxy.revocable({}, {});
revoke();

const unstorable: [string, unknown][] = [
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["2^53", 2 ** 53],
  ["-2^53", -(2 ** 53)],
  ["an id beyond 2^53", JSON.parse("1970670598291982290")],
  ["1e21", 1e21],
  ["the largest double", Number.MAX_VALUE],
  ["a bigint", 1n],
  ["a function", () => {}],
  ["a symbol", Symbol("s")],
  ["an invalid Date", new Date(NaN)],
  ["a Map", new Map([[1, 2]])],
  ["a Set", new Set([1])],
  ["bytes", new Uint8Array([1])],
  ["a buffer", new ArrayBuffer(1)],
  ["a RegExp", /x/],
  ["an Error", new Error("x")],
  ["a Promise", Promise.resolve()],
  ["a boxed number", Object(1)],
  ["an instance of a class", new Account()],
  ["a toJSON that throws", throwing],
  ["a toJSON that gives what cannot be kept", { toJSON: () => NaN }],
  ["a revoked proxy", proxy],
  ["U+0000", "a\0b"],
  ["half of a surrogate pair", "\ud800"],
];
Deno.test("a property of an array beside its items is refused with its path, and a symbol too", async () => {
  const { bus, memory } = workbench([Any]);
  const lists: [unknown, string][] = [
    ["a1".match(/\d/), "payload.order.index: is a property of an array"],
    [Object.assign([], { total: 3 }), "payload.order.total: is a property of an array"],
    [[[Object.assign([1], { total: 3 })]], "payload.order.0.0.total: is a property of an array"],
    [{ toJSON: () => Object.assign([1], { total: 3 }) }, "payload.order.total: is a property"],
    [Object.assign([1], { [Symbol("total")]: 3 }), "payload.order: has a symbol as a key"],
  ];
  for (const [order, message] of lists) {
    await assertRejects(() => bus.dispatch(Any, { order }), InvalidPayloadError, message);
  }
  await bus.dispatch(Any, { order: [[], [1, [2]], new Array(3).fill(null)] });
  assertEquals(memory.messages.length, 1);
});

for (const [what, value] of unstorable) {
  Deno.test(`${what} in a payload is refused with its path`, async () => {
    const { bus } = workbench([Any]);
    const error = await assertRejects(
      () => bus.dispatch(Any, { order: [{ ok: 1 }, { value }] }),
      InvalidPayloadError,
      "payload.order.1.value",
    );
    assertEquals(error.issues[0]?.path, ["order", 1, "value"]);
    await assertRejects(
      () => bus.dispatchAll([{ type: "Any", payload: 1 }, { type: "Any", payload: value }]),
      InvalidPayloadError,
    );
  });
}

Deno.test("holes, undefined in arrays, throwing getters, symbols and bad keys are refused with their path", () => {
  const path = (value: unknown) => assertThrows(() => toJson(value), UnstorableError).path;
  // deno-lint-ignore no-sparse-arrays
  assertEquals(path({ a: [1, , 3] }), ["a", 1]);
  assertEquals(path([undefined]), [0]);
  assertEquals(path(undefined), []);
  assertEquals(path({ in: getter }), ["in", "a"]);
  assertEquals(path({ in: { [Symbol("s")]: 1 } }), ["in"]);
  assertEquals(path({ "a\0": 1 }), ["a\0"]);
  assertEquals(path({ "\udc00": 1 }), ["\udc00"]);
});

Deno.test("what holds itself is refused where it does, and deep nesting without overflowing the stack", () => {
  const looped = assertThrows(() => toJson({ at: cycle }), UnstorableError, "holds itself");
  assertEquals(looped.path, ["at", "self", "again"]);
  let deep: unknown = 0;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assertThrows(() => toJson(deep), UnstorableError, "nested deeper than 100 levels");
});

Deno.test("a key named __proto__ is kept as a key", async () => {
  const { bus } = workbench([Any]);
  const payload = JSON.parse('{"__proto__":{"admin":true}}');
  const prepared = await bus.prepare({ type: "Any", payload });
  assertEquals(JSON.stringify(prepared.payload), '{"__proto__":{"admin":true}}');
});

const changed: [string, string, unknown[]][] = [
  ["an id beyond 2^53", '{"orderId": 1970670598291982290}', ["orderId"]],
  ["the first whole number that is not exact", "[1,9007199254740993]", [1]],
  ["more digits than a double keeps", '{"a":{"b":[0.1234567890123456789]}}', ["a", "b", 0]],
  ["1e400", '{"a":1e400}', ["a"]],
  ["what is too small", '{"a":1e-400}', ["a"]],
  ["a key that stands twice", '{"x":[{"a":1,"a":1}]}', ["x", 0, "a"]],
  ["a key that stands twice in other letters", '{"a":1,"\\u0061":2}', ["a"]],
  ["a number of a million digits", `[1${"0".repeat(1_000_000)}1]`, [0]],
];
for (const [what, text, path] of changed) {
  Deno.test(`${what} in JSON text is refused with its path`, () => {
    const error = assertThrows(() => parseJson(text), UnstorableError);
    assertEquals(error.path, path);
  });
}

Deno.test("numbers in other forms of the same value are read", () => {
  const text =
    ' { "a" : [1E2, 1.50, -0, 0.1e-6, 100e-2, 9007199254740991, 5e-324, 0e99, 1e21 ],\n "b":"\\"1970670598291982290\\\\" } ';
  assertEquals(parseJson(text), JSON.parse(text));
});

Deno.test("JSON that JSON.stringify wrote is read as JSON.parse reads it, with spaces too", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    for (const space of [0, 2]) {
      const text = JSON.stringify(value, null, space);
      assertEquals(JSON.stringify(parseJson(text)), JSON.stringify(JSON.parse(text)));
    }
  }));
});

Deno.test("text nested a hundred thousand levels is read without overflowing the stack", () => {
  parseJson("[".repeat(100_000) + "]".repeat(100_000));
});

Deno.test("a number that was not read exactly is found in what was stored", () => {
  assertEquals(findInexact({ a: [1, { b: 0.1, c: -1e300 }], d: "9".repeat(30) }), ["a", 1, "c"]);
  assertEquals(findInexact({ a: [1, { b: 0.1 }], c: null, d: true }), null);
  assertEquals(findInexact(JSON.parse('{"a":[0.1,{"b":-1e400}]}')), ["a", 1, "b"]);
});

Deno.test("a stored number beyond 2^53 does not reach a handler as another one", async () => {
  let handled = 0;
  const Order = defineMessage({
    type: "Order",
    schema: z.object({ id: z.number() }),
    handler: () => {
      handled++;
    },
  });
  const { memory, work } = workbench([Order]);
  // JavaScript reads SQL's 1970670598291982290 as this number.
  await memory.send([{ type: "Order", payload: JSON.parse('{"id":1970670598291982290}') }]);
  await work();
  assertEquals([handled, memory.failed[0]?.reason], [0, "invalid"]);
  assertEquals(memory.failed[0]?.envelope.errors[0]?.message.includes("payload.id"), true);
});

Deno.test("a value whose getter or toJSON throws a value that cannot be read is refused with its path", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const unreadable = Object.assign(new Error(), {
    message: {
      toString() {
        throw new Error("unreadable");
      },
    },
  });
  for (const thrown of [proxy, unreadable, Symbol("x"), null]) {
    const fail = () => {
      throw thrown;
    };
    for (
      const value of [
        { toJSON: fail },
        Object.defineProperty({}, "b", { get: fail, enumerable: true }),
      ]
    ) {
      const error = assertThrows(() => toJson({ a: value }), UnstorableError);
      assertStringIncludes(error.message, "cannot be read as JSON: ");
      assertEquals(error.path[0], "a");
    }
  }
});

Deno.test("the length and bytes of a value as JSON are those that are written", () => {
  const units = ["a", '"', "\\", "\n", "\0", "\x7f", "\u2028", "é", "😀", "\ud800"];
  const key = fc.string({ unit: fc.constantFrom(...units) });
  const values = [key, fc.integer(), fc.double({ noNaN: true }), fc.constant(null)];
  const value = fc.object({ key, values, maxDepth: 3 });
  const isExact = fc.property(value, (json) => {
    const text = JSON.stringify(json);
    const bytes = new TextEncoder().encode(text).length;
    assertEquals([jsonLength(json), jsonBytes(json)], [text.length, bytes]);
  });
  fc.assert(isExact);
});
