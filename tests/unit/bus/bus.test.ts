/** Definitions and the bus: what is taken, what is refused, and what is sent. */

import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import fc from "fast-check";
import { z } from "zod";
import {
  defineMessage,
  type DispatchOptions,
  InvalidPayloadError,
  UnknownMessageTypeError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { workbench } from "../../support/worker.ts";

const Mail = defineMessage({
  type: "Mail",
  schema: z.object({ to: z.string(), at: z.iso.datetime().optional() }),
  queue: "mail",
  priority: 3,
  ttl: "1h",
  handler: () => {},
});

const Slow = defineMessage({
  type: "Slow",
  schema: z.object({ to: z.string().refine((to) => Promise.resolve(to !== "")) }),
  handler: () => {},
});

Deno.test("a dispatch takes the definition's queue, priority and ttl, unless it chooses others", async () => {
  const { bus } = workbench([Mail]);
  const prepared = await bus.prepare({ type: "Mail", payload: { to: "a" } });
  assertEquals([prepared.queue, prepared.priority, prepared.ttlMs], ["mail", 3, 3_600_000]);
  const chosen = await bus.prepare({
    type: "Mail",
    payload: { to: "a" },
    options: { queue: "slow", priority: -1, ttl: "1m", delay: "2s" },
  });
  assertEquals([chosen.queue, chosen.priority, chosen.ttlMs, chosen.delayMs], [
    "slow",
    -1,
    60_000,
    2_000,
  ]);
});

Deno.test("a dedupe key is held as the dispatch says, or else as the definition does", async () => {
  const { bus } = workbench([
    Mail,
    defineMessage({
      type: "Soon",
      schema: z.unknown(),
      handler: () => {},
      dedupe: { window: "10m" },
    }),
  ]);
  const held = async (type: string, options: DispatchOptions) => {
    const { dedupeKey, dedupe } = await bus.prepare({ type, payload: { to: "a" }, options });
    return [dedupeKey, dedupe];
  };
  assertEquals(await held("Mail", {}), [undefined, undefined]);
  assertEquals(await held("Mail", { dedupeKey: "k" }), ["k", "until-finished"]);
  assertEquals(await held("Soon", { dedupeKey: "k" }), ["k", { windowMs: 600_000 }]);
  assertEquals(await held("Soon", { dedupeKey: "k", dedupe: "until-started" }), [
    "k",
    "until-started",
  ]);
  assertEquals(await held("Soon", { dedupeKey: "k", dedupe: "replace" }), ["k", "replace"]);
  assertEquals(
    await held("Soon", { dedupeKey: "k", dedupe: { debounce: "30s", maxWait: "5m" } }),
    ["k", { debounceMs: 30_000, maxWaitMs: 300_000 }],
  );
});

Deno.test("what is sent is the JSON of the payload, which is what the schema has checked", async () => {
  const { bus } = workbench([Mail]);
  const payload = { to: "a", at: new Date(0) as unknown as string, extra: undefined };
  const prepared = await bus.prepare({ type: "Mail", payload });
  assertEquals(prepared.payload, { to: "a", at: "1970-01-01T00:00:00.000Z" });
});

Deno.test("what a schema or a lane changes in place in the payload is not what is sent", async () => {
  interface Order {
    count: number;
    more: { team?: string };
  }
  const count = (value: unknown) => {
    (value as Order).count++;
    return value;
  };
  const handler = () => {};
  const { bus, memory, work } = workbench([
    defineMessage({ type: "Before", schema: z.preprocess(count, z.unknown()), handler }),
    defineMessage({ type: "After", schema: z.unknown().transform(count), handler }),
    defineMessage({
      type: "Later",
      schema: z.unknown().refine(async (v) => !!await count(v)),
      handler,
    }),
    defineMessage({
      type: "Lane",
      schema: z.object({ count: z.int(), more: z.unknown() }),
      lane: ({ more }) => {
        const { team = "none" } = more as Order["more"];
        delete (more as Order["more"]).team;
        return team;
      },
      handler,
    }),
  ]);
  const payload = { count: 1, more: { team: "a" } };
  await bus.dispatchAll(["Before", "After", "Later", "Lane"].map((type) => ({ type, payload })));
  assertEquals(memory.sent.map((one) => one.payload), Array(4).fill(payload));
  assertEquals((await work()).handled, 4);
});

const Any = defineMessage({ type: "Any", schema: z.unknown(), handler: () => {} });

Deno.test("what JSON keeps is prepared as reading its JSON gives it", async () => {
  const { bus } = workbench([Any]);
  const exact = (_: string, value: unknown) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) =>
    JSON.parse(JSON.stringify(value, exact))
  );
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      json,
      fc.constantFrom(-0, new Date(0), new URL("https://example.org")),
      fc.array(tie("value")),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom("toJSON", "__proto__")),
        fc.oneof(tie("value"), fc.constant(undefined)),
      ),
    ),
  })).value;
  await fc.assert(fc.asyncProperty(values, async (payload) => {
    const prepared = await bus.prepare({ type: "Any", payload });
    // The text shows the order of the keys too.
    assertEquals(JSON.stringify(prepared.payload), JSON.stringify(payload));
  }));
});

Deno.test("a property by the name of __proto__ is a property as any other", async () => {
  const { bus } = workbench([Any]);
  const json = '{"list":[{"__proto__":{"a":1},"b":2}]}';
  const { payload } = await bus.prepare({ type: "Any", payload: JSON.parse(json) });
  assertEquals(JSON.stringify(payload), json);
});

Deno.test("an object with a method toJSON is prepared as that method says", async () => {
  const { bus } = workbench([Any]);
  class Money {
    toJSON = () => "3 EUR";
  }
  const payload = { own: { toJSON: () => 1 }, price: new Money(), list: [new Money()] };
  const prepared = await bus.prepare({ type: "Any", payload });
  assertEquals(prepared.payload, { own: 1, price: "3 EUR", list: ["3 EUR"] });
});

Deno.test("a payload that is changed after the dispatch is sent as it was", async () => {
  const { bus } = workbench([Any]);
  const line = { sku: "a" };
  const payload = { lines: [line] };
  const preparing = bus.prepare({ type: "Any", payload });
  line.sku = "b";
  payload.lines.pop();
  assertEquals((await preparing).payload, { lines: [{ sku: "a" }] });
});

for (const [what, key] of [["U+0000", "a\0"], ["half of a surrogate pair", "\udc00"]] as const) {
  Deno.test(`a payload with ${what} in the name of a property is refused`, async () => {
    const { bus } = workbench([Any]);
    await assertRejects(
      () => bus.prepare({ type: "Any", payload: { list: [{ [key]: 1 }] } }),
      InvalidPayloadError,
      "holds U+0000 or half of a surrogate pair",
    );
  });
}

const refused: [string, unknown, DispatchOptions, new (...args: never[]) => Error, string][] = [
  ["a payload that does not fit", { to: 5 }, {}, InvalidPayloadError, "to"],
  ["a payload with U+0000", { to: "a\0" }, {}, InvalidPayloadError, "U+0000"],
  ["half of a surrogate pair", { to: "\ud83d" }, {}, InvalidPayloadError, "surrogate"],
  ["a payload that refers to itself", cycle(), {}, InvalidPayloadError, "nested deeper"],
  ["a payload that is undefined", undefined, {}, InvalidPayloadError, "JSON"],
  ["a bigint", { to: 5n }, {}, InvalidPayloadError, "JSON"],
  [
    "delay and availableAt",
    { to: "a" },
    { delay: 1, availableAt: new Date() },
    RangeError,
    "delay",
  ],
  ["a time that is none", { to: "a" }, { availableAt: new Date("x") }, RangeError, "availableAt"],
  ["a negative delay", { to: "a" }, { delay: -1 }, RangeError, "delay"],
  ["a priority out of range", { to: "a" }, { priority: 5000 }, RangeError, "priority"],
  ["a queue's name that is none", { to: "a" }, { queue: "" }, RangeError, "queue"],
  ["an empty dedupe key", { to: "a" }, { dedupeKey: "" }, RangeError, "dedupeKey"],
  [
    "a dedupe key and an idempotency key",
    { to: "a" },
    { dedupeKey: "k", idempotencyKey: "k" },
    RangeError,
    "dedupeKey: give either",
  ],
  ["dedupe without a key", { to: "a" }, { dedupe: "until-started" }, RangeError, "dedupe: needs"],
  [
    "a window that is none",
    { to: "a" },
    { dedupeKey: "k", dedupe: { window: 0 } },
    RangeError,
    "dedupe: window: has to be more than 0",
  ],
  [
    "a debounce that is none",
    { to: "a" },
    { dedupeKey: "k", dedupe: { debounce: 0 } },
    RangeError,
    "dedupe: debounce: has to be more than 0",
  ],
  [
    "a maxWait that is shorter than its debounce",
    { to: "a" },
    { dedupeKey: "k", dedupe: { debounce: "1m", maxWait: "30s" } },
    RangeError,
    "dedupe: maxWait: has to be at least the debounce of 60000 ms (was 30000 ms)",
  ],
  [
    "a debounce and a delay",
    { to: "a" },
    { dedupeKey: "k", dedupe: { debounce: "1m" }, delay: "1s" },
    RangeError,
    "delay: does not go with a debounce",
  ],
  [
    "a debounce and a due time",
    { to: "a" },
    { dedupeKey: "k", dedupe: { debounce: "1m" }, availableAt: new Date() },
    RangeError,
    "availableAt: does not go with a debounce",
  ],
  [
    "a debounce and a ttl that is no longer",
    { to: "a" },
    { dedupeKey: "k", dedupe: { debounce: "1m" }, ttl: "1m" },
    RangeError,
    "ttl: has to be longer than the debounce of 60000 ms",
  ],
  ["an empty idempotency key", { to: "a" }, { idempotencyKey: "" }, RangeError, "idempotencyKey"],
];
for (const [what, payload, options, type, message] of refused) {
  Deno.test(`dispatching ${what} is refused with the field's name, and nothing is sent`, async () => {
    const { bus, memory } = workbench([Mail]);
    const wrong = { type: "Mail", payload, options };
    await assertRejects(
      () => bus.dispatchAll([{ type: "Mail", payload: { to: "a" } }, wrong]),
      type,
      message,
    );
    assertEquals(memory.messages, []);
  });
}

Deno.test("an escaped backslash before u0000 is text, and is taken", async () => {
  const { bus } = workbench([Mail]);
  const payload = { to: "C:\\u0000 and 😀" };
  assertEquals((await bus.prepare({ type: "Mail", payload })).payload, payload);
});

Deno.test("an unknown type is refused with its name", async () => {
  const { bus } = workbench([Mail]);
  await assertRejects(
    () => bus.dispatchAll([{ type: "Nope", payload: {} }]),
    UnknownMessageTypeError,
    "Nope",
  );
});

Deno.test("messages of synchronous and asynchronous schemas keep their order in one dispatch", async () => {
  const { bus, memory } = workbench([Mail, Slow]);
  await bus.dispatchAll([
    { type: "Slow", payload: { to: "a" } },
    { type: "Mail", payload: { to: "b" } },
    { type: "Slow", payload: { to: "c" } },
  ]);
  assertEquals(memory.messages.map(({ payload }) => payload), [
    { to: "a" },
    { to: "b" },
    { to: "c" },
  ]);
});

Deno.test("a dispatch with two wrong messages throws one error, and no rejection is left unhandled", async () => {
  const { bus, memory } = workbench([Mail, Slow]);
  await assertRejects(
    () => bus.dispatchAll([{ type: "Slow", payload: { to: "" } }, { type: "Mail", payload: {} }]),
    InvalidPayloadError,
  );
  await delay(0);
  assertEquals(memory.messages, []);
});

Deno.test("a hole in the array is refused, and nothing is sent", async () => {
  const { bus, memory } = workbench([Mail]);
  const messages = Array(2);
  messages[1] = { type: "Mail", payload: { to: "a" } };
  await assertRejects(() => bus.dispatchAll(messages), RangeError, "options: have to be an object");
  assertEquals(memory.messages, []);
});

Deno.test("dispatch middleware may stamp a message, and may refuse it", async () => {
  const { bus } = workbench([Mail], {
    middleware: [
      { dispatch: (message) => ({ ...message, stamps: { ...message.stamps, trace: "t-1" } }) },
      {
        dispatch: (message) => {
          if (message.priority === 9) throw new Error("not that urgent");
          return message;
        },
      },
    ],
  });
  assertEquals((await bus.prepare({ type: "Mail", payload: { to: "a" } })).stamps, {
    trace: "t-1",
  });
  await assertRejects(
    () => bus.dispatch(Mail, { to: "a" }, { priority: 9 }),
    Error,
    "not that urgent",
  );
});

function cycle(): unknown {
  const payload: { to: string; self?: unknown } = { to: "a" };
  payload.self = payload;
  return payload;
}

Deno.test("a schema that has to be waited for is checked as any other", async () => {
  const taken = new Set(["taken"]);
  const Name = defineMessage({
    type: "Name",
    schema: z.object({
      name: z.string().refine((name) => Promise.resolve(!taken.has(name)), "is taken"),
    }),
    handler: () => {},
  });
  const { bus } = workbench([Name]);
  for (let round = 0; round < 2; round++) {
    await assertRejects(
      () => bus.dispatch(Name, { name: "taken" }),
      InvalidPayloadError,
      "is taken",
    );
    await bus.dispatch(Name, { name: "free" });
  }
});

Deno.test("an asynchronous superRefine or check is waited for, and its rejection is the dispatch's", async () => {
  const known = async (name: unknown) => {
    await delay(1);
    if (name === "broken") throw new Error("the list is away");
    return name !== "taken";
  };
  const issue = { code: "custom", message: "is taken" } as const;
  const schemas = [
    z.string().superRefine(async (name, ctx) => {
      if (!await known(name)) ctx.addIssue(issue);
    }),
    z.string().check(async ({ value, issues }) => {
      if (!await known(value)) issues.push({ ...issue, input: value });
    }),
  ];
  for (const schema of schemas) {
    const { bus, work } = workbench([defineMessage({ type: "Name", schema, handler: () => {} })]);
    const dispatch = (payload: string) => bus.dispatchAll([{ type: "Name", payload }]);
    await assertRejects(() => dispatch("taken"), InvalidPayloadError, "is taken");
    // A stray rejection would fail this test.
    await assertRejects(() => dispatch("broken"), Error, "the list is away");
    await dispatch("free");
    assertEquals((await work()).handled, 1);
  }
});

Deno.test("what the caller changes in its payload and options after the call changes nothing", async () => {
  const Slow = defineMessage({
    type: "Slow",
    schema: z.object({ list: z.array(z.number()) }).refine(() => Promise.resolve(true)),
    handler: () => {},
  });
  const { bus } = workbench([Slow]);
  const payload = { list: [1] };
  const options = {
    stamps: { trail: ["a"] },
    availableAt: new Date("2030-01-01T00:00:00Z"),
    groupKey: "g",
    dedupeKey: "k",
    dedupe: { window: "1m" as "1m" | "2m" },
  };
  const prepared = bus.prepare({ type: "Slow", payload, options });
  payload.list.push(2);
  options.stamps.trail.push("b");
  options.availableAt.setTime(0);
  options.groupKey = "other";
  options.dedupe.window = "2m";
  const { payload: kept, stamps, availableAt, groupKey, dedupe } = await prepared;
  assertEquals([kept, stamps, groupKey, dedupe], [
    { list: [1] },
    { trail: ["a"] },
    "g",
    { windowMs: 60_000 },
  ]);
  assertEquals(availableAt, new Date("2030-01-01T00:00:00Z"));
});
