/** A transport over an engine while home is out of reach: nothing that the engine has delivered is lost or held for ever. */

import { assertEquals, assertRejects } from "@std/assert";
import type { LookedUp } from "../../../supabase/functions/_shared/symphony/database/delivery-calls.ts";
import { writeBody } from "../../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import { EngineTransport } from "../../../supabase/functions/_shared/symphony/transport/engine-transport.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/transport/memory.ts";
import { TransportError } from "../../../supabase/functions/_shared/symphony/transport/transport.ts";
import { claimOf } from "../../contract/under_test.ts";
import { Broker } from "../../support/broker.ts";
import { type LogLine, logTo } from "../../support/kept_log.ts";

const away = () => Promise.reject(new TransportError("test", "the database is away", true));

/** A transport over a broker that has messages, with calls to home that fail until they are mended. */
async function start(
  payloads: readonly string[],
  { now = Date.now, outbox = true, repeated = true, groupOf = () => "g", queue = "default" }: {
    readonly now?: () => number;
    readonly groupOf?: (payload: string) => string | null;
    readonly outbox?: boolean;
    readonly repeated?: boolean;
    readonly queue?: string;
  } = {},
) {
  const lines: LogLine[] = [];
  const broker = new Broker({ outbox });
  const home = new InMemoryTransport();
  const { installation: origin } = await home.loadSteps([]);
  await broker.publish(payloads.map((payload, index) => {
    const createdAt = new Date().toISOString();
    const groupKey = groupOf(payload);
    const body = writeBody({ origin, payload, createdAt, groupKey, repeated });
    const facts = { type: "T", queue, priority: 0, groupKey };
    return { id: String(index + 1), publication: 1, body, bytes: body.length, ...facts };
  }));
  const calls = { lookUp: away as () => Promise<LookedUp[]>, isAway: true, leaseMs: 0 };
  const transport = new EngineTransport({
    ...{ name: "events", engine: broker, log: logTo(lines), now },
    home: Object.assign(Object.create(home), {
      loadSteps: (...args: Parameters<typeof home.loadSteps>) =>
        calls.isAway ? away() : home.loadSteps(...args),
    }),
    inbox: {
      lookUp: async () => ({ deliveries: await calls.lookUp() }),
      settle: ({ leaseMs }) => {
        calls.leaseMs = leaseMs;
        return Promise.resolve({ stale: [], repeated: [] });
      },
      cancelWaiting: () => Promise.resolve({ cancelled: 0, running: 0 }),
    },
  });
  return { broker, transport, calls, lines };
}

Deno.test("what was pulled while home is out of reach is read by a later claim", async () => {
  const { transport, calls, broker } = await start(["a", "b"]);
  calls.lookUp = () => Promise.resolve([{ handled: false, starts: 0 }]);
  assertEquals((await transport.claim(claimOf())).messages, []);
  await assertRejects(() => transport.claim(claimOf()), TransportError);
  calls.isAway = false;
  assertEquals((await transport.claim(claimOf())).messages.map(({ payload }) => payload), ["a"]);
  assertEquals(broker.size, 2);
});

Deno.test("a message of a lane is read from an engine that keeps the lanes of queues", async () => {
  const { transport, calls, broker } = await start(["a"], { queue: "default/..%2Facme" });
  calls.isAway = false;
  calls.lookUp = () => Promise.resolve([{ handled: false, starts: 0 }]);
  const { messages } = await transport.claim(claimOf());
  assertEquals(messages.map(({ queue }) => queue), ["default/..%2Facme"]);
  assertEquals(broker.size, 1);
});

Deno.test("what could not be looked up in the inbox is taken by a later claim, in the order of its group", async () => {
  const { transport, calls } = await start(["a", "b"]);
  calls.isAway = false;
  await assertRejects(() => transport.claim(claimOf()), TransportError);
  await assertRejects(() => transport.claim(claimOf()), TransportError);
  calls.lookUp = () => Promise.resolve([{ handled: false, starts: 0 }]);
  assertEquals((await transport.claim(claimOf())).messages.map(({ payload }) => payload), ["a"]);
});

Deno.test("deliveries that were never read are given back at the end", async () => {
  const { transport, broker } = await start(["a"]);
  await transport.claim(claimOf());
  await transport.close();
  assertEquals((await broker.pull({ max: 1, maxBytes: 1e6, waitMs: 0 })).length, 1);
});

Deno.test("a message that becomes one of home gets a lease as long as its claim asked for", async () => {
  const { transport, calls } = await start(["a"]);
  Object.assign(calls, { isAway: false, lookUp: () => Promise.resolve([]) });
  const { messages: [one] } = await transport.claim(claimOf({ leaseMs: 300_000 }));
  await transport.loadSteps([{ id: one?.id ?? "", leaseToken: one?.leaseToken ?? "" }]);
  assertEquals(calls.leaseMs, 300_000);
});

Deno.test("an outage of the engine is told at its beginning and then seldom, and the next one again", async () => {
  let now = Date.now();
  const { transport, broker, calls, lines } = await start(["a"], { now: () => now });
  calls.isAway = false;
  const claimFor = async (ms: number) => {
    for (const end = now + ms; now < end; now += 250) await transport.claim(claimOf());
    return lines.splice(0).filter(({ event }) => event === "transport_away").length;
  };
  broker.isAway = true;
  assertEquals(await claimFor(60_000), 6);
  broker.isAway = false;
  calls.lookUp = () => Promise.resolve([{ handled: false, starts: 0 }]);
  assertEquals((await transport.claim(claimOf())).messages.length, 1);
  broker.isAway = true;
  assertEquals(await claimFor(500), 1);
});

Deno.test("what comes directly is run while home is away, unless a copy of it may have been handled", async () => {
  const direct = await start(["a", "b"], { outbox: false, repeated: false });
  direct.calls.isAway = false;
  const payloads = [];
  for (let claims = 0; claims < 2; claims++) {
    const { messages } = await direct.transport.claim(claimOf());
    payloads.push(...messages.map(({ payload }) => payload));
    await direct.transport.settle(
      messages.map(({ id, leaseToken }) => ({ id, leaseToken, outcome: { kind: "handled" } })),
    );
  }
  assertEquals([payloads, direct.broker.size], [["a", "b"], 0]);

  const repeated = await start(["a"], { outbox: false });
  repeated.calls.isAway = false;
  await assertRejects(() => repeated.transport.claim(claimOf()), TransportError);
});

Deno.test("what comes through the outbox is not run while home cannot tell whether it is cancelled", async () => {
  const { transport, calls } = await start(["a"], { repeated: false });
  calls.isAway = false;
  await assertRejects(() => transport.claim(claimOf()), TransportError);
});

Deno.test("messages behind a thousand of one group are taken while the first of the group runs", async () => {
  const group = Array.from({ length: 1_000 }, (_, n) => `${n} of g`);
  const groupOf = (payload: string) => payload.endsWith("g") ? "g" : null;
  const { transport, calls } = await start([...group, "other"], { groupOf, repeated: false });
  Object.assign(calls, { isAway: false, lookUp: () => Promise.resolve([]) });
  const take = async () => (await transport.claim(claimOf())).messages;
  const first = await take();
  assertEquals(first.map(({ payload }) => payload), ["0 of g"]);
  assertEquals((await take()).map(({ payload }) => payload), ["other"]);
  const outcome = { kind: "handled" } as const;
  await transport.settle(first.map(({ id, leaseToken }) => ({ id, leaseToken, outcome })));
  assertEquals((await take()).map(({ payload }) => payload), ["1 of g"]);
});

Deno.test("no more than some thousands of a group are held while their first one runs", async () => {
  const { transport, calls, broker } = await start(Array.from({ length: 5_000 }, () => "x"));
  Object.assign(calls, { isAway: false, lookUp: () => Promise.resolve([]) });
  for (let claims = 0; claims < 20; claims++) await transport.claim(claimOf());
  const [{ ready = 0 } = {}] = await broker.depth();
  assertEquals(ready >= 2_500, true);
});

Deno.test("a message of a group that a worker gives back comes again before the later ones of its group", async () => {
  const { transport, calls, broker } = await start(["a", "b"], { repeated: false });
  Object.assign(calls, { isAway: false, lookUp: () => Promise.resolve([]) });
  const take = async () => (await transport.claim(claimOf())).messages;
  const taken = await take();
  const outcome = { kind: "released" } as const;
  await transport.settle(taken.map(({ id, leaseToken }) => ({ id, leaseToken, outcome })));
  assertEquals((await take()).map(({ payload }) => payload), ["a"]);
  await transport.close();
  assertEquals((await broker.depth())[0], { queue: "default", ready: 2, unacknowledged: 0 });
});

Deno.test("a message that a worker gives back goes to any other, unless later ones of its group are here", async () => {
  const groupOf = (payload: string) => payload;
  const { transport, calls, broker } = await start(["a", "b"], { groupOf, repeated: false });
  Object.assign(calls, { isAway: false, lookUp: () => Promise.resolve([]) });
  const { messages } = await transport.claim(claimOf());
  const outcome = { kind: "released" } as const;
  await transport.settle(messages.map(({ id, leaseToken }) => ({ id, leaseToken, outcome })));
  assertEquals((await broker.depth())[0], { queue: "default", ready: 2, unacknowledged: 0 });
});
