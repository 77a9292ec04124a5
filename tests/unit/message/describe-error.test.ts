/** Descriptions of thrown values: complete, bounded, and fit to be stored. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { PostgrestError } from "@supabase/supabase-js";
import fc from "fast-check";
import {
  describeError,
  toStorableText,
} from "../../../supabase/functions/_shared/symphony/message/describe-error.ts";
import {
  HttpError,
  StepError,
} from "../../../supabase/functions/_shared/symphony/message/errors.ts";

const short = (error: unknown) => {
  const { message, class: name, code } = describeError(error);
  return code === undefined ? [name, message] : [name, message, code];
};

Deno.test("an error is described by its text, its class and its code", () => {
  class CardDeclined extends Error {}
  const sql = { message: "duplicate key", details: "", hint: "", code: "23505" };
  const cases: [unknown, string[]][] = [
    [new Error("boom"), ["Error", "boom"]],
    [new TypeError("boom"), ["TypeError", "boom"]],
    [new CardDeclined("no funds"), ["CardDeclined", "no funds"]],
    [new CardDeclined(), ["CardDeclined", "CardDeclined"]],
    [Object.assign(new Error("x"), { name: "Custom" }), ["Custom", "x"]],
    [new DOMException("late", "TimeoutError"), ["TimeoutError", "late"]],
    [new HttpError(503), ["HttpError", "HTTP 503", "503"]],
    [Object.assign(new Error("x"), { code: "ECONNRESET" }), ["Error", "x", "ECONNRESET"]],
    [Object.assign(new Error("x"), { code: 14 }), ["Error", "x", "14"]],
    [new PostgrestError(sql), ["PostgrestError", "duplicate key", "23505"]],
    [sql, ["Object", "duplicate key", "23505"]],
    [Object.assign(new Error("x"), { message: { a: 1 } }), ["Error", '{"a":1}']],
  ];
  for (const [error, expected] of cases) assertEquals(short(error), expected);
});

Deno.test("what is no error is described as well", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const cases: [unknown, string[]][] = [
    ["boom", ["string", "boom"]],
    ["", ["string", "string"]],
    [undefined, ["undefined", "undefined"]],
    [null, ["null", "null"]],
    [42, ["number", "42"]],
    [10n, ["bigint", "10"]],
    [Symbol("s"), ["symbol", "Symbol(s)"]],
    [() => 1, ["function", "a function"]],
    [{ a: 1 }, ["Object", '{"a":1}']],
    [{ name: "Bob" }, ["Object", '{"name":"Bob"}']],
    [[1, 2], ["Array", "[1,2]"]],
    [circular, ["Object", "Object"]],
    [{ n: 1n }, ["Object", "Object"]],
    [Object.create(null), ["Object", "{}"]],
    [new Response("x", { status: 404 }), ["Response", "HTTP 404", "404"]],
  ];
  for (const [error, expected] of cases) assertEquals(short(error), expected);
});

Deno.test("what refuses to be read is described without throwing", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  const called = Proxy.revocable(() => 1, {});
  revoke();
  called.revoke();
  const hostile = new Error("x");
  for (const key of ["message", "name", "stack", "code", "cause", "constructor"]) {
    Object.defineProperty(hostile, key, {
      get: () => {
        throw new Error("no");
      },
    });
  }
  const keepingNames = new Proxy(new Error("x"), {
    getOwnPropertyDescriptor: () => {
      throw new Error("no");
    },
  });
  assertEquals(short(keepingNames), ["Error", "x"]);
  assertEquals(describeError(proxy), { message: "Object", class: "Object" });
  assertEquals(describeError(called.proxy), { message: "a function", class: "function" });
  assertEquals(describeError(hostile), { message: "Object", class: "Object" });
  assertEquals(short(Object.create(Response.prototype)), ["Response", "HTTP undefined"]);
});

Deno.test("the stack is followed by those of the causes and of the parts", () => {
  const error = new Error("outer", {
    cause: new AggregateError([new TypeError("part")], "middle"),
  });
  const { stack = "" } = describeError(error);
  const order = ["Error: outer", "Caused by: AggregateError: middle", "Caused by: TypeError: part"];
  const places = order.map((text) => stack.indexOf(text));
  assertEquals(places, places.toSorted((a, b) => a - b));
  assert(!places.includes(-1) && stack.includes("describe-error.test.ts"));
  assert(describeError({ cause: "no disk" }).stack?.includes("string: no disk"));
  assertEquals("stack" in describeError("boom"), false);
});

Deno.test("the stack of a step's failure names the class of the error that the step has stored", () => {
  const failure = { message: "the carrier is down", class: "CarrierError" };
  const error = new StepError("carrier", { reason: "exhausted", ...failure });
  assertMatch(describeError(error).stack ?? "", /\nCaused by: CarrierError: the carrier is down$/);
  assertEquals({ ...error.cause }, failure);
});

Deno.test("a cycle of causes comes to an end", () => {
  const error = new Error("x");
  error.cause = error;
  assert(!describeError(error).stack?.includes("Caused by"));
});

Deno.test("texts are cut to their bounds", () => {
  const error = new Error("m".repeat(100_000));
  const described = describeError(error);
  assertEquals([described.message.length, described.stack?.length], [2_000, 4_000]);
  assertEquals(described.message.endsWith("m…"), true);
  const narrow = describeError(error, { message: 10, stack: 20 });
  assertEquals([narrow.message, narrow.stack?.length], ["mmmmmmmmm…", 20]);
});

Deno.test("a text of exactly the bound is left whole", () => {
  assertEquals(toStorableText("abc", 3), "abc");
  assertEquals(toStorableText("abcd", 3), "ab…");
});

Deno.test("what Postgres cannot hold is replaced: U+0000 and halves of surrogate pairs", () => {
  const { message } = describeError(new Error("a\0b\ud800c\udc00d😀"));
  assertEquals(message, "a\ufffdb\ufffdc\ufffdd😀");
  assertEquals(toStorableText("😀😀", 2), "\ufffd…");
});

Deno.test("whatever was thrown, the description is bounded text that Postgres can hold", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  const thrown = fc.oneof(
    fc.anything({ withNullPrototype: true, withBigInt: true }),
    fc.record({ message: text, name: text, code: text, stack: text }).map((fields) =>
      Object.assign(new Error(), fields)
    ),
  );
  fc.assert(fc.property(thrown, (error) => {
    const described = describeError(error, { message: 20, stack: 30 });
    assert(described.message.length <= 20 && (described.stack?.length ?? 0) <= 30);
    for (const value of Object.values(described)) {
      assert(typeof value === "string" && value.isWellFormed() && !value.includes("\0"));
    }
    assertEquals(JSON.parse(JSON.stringify(described)), described);
  }));
});

Deno.test("the stack of an error whose message is longer is not made, and the message stands for it", () => {
  let reads = 0;
  const long = (length: number, cause?: unknown) =>
    Object.defineProperty(new TypeError("m".repeat(length), { cause }), "stack", {
      get: () => `${++reads}`,
    });
  const { stack } = describeError(long(5_000, long(10_000_000)));
  assertEquals([stack, reads], [`TypeError: ${"m".repeat(4_000 - 12)}…`, 0]);
  assertEquals(describeError(long(100, long(200))).stack, "1\nCaused by: 2");
});
