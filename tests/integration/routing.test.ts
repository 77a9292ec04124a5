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
import { startTestStack, type TestStack } from "../support/stack.ts";

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
