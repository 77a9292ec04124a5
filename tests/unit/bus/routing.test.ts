/** Routes: which transport a message goes through, and what is refused at the start. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  type MessageDefinition,
  type RoutingOptions,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { matches, routingOf } from "../../../supabase/functions/_shared/symphony/bus/routing.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { unusedSupabase } from "../../../supabase/functions/_shared/symphony/testing/unused-supabase.ts";
import { define } from "../../support/definitions.ts";
import { received, recorded } from "../../support/recorded_engine.ts";

const transports = { events: received(), eu: recorded(), us: recorded() };
const typed = (type: string, more: Parameters<typeof define>[1] = {}) =>
  define(() => {}, { type, ...more });

function setup(options: RoutingOptions, messages: readonly MessageDefinition[]) {
  const memory = new InMemoryTransport();
  const { bus, router } = createMessenger({
    ...{ supabase: unusedSupabase(), messages, transport: memory, tokenSecrets: [] },
    ...options,
  });
  const transportOf = async (type: string, transport?: string) => {
    const options = transport === undefined ? {} : { transport };
    return (await bus.prepare({ type, payload: { team: "eu" }, options })).transport;
  };
  return { bus, memory, router, transportOf };
}

Deno.test("a star stands for any letters, also for none, and overlaps no other part", () => {
  const fit = { "*": "A", "A*": "A", "*a*b": "xabab", "A*A": "AxA", "**": "AB", "a.*": "a.b" };
  for (const [pattern, type] of Object.entries(fit)) assertEquals(matches(pattern, type), true);
  const misfit = { "A*A": "A", "*ab*b": "xab", "a.*": "axb", "": "A", "B*": "AB", "*A": "AB" };
  for (const [pattern, type] of Object.entries(misfit)) assertEquals(matches(pattern, type), false);
  assertEquals(matches(`${"*a".repeat(30)}*b`, "a".repeat(199) + "c"), false);
});

Deno.test("an exact type beats a pattern, the longest pattern wins, and both beat the definition", async () => {
  const { transportOf } = setup({
    transports,
    routing: { "*": "home", "Audit*": "events", "AuditLog*": "us", AuditLogin: "eu" },
  }, [
    typed("AuditLogin", { transport: "home" }),
    typed("AuditLogout", { transport: "home" }),
    typed("AuditEntry"),
    typed("Mail", { transport: "events" }),
  ]);
  assertEquals(await transportOf("AuditLogin"), "eu");
  assertEquals(await transportOf("AuditLogout"), "us");
  assertEquals(await transportOf("AuditEntry"), "events");
  assertEquals(await transportOf("Mail"), "home");
});

Deno.test("the definition's transport holds where the configuration has no route, and else home", async () => {
  const { transportOf } = setup({ transports }, [
    typed("A", { transport: "eu" }),
    typed("B"),
    typed("C", { route: ({ payload }) => (payload as { team: string }).team }),
  ]);
  assertEquals(await transportOf("A"), "eu");
  assertEquals(await transportOf("B"), "home");
  assertEquals(await transportOf("C"), "eu");
});

Deno.test("a route's function gets the payload in the types of the schema, and sees what middleware made of it", async () => {
  const Report = defineMessage({
    type: "Report",
    schema: z.object({ region: z.enum(["eu", "us"]) }),
    handler: () => {},
    route: ({ payload, priority = 0 }) => priority > 0 ? "home" : payload.region,
  });
  const { bus } = createMessenger({
    ...{ supabase: unusedSupabase(), messages: [Report], transport: new InMemoryTransport() },
    ...{ transports, tokenSecrets: [] },
    middleware: [{ dispatch: (message) => ({ ...message, payload: { region: "us" } }) }],
  });
  const routed = async (priority: number) => {
    const payload = { region: "eu" };
    return (await bus.prepare({ type: "Report", payload, options: { priority } })).transport;
  };
  assertEquals([await routed(0), await routed(1)], ["us", "home"]);
});

Deno.test("the option of a dispatch beats every route", async () => {
  const { transportOf } = setup({ transports, routing: { A: "eu" } }, [typed("A")]);
  assertEquals(await transportOf("A", "us"), "us");
  assertEquals(await transportOf("A", "home"), "home");
});

Deno.test("a project without transports routes nothing, and its messages name none", async () => {
  const { router, transportOf, bus, memory } = setup({}, [typed("A")]);
  assertEquals([router, await transportOf("A")], [undefined, undefined]);
  assertEquals(await transportOf("A", "home"), "home");
  await assertRejects(
    () => transportOf("A", "eu"),
    RangeError,
    'transport: there is no transport "eu"; there are home',
  );
  await bus.dispatchAll([{ type: "A", payload: 1 }]);
  assertEquals(memory.sent.map(({ transport }) => transport), ["home"]);
});

Deno.test("a message of another transport is written to home with its name, in one call with the others", async () => {
  const { bus, memory } = setup({ transports, routing: { A: "eu" } }, [typed("A"), typed("B")]);
  const ids = await bus.dispatchAll(["A", "B"].map((type) => ({ type, payload: type })));
  assertEquals(memory.sent.map(({ id, type, transport }) => [id, type, transport]), [
    [ids[0], "A", "eu"],
    [ids[1], "B", "home"],
  ]);
});

const wrong: [string, RoutingOptions, readonly MessageDefinition[], string][] = [
  [
    "a transport's name of other letters",
    { transports: { "e u": recorded() } },
    [],
    "transports: e u: has to be 1 to 100 letters, digits or _ . : -",
  ],
  [
    "a transport of the name home",
    { transports: { home: recorded() } },
    [],
    "transports: home is the project's own Postgres; give another name",
  ],
  [
    "what is no transport",
    { transports: { eu: "https://eu.supabase.co" as never } },
    [],
    'transports: eu: has to be a transport, such as supabaseProject({...}); got "https://eu.supabase.co"',
  ],
  [
    "transports that are no object",
    { transports: [] as never },
    [],
    "transports: has to be an object",
  ],
  ["routing that is no object", { routing: "eu" as never }, [], "routing: has to be an object"],
  [
    "a route to a transport that is not there",
    { transports, routing: { A: "event" } },
    [typed("A")],
    'routing: A: there is no transport "event"; did you mean events?',
  ],
  [
    "a route that is no name",
    { transports, routing: { A: 7 as never } },
    [typed("A")],
    "routing: A: there is no transport 7; there are home, events, eu, us",
  ],
  [
    "a route of a type that is not there",
    { transports, routing: { EmailMesage: "eu" } },
    [typed("EmailMessage")],
    "routing: EmailMesage: no message has such a type; did you mean EmailMessage?",
  ],
  [
    "a pattern that fits no type",
    { transports, routing: { "Audit*": "eu" } },
    [typed("A"), typed("B")],
    "routing: Audit*: no message has such a type; there are A, B",
  ],
  [
    "a definition's transport that is not there",
    { transports },
    [typed("A", { transport: "euu" })],
    'A: transport: there is no transport "euu"; there are home, events, eu, us',
  ],
  [
    "a type without a handler that is handled here",
    { transports, routing: { A: "events" } },
    [defineMessage({ type: "A", schema: z.unknown(), transport: "eu" })],
    "A: handler: is missing; only a type that always goes to another project needs none",
  ],
];
for (const [what, options, messages, message] of wrong) {
  Deno.test(`${what} is refused at the start`, () => {
    assertThrows(() => setup(options, messages), RangeError, message);
  });
}

Deno.test("a definition takes either a transport or a route, and names of the right letters", () => {
  const both = { transport: "eu", route: () => "eu" };
  assertThrows(() => typed("A", both), RangeError, "A: route: give either transport or route");
  assertThrows(() => typed("A", { transport: "e u" }), RangeError, "A: transport: has to be");
  assertThrows(
    () => typed("A", { route: "eu" as never }),
    RangeError,
    "A: route: has to be a function",
  );
});

Deno.test("a route's function that fails, or names no transport, ends its dispatch and no other", async () => {
  const routes: [unknown, string][] = [
    [() => {
      throw new Error("no team");
    }, "route of A: failed with no team"],
    [() => "euu", 'route of A: there is no transport "euu"'],
    [() => undefined, "route of A: there is no transport undefined"],
    [() => Promise.resolve("eu"), "route of A: has to return the name at once"],
    [() => Promise.reject(new Error("no team")), "route of A: has to return the name at once"],
  ];
  for (const [route, message] of routes) {
    const { transportOf } = setup({ transports }, [
      typed("A", { route: route as never }),
      typed("B"),
    ]);
    await assertRejects(() => transportOf("A"), RangeError, message);
    assertEquals(await transportOf("B"), "home");
  }
});

Deno.test("a type without a handler goes to another project, and is refused for any other transport", async () => {
  const Sent = defineMessage({ type: "A", schema: z.unknown(), transport: "eu" });
  const { transportOf } = setup({ transports }, [Sent]);
  assertEquals(await transportOf("A"), "eu");
  await assertRejects(() => transportOf("A", "home"), RangeError, "A has no handler here");
  await assertRejects(() => transportOf("A", "events"), RangeError, "A has no handler here");
});

Deno.test("a payload that is too large for its transport is refused at the dispatch", async () => {
  const { bus } = setup({ transports, routing: { A: "eu" } }, [typed("A")]);
  const payload = "ä".repeat(60_000);
  await assertRejects(
    () => bus.dispatchAll([{ type: "A", payload }]),
    RangeError,
    "payload: has 120002 bytes; eu takes at most 100000",
  );
  await bus.dispatchAll([{ type: "A", payload, options: { transport: "home" } }]);
});

Deno.test("a batch refuses members that another project handles", async () => {
  const { bus, memory } = setup({ transports, routing: { A: "eu", B: "events" } }, [
    typed("A"),
    typed("B"),
  ]);
  const batchOf = (type: string) => bus.dispatchBatch([{ type, payload: 1 }], { name: "import" });
  await assertRejects(() => batchOf("A"), RangeError, "messages: A goes to eu, where another");
  assertEquals(memory.sent, []);
  await batchOf("B");
});

Deno.test("SQL is told the routes of the configuration, and those of definitions that it leaves alone", () => {
  const { router } = setup({ transports, routing: { "Audit*": "events", B: () => "eu" } }, [
    typed("AuditLogin", { transport: "us" }),
    typed("Mail", { transport: "eu" }),
    typed("Other"),
    typed("B"),
  ]);
  assertEquals(router?.routes.declared, {
    transports: { events: true, eu: false, us: false },
    routes: { "Audit*": "events", B: null, Mail: "eu" },
  });
});

Deno.test("a function that knows one type takes the routes that concern it, and no other", () => {
  const routing = { "Audit*": "eu", AuditLogin: "us", Mail: "eu" };
  assertEquals(routingOf("AuditLogin", routing), { routing: { "Audit*": "eu", AuditLogin: "us" } });
  assertEquals(routingOf("Other", routing), { routing: {} });
  assertEquals(routingOf("Other"), { routing: {} });
});

Deno.test("what a route's function changes in the message is not what is sent", async () => {
  const route = (message: { payload: unknown; queue?: string }) => {
    delete (message.payload as { team?: string }).team;
    message.queue = "other";
    return "eu";
  };
  const { bus } = setup({ transports }, [typed("A", { route })]);
  const { payload, queue, transport } = await bus.prepare({ type: "A", payload: { team: "x" } });
  assertEquals([payload, queue, transport], [{ team: "x" }, "default", "eu"]);
});
