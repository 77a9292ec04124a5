/** Routes on a real stack: SQL learns them from the first tick of a deploy, and callers without a secret key choose none. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessenger,
  type RoutingOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { define } from "../support/definitions.ts";
import { asUser, refusal } from "../support/frontend.ts";
import { received, recorded } from "../support/recorded_engine.ts";
import { eventually, startTestStack, type TestStack } from "../support/stack.ts";

let stack: TestStack;
Deno.test.beforeAll(async () => void (stack = await startTestStack()));
Deno.test.afterAll(async () => await stack.stop());

const transports = { events: received(), eu: recorded() };
const AuditEntry = define(() => {}, { type: "AuditEntry" });

/** Runs the tick of a project with these routes. */
async function deploy(options: RoutingOptions): Promise<string[]> {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    write: (_, line) => lines.push(JSON.parse(line).event),
  });
  const messenger = createMessenger({
    ...{ supabase: stack.client, messages: [AuditEntry], tokenSecrets: [], log },
    ...options,
  });
  await createWorker(messenger).tick({ budgetMs: 1_000, caller: "waits" });
  return lines.filter((event) => event.startsWith("routing_"));
}

const routeOf = async () => {
  const [row] = await stack.sql<[{ route: string }]>`
    select messenger.route_of('AuditEntry') as route`;
  return row.route;
};

Deno.test("the first tick of a deploy writes the routes of its code, and the next ones write nothing", async () => {
  assertEquals(await deploy({ transports, routing: { "Audit*": "eu" } }), ["routing_synced"]);
  assertEquals(await routeOf(), "eu");
  assertEquals(await deploy({ transports, routing: { "Audit*": "eu" } }), []);
  assertEquals(await deploy({ transports, routing: { "Audit*": "events" } }), ["routing_synced"]);
  assertEquals(await routeOf(), "events");
});

Deno.test("a deploy without transports leaves no route behind", async () => {
  await deploy({ transports, routing: { "Audit*": "eu" } });
  assertEquals(await deploy({}), ["routing_synced"]);
  assertEquals(await routeOf(), "home");
  assertEquals(await deploy({}), []);
});

Deno.test("SQL cannot name a transport that is not declared, and is told those that are", async () => {
  await deploy({ transports });
  await assertRejects(
    async () => await stack.sql`select public.messenger_dispatch('AuditEntry', transport => 'us')`,
    Error,
    "transport: there is no transport us; there are home, eu, events",
  );
  await deploy({});
});

Deno.test("a holder of a secret key may name the transport over HTTPS, and hears of one that is not there", async () => {
  const naming = (transport: string) =>
    stack.post("dispatch", { type: "Note", payload: { text: "a" }, transport });
  assertEquals(await refusal(await naming("home")), [202]);
  assertEquals(await refusal(await naming("eu")), [400, "invalid_request", ["transport"]]);
});

Deno.test("a user may not name the transport unless the definition says so", async () => {
  const body = { type: "Note", payload: { text: "a" }, transport: "home" };
  const answer = await stack.post("dispatch", body, await asUser(stack));
  assertEquals(await refusal(answer), [403, "forbidden", ["transport"]]);
});

Deno.test("SQL, handlers and schedules follow the routes of the code", async () => {
  await stack.clear();
  const Parent = define((payload, { dispatch }) => dispatch(AuditEntry, payload), {
    type: "Parent",
  });
  const messenger = createMessenger({
    ...{ supabase: stack.client, messages: [AuditEntry, Parent], tokenSecrets: [] },
    ...{ transports, routing: { "Audit*": "eu" }, log: createLogger({ level: "silent" }) },
  });
  const { bus, scheduler } = messenger;
  const worker = createWorker(messenger);
  const tick = () => worker.tick({ budgetMs: 2_000, caller: "waits" });
  await tick();

  const { sql } = stack;
  await sql`select public.messenger_dispatch('AuditEntry', '"sql"')`;
  await sql`select public.messenger_enqueue('[{"type":"AuditEntry","payload":"array in sql"}]')`;
  const batch = sql`
    select public.messenger_dispatch_batch('[{"type":"AuditEntry","payload":"batch"}]', 'audits')`;
  // Another project does not tell what becomes of members, so that the batch would never end.
  await assertRejects(
    async () => await batch,
    Error,
    "messages: AuditEntry goes to eu, where another",
  );
  await bus.dispatch(AuditEntry, "code");
  await bus.dispatch(Parent, "handler");
  const once = { type: "once", config: { at: new Date(Date.now() + 300) } } as const;
  await scheduler.schedule({ type: "AuditEntry", payload: "occurrence" }, once);
  const later = { type: "interval", config: { interval: 3_600_000 } } as const;
  const id = await scheduler.schedule({ type: "AuditEntry", payload: "triggered" }, later);
  await sql`select public.messenger_trigger_schedule(${id})`;
  await eventually(tick, ({ schedules }) => schedules.dispatched > 0);

  const rows = await sql<{ payload: string; transport: string }[]>`
    select payload, transport from messenger.outbox order by payload`;
  const given = ["array in sql", "code", "handler", "occurrence", "sql", "triggered"];
  assertEquals(
    rows.map((row) => ({ ...row })),
    given.map((payload) => ({ payload, transport: "eu" })),
  );
  assertEquals(await stack.count(), 0);
});
