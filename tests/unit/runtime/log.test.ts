/** Log lines: whatever is logged, each is JSON within the platform's bounds, and logging never throws. */

import { assert, assertEquals } from "@std/assert";
import type { LogFields } from "../../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

const MAX_LINE_LENGTH = 10_000;

/** The one line that logging these fields writes. */
function lineOf(fields: LogFields, bound: LogFields = {}): Record<string, unknown> {
  const lines: string[] = [];
  const now = () => new Date("2026-01-02T03:04:05Z");
  createLogger({ write: (_, line) => lines.push(line), now }).with(bound).info("row", fields);
  assertEquals(lines.length, 1);
  assert((lines[0]?.length ?? 0) < MAX_LINE_LENGTH, `${lines[0]?.length} characters`);
  return JSON.parse(lines[0] ?? "");
}

Deno.test("a long field is shortened, and the line stays JSON", () => {
  const line = lineOf({ text: "x".repeat(50_000), after: 1 });
  assertEquals([line.event, line.after], ["row", 1]);
  assert(String(line.text).startsWith("xxx") && String(line.text).endsWith("(50000)"));
});

Deno.test("many fields, long lists and deep objects stay within a line", () => {
  const deep = Array.from({ length: 500 }).reduce<unknown>((inner) => ({ inner }), "end");
  const many = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, n) => [`field ${n}`, "y".repeat(99)]),
  );
  for (
    const fields of [
      { deep },
      { list: Array.from({ length: 100_000 }, (_, n) => `item ${n}`) },
      { quotes: '"'.repeat(9_000), tabs: "\t\u0001".repeat(5_000) },
      many,
      { ["k".repeat(20_000)]: 1 },
    ]
  ) assertEquals(lineOf(fields).level, "info");
});

Deno.test("what JSON has no form for is logged in a form that can be read", () => {
  const cycle: Record<string, unknown> = { name: "cycle" };
  cycle.self = cycle;
  const line = lineOf({
    id: 12345678901234567890n,
    missing: NaN,
    error: new TypeError("no"),
    map: new Map([["a", 1]]),
    set: new Set([1, 2]),
    bytes: new Uint8Array(3),
    symbol: Symbol("s"),
    run: () => {},
    nothing: undefined,
    cycle,
  });
  assertEquals(
    [line.id, line.missing, line.error, line.map, line.set, line.bytes, line.symbol, line.run],
    [
      "12345678901234567890",
      "NaN",
      "TypeError: no",
      { a: 1 },
      [1, 2],
      "[3 bytes]",
      "Symbol(s)",
      "[function]",
    ],
  );
  assertEquals((line.cycle as { name: string }).name, "cycle");
});

Deno.test("fields that cannot be read are named, and the others are logged", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const line = lineOf({
    proxy,
    getter: {
      get value() {
        throw new Error("no");
      },
    },
    get own() {
      throw new Error("no");
    },
    date: new Date(NaN),
    after: 1,
  });
  assertEquals(
    [line.proxy, line.getter, line.own, line.after],
    ["[unreadable]", "[unreadable]", "[unreadable]", 1],
  );
});

Deno.test("a user's fields take the place neither of the line's own nor of bound ones", () => {
  const line = lineOf({ level: "debug", time: 0, event: "x", id: 9, more: 1 }, { id: "7" });
  assertEquals(
    [line.level, line.time, line.event, line.id, line.more, line.fields],
    ["info", "2026-01-02T03:04:05.000Z", "row", "7", 1, {
      level: "debug",
      time: 0,
      event: "x",
      id: 9,
    }],
  );
});

Deno.test("what is logged without the name of a field is not lost", () => {
  const logged = (value: unknown) => lineOf(value as LogFields);
  assertEquals(logged(new TypeError("no")).error, "TypeError: no");
  assertEquals(logged([1, 2]).value, [1, 2]);
  assertEquals(logged("text").value, "text");
});

Deno.test("a sink or a clock that throws is survived", () => {
  const broken = () => {
    throw new Error("the drain is closed");
  };
  createLogger({ write: broken }).error("x");
  createLogger({ now: broken, write: () => {} }).error("x");
  createLogger({ write: () => {} }).info("x", null as unknown as LogFields);
});

Deno.test("fields that are a revoked proxy, and a sink that fails later, are survived", async () => {
  const { proxy, revoke } = Proxy.revocable<Record<string, unknown>>({}, {});
  revoke();
  assertEquals(lineOf(proxy).event, "row");
  assertEquals(lineOf({}, proxy).event, "row");
  const hostile = {
    get secret(): string {
      throw new Error("no");
    },
  };
  assertEquals(lineOf({ fields: hostile, level: "mine" }).fields, {
    secret: "[unreadable]",
    level: "mine",
  });
  assertEquals(lineOf({ answer: new Response("x", { status: 404 }) }).answer, "HTTP 404");
  createLogger({ write: () => Promise.reject(new Error("the sink is down")) }).info("row");
  await Promise.resolve();
});

Deno.test("fields that are a Map, a Set or a Date are a value, and are not left out", () => {
  const fields = (value: unknown) => lineOf(value as LogFields).value;
  assertEquals(fields(new Map([["rows", 3]])), { rows: 3 });
  assertEquals(fields(new Set([1, 2])), [1, 2]);
  assertEquals(fields(new Date("2026-01-02T03:04:05Z")), "2026-01-02T03:04:05.000Z");
});
