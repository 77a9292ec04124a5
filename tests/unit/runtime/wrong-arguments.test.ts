/** Arguments of a wrong kind: the error names the argument, and no list, Map or Date passes for options. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  classifyError,
  createMessenger,
  defineEvent,
  defineMessage,
  defineSchedule,
  defineWebhook,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { define } from "../../support/definitions.ts";
import { workbench } from "../../support/worker.ts";

// deno-lint-ignore no-explicit-any -- callers without types
type Untyped = any;

const Any = defineMessage({ type: "Any", schema: z.unknown(), handler: () => {} });
const named = { type: "T", schema: z.unknown(), handler: () => {}, name: "e" };
const Any2 = { type: "T", schema: z.unknown(), handler: () => {} };
/** Values that hold options for none who reads them by name. */
const noOptions: [string, unknown][] = [
  ["null", null],
  ["a number", 5],
  ["an array", []],
  ["an array with options as its properties", Object.assign([], { ...named, delay: "1h" })],
  ["a Map", new Map([["delay", "1h"]])],
  ["a Date with options as its properties", Object.assign(new Date(), { ...named, delay: "1h" })],
];

for (const [what, value] of noOptions) {
  const given = value as Untyped;

  Deno.test(`a definition, an event, a schedule and a webhook refuse ${what} as options`, () => {
    const makers: [string, () => unknown][] = [
      ["defineMessage: options", () => defineMessage(given)],
      ["defineEvent: options", () => defineEvent(given)],
      ["defineWebhook: options", () => defineWebhook(given)],
      ["defineSchedule: options", () => defineSchedule(Any, 1, given)],
    ];
    for (const [field, make] of makers) {
      assertThrows(make, RangeError, `${field}: have to be an object; got`);
    }
  });

  Deno.test(`a dispatch, a batch and the test kit refuse ${what} as options`, async () => {
    const t = createTestMessenger({ messages: [Any] });
    const calls: (() => Promise<unknown>)[] = [
      () => t.dispatch(Any, 1, given),
      () => t.bus.dispatchAll([{ type: "Any", payload: 1, options: given }]),
      () => t.bus.dispatchBatch([], given),
      () => t.bus.dispatchBatch([{ definition: Any, payload: 1, options: given }], { name: "b" }),
      () =>
        t.bus.dispatchBatch([], {
          name: "b",
          onFinished: { definition: Any, payload: 1, options: given },
        }),
      () => t.drain(given),
    ];
    for (const call of calls) {
      await assertRejects(call, RangeError, "options: have to be an object; got");
    }
    assertThrows(() => createTestMessenger(given), RangeError, "options: have to be an object");
    assertThrows(
      () => createTestMessenger({ messages: [Any], functions: given }),
      RangeError,
      "functions: options: have to be an object",
    );
    assertThrows(
      () => createTestMessenger({ messages: [Any], config: given }),
      RangeError,
      "config: options: have to be an object",
    );
    assertEquals(t.pending(), []);
  });

  Deno.test(`the option of a definition that holds options refuses ${what}`, () => {
    for (const name of ["retry", "keep", "rateLimit", "dedupe", "handler"]) {
      if (name === "keep" && value === 5) continue;
      assertThrows(() => defineMessage({ ...named, name: undefined, [name]: given } as Untyped));
    }
  });
}

Deno.test("options that a class gives by getters and defaults count like others", async () => {
  class Later {
    delay = "1m";
    get idempotencyKey() {
      return "k";
    }
  }
  const { bus } = workbench([Any]);
  const options = new Later() as Untyped;
  const { delayMs, idempotencyKey } = await bus.prepare({ type: "Any", payload: 1, options });
  assertEquals([delayMs, idempotencyKey], [60_000, "k"]);
});

const nulls = ["queue", "runsOn", "priority", "timeout", "stopGrace", "dedupe", "access"];
for (const name of [...nulls, "callerOptions", "maxDelay", "result", "ttl", "keep"]) {
  Deno.test(`a definition whose ${name} is null is refused, and no default holds`, () => {
    assertThrows(
      () => defineMessage({ ...Any2, [name]: null } as Untyped),
      RangeError,
      `T: ${name}: `,
    );
  });
}

const lists: [string, (value: Untyped) => unknown][] = [
  ["messages", (messages) => createTestMessenger({ messages })],
  ["middleware", (middleware) => createTestMessenger({ messages: [], middleware })],
  ["events", (events) => createTestMessenger({ messages: [], events })],
];
for (const [name, make] of lists) {
  Deno.test(`${name} that are no array, or hold something else, are refused by place`, () => {
    assertThrows(() => make(5), RangeError, `${name}: has to be an array`);
    assertThrows(() => make(new Map()), RangeError, `${name}: has to be an array`);
    assertThrows(() => make([null]), RangeError, `${name}: 1: has to be`);
    assertThrows(() => make([[]]), RangeError, `${name}: 1: has to be`);
  });
}

Deno.test("options of a message that were not given to defineMessage are refused by place", () => {
  assertThrows(
    () => createTestMessenger({ messages: [Any, Any2 as Untyped] }),
    RangeError,
    "messages: 2: has to be what defineMessage returns; got an object",
  );
});

for (const value of [undefined, null, 5, "Any", {}]) {
  const wrong = value as Untyped;
  Deno.test(`a dispatch of ${Deno.inspect(value)} in place of a definition is refused by name`, async () => {
    const t = createTestMessenger({ messages: [Any] });
    const refusal = "definition: has to be a message's definition; got ";
    await assertRejects(() => t.dispatch(wrong, 1), RangeError, refusal);
    const batch = [{ definition: wrong, payload: 1 }];
    await assertRejects(
      () => t.bus.dispatchBatch(batch, { name: "b" }),
      RangeError,
      `messages: ${refusal}`,
    );
    assertThrows(() => defineSchedule(wrong, 1, { name: "s" } as Untyped), RangeError, refusal);
    assertThrows(() => t.assertDispatched(wrong), RangeError, "assertDispatched: has to be");
  });

  Deno.test(`a handler and a batch handler that dispatch ${Deno.inspect(value)} get a promise that rejects by name`, async () => {
    const told: string[] = [];
    const tell = (promise: Promise<unknown>) =>
      promise.then(() => told.push("dispatched"), ({ message }) => told.push(message));
    const { bus, work } = workbench([
      define(async (_, ctx) => {
        await tell(ctx.dispatch(wrong, 1));
        await tell(ctx.dispatchNow(wrong, 1));
      }),
      defineMessage({
        type: "Batch",
        schema: z.unknown(),
        handleBatch: async ([first], ctx) => {
          await tell(ctx.dispatch(wrong, 1));
          await tell(ctx.dispatchNow(wrong, 1));
          await tell(first?.dispatch(wrong, 1) ?? Promise.resolve());
        },
      }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }, { type: "Batch", payload: 1 }]);
    await work();
    assertEquals(told.length, 5);
    for (const message of told) {
      assertEquals(message.slice(0, 44), "definition: has to be a message's definition");
    }
  });
}

for (const value of [undefined, null, 5, {}, new Date()]) {
  const wrong = value as Untyped;
  Deno.test(`${Deno.inspect(value)} in place of a batch's messages is refused by name`, async () => {
    const told: string[] = [];
    const { bus, work } = workbench([
      define(async (_, ctx) => {
        const batch = ctx.dispatchBatch(wrong, { name: "b" });
        await batch.then(() => {}, ({ message }) => told.push(message));
      }),
    ]);
    const refusal = "messages: have to be an array";
    await assertRejects(() => bus.dispatchBatch(wrong, { name: "b" }), RangeError, refusal);
    await assertRejects(() => bus.dispatchAll(wrong), RangeError, refusal);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await work();
    assertEquals(told.map((text) => text.slice(0, 48)), [`ctx.dispatchBatch: ${refusal}`]);
  });
}

Deno.test("a token that is no text is none", async () => {
  const t = createTestMessenger({ messages: [] });
  for (const token of [null, undefined, 5, [], {}]) {
    await assertRejects(() => t.redeem(token as Untyped), RangeError, "token: is forged");
  }
});

Deno.test("an idempotency scope without a key is refused, in code and from middleware", async () => {
  const { bus } = workbench([Any]);
  const options = { idempotencyScope: "user-1" };
  const refusal = "idempotencyScope: needs an idempotencyKey";
  await assertRejects(() => bus.dispatch(Any, 1, options), RangeError, refusal);
  const t = createTestMessenger({
    messages: [Any],
    middleware: [{ dispatch: (message) => ({ ...message, ...options }) }],
  });
  await assertRejects(() => t.dispatch(Any, 1), RangeError, refusal);
});

Deno.test("a definition whose messages expire before their debounce ends is refused", () => {
  const debounced = (ttl: "1m" | "2m" | "3m") =>
    defineMessage({ ...Any2, ttl, dedupe: { debounce: "2m" } });
  for (const ttl of ["1m", "2m"] as const) {
    assertThrows(
      () => debounced(ttl),
      RangeError,
      "T: ttl: has to be longer than the debounce of 120000 ms",
    );
  }
  assertEquals(debounced("3m").ttlMs, 180_000);
});

Deno.test("declared schedules that are no array, or were not made by defineSchedule, are refused by place", () => {
  const make = (schedules: Untyped) => createTestMessenger({ messages: [Any], schedules });
  for (const schedules of [5, "daily", new Map()]) {
    assertThrows(() => make(schedules), RangeError, "schedules: has to be an array of what");
  }
  for (const one of [null, 5, [], { message: { type: "Any" } }, { name: "daily" }]) {
    assertThrows(() => make([one]), RangeError, "schedules: 1: has to be what defineSchedule");
  }
});

for (const value of [null, 5, "slow", [1], new Map()]) {
  Deno.test(`the retry rule ${Deno.inspect(value)} of a step is refused by name`, async () => {
    const told: string[] = [];
    const { bus, work } = workbench([
      define(async (_, ctx) => {
        const step = ctx.step("one", () => 1, { retry: value as Untyped });
        await step.then(() => {}, ({ message }) => told.push(message));
      }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await work();
    assertEquals(
      told.map((text) => text.slice(0, 36)),
      ["retry: has to be an object of options"].map(
        (text) => text.slice(0, 36),
      ),
    );
  });
}

const supabase = {} as Untyped;
for (const name of ["supabase", "transport", "scheduleStore", "config", "now", "log"]) {
  Deno.test(`createMessenger refuses a ${name} of another kind when it is made`, () => {
    for (const value of [null, 5, "x", true]) {
      const make = () => createMessenger({ supabase, messages: [Any], [name]: value } as Untyped);
      assertThrows(make, RangeError, `${name}: has to be a`);
    }
  });
}

Deno.test("createMessenger refuses parts without their methods, and secrets that it does not show", () => {
  const make = (more: Untyped) => () => createMessenger({ supabase, messages: [Any], ...more });
  assertThrows(make({ transport: {} }), RangeError, "transport: has to be a transport; got an");
  assertThrows(make({ log: {} }), RangeError, "log: has to be a logger; got an object");
  for (const tokenSecrets of [null, "hush", [""], [5], {}]) {
    assertThrows(
      make({ tokenSecrets }),
      RangeError,
      "tokenSecrets: has to be an array of texts that are not empty",
    );
  }
});

Deno.test("transports and routes in a Map are refused, which would be none", () => {
  for (const name of ["transports", "routing"]) {
    const config = { [name]: new Map([["eu", "*"]]) } as Untyped;
    assertThrows(
      () => createTestMessenger({ messages: [Any], config }),
      RangeError,
      `${name}: has to be an object; got a Map`,
    );
  }
});

Deno.test("an error is classified without a time, too", () => {
  const given = classifyError(new Response(null, { status: 404 }));
  assertEquals(given, { kind: "unrecoverable" });
});

class ImportHandler {
  handle() {}
}
const classes: [string, Untyped, string][] = [
  ["T: handler", { handler: ImportHandler }, "ImportHandler"],
  ["T: handler: mail", { handler: { mail: class extends ImportHandler {} } }, "mail"],
  ["T: handler", { handler: Map }, "Map"],
  ["T: handleBatch", { handler: undefined, handleBatch: ImportHandler }, "ImportHandler"],
  ["T: access", { access: ImportHandler }, "ImportHandler"],
  ["T: onRetry", { onRetry: ImportHandler }, "ImportHandler"],
  ["T: route", { route: ImportHandler }, "ImportHandler"],
];
for (const [field, options, name] of classes) {
  Deno.test(`the class ${name} as ${Object.keys(options)} is refused when the message is defined, for it cannot be called`, () => {
    assertThrows(
      () => defineMessage({ ...Any2, ...options }),
      RangeError,
      `${field}: has to be a plain or async function; got the class ${name}: give a function`,
    );
  });
}

Deno.test("a class in place of middleware or of a retry strategy is refused by its name", () => {
  const got = "got the class ImportHandler";
  const middleware = [ImportHandler as Untyped];
  assertThrows(() => createTestMessenger({ messages: [Any], middleware }), RangeError, got);
  assertThrows(
    () => defineMessage({ ...Any2, retry: ImportHandler as Untyped }),
    RangeError,
    got,
  );
});

Deno.test("functions of every other form are handlers: old ones, bound ones, methods and members of an instance", () => {
  const old = function () {};
  const bound = ImportHandler.prototype.handle.bind(new ImportHandler());
  for (const handler of [old, bound, ImportHandler.prototype.handle, async () => {}]) {
    assertEquals(defineMessage({ ...Any2, handler }).handlers.length, 1);
  }
  class Members {
    mail = () => {};
  }
  const named = defineMessage({ ...Any2, handler: new Members() as Untyped });
  assertEquals(named.handlers.map(({ name }) => name), ["mail"]);
});

for (
  const [field, options] of [
    ["overlp", { overlp: "skip" }],
    ["catchup", { catchup: "all" }],
    ["config.intervall", { config: { intervall: "1h" } }],
    ["config.cron", { config: { cron: "@daily" } }],
  ] as const
) {
  Deno.test(`a declared schedule with ${Deno.inspect(options)} is refused when it is declared, by name`, () => {
    const given = {
      name: "s",
      type: "interval",
      config: { interval: "1h" },
      ...options,
    } as Untyped;
    const refusal = `defineSchedule: ${field}: no such option`;
    assertThrows(() => defineSchedule(Any, 1, given), RangeError, refusal);
  });
}
