/** One worker for each transport: they share slots and budget, and one in trouble holds up no other. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessenger,
  type HandlerContext,
  type MessageDefinition,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import type { Transport } from "../../../supabase/functions/_shared/symphony/transport/transport.ts";
import { unusedSupabase } from "../../../supabase/functions/_shared/symphony/testing/unused-supabase.ts";
import { createWorker } from "../../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { runBeside } from "../../../supabase/functions/_shared/symphony/worker/receiving.ts";
import { overriding } from "../../support/changed_transport.ts";
import { define, payloads } from "../../support/definitions.ts";

const concurrency = 4;

function setup(
  messages: readonly MessageDefinition[],
  wrap = (events: InMemoryTransport): Transport => events,
) {
  const home = new InMemoryTransport();
  const events = new InMemoryTransport();
  const lines: string[] = [];
  const log = createLogger({
    level: "warn",
    write: (_, line) => lines.push(JSON.parse(line).event),
  });
  const messenger = createMessenger({
    ...{ supabase: unusedSupabase(), messages, transport: home, tokenSecrets: [], log },
    config: readConfig(() => undefined, { workerConcurrency: concurrency }),
  });
  const receivers = new Map([["events", wrap(events)]]);
  return { home, events, lines, worker: createWorker({ ...messenger, receivers }) };
}

Deno.test("messages of home and of another transport are handled in one run, and counted together", async () => {
  const { home, events, worker } = setup([define(() => {})]);
  await home.send(payloads(20));
  await events.send(payloads(30));
  assertEquals(await worker.work({ budgetMs: 5_000 }), {
    ...{ claimed: 50, handled: 50, retried: 0, failed: 0 },
  });
  assertEquals([home.handled.length, events.handled.length], [20, 30]);
});

Deno.test("the workers share the slots: a full transport leaves the other one its part of them", async () => {
  const running = { home: 0, events: 0 };
  const most = { home: 0, events: 0, together: 0 };
  const { promise: bothRan, resolve } = Promise.withResolvers<void>();
  const handler = async (payload: unknown, _: HandlerContext) => {
    const place = payload as "home" | "events";
    running[place]++;
    most[place] = Math.max(most[place], running[place]);
    most.together = Math.max(most.together, running.home + running.events);
    if (most.home >= 2 && most.events >= 2) resolve();
    await new Promise((resolve) => setTimeout(resolve, 1));
    running[place]--;
  };
  const { home, events, worker } = setup([define(handler)]);
  const sent = (payload: string) => Array.from({ length: 200 }, () => ({ type: "T", payload }));
  await home.send(sent("home"));
  await events.send(sent("events"));
  const report = await worker.work({ budgetMs: 20_000 });
  await bothRan;
  assertEquals(report.handled, 400);
  assertEquals(most.together, concurrency);
});

Deno.test("a transport in trouble is tried again while home's worker works, and holds it up not at all", async () => {
  const lines: string[] = [];
  const log = createLogger({
    level: "warn",
    write: (_, line) => lines.push(JSON.parse(line).event),
  });
  const { promise: isBack, resolve: back } = Promise.withResolvers<void>();
  const counts = (handled: number) => ({ claimed: handled, handled, retried: 0, failed: 0 });
  let runs = 0;
  const report = await runBeside(async () => (await isBack, counts(1)), {
    receivers: new Map([["events", new InMemoryTransport()]]),
    concurrency,
    log,
    isOver: () => false,
    // deno-lint-ignore require-await -- an error must reject the promise
    run: async () => {
      if (++runs === 1) throw new TransportError("claim", "no connection", true);
      back();
      return counts(runs === 2 ? 5 : 0);
    },
  });
  assertEquals([report, lines], [counts(6), ["receive_failed"]]);
});

Deno.test("home's trouble is told once the others have ended", async () => {
  let ended = false;
  const run = runBeside(() => Promise.reject(new Error("home is away")), {
    receivers: new Map([["events", new InMemoryTransport()]]),
    concurrency,
    log: createLogger({ level: "error", write: () => {} }),
    isOver: () => false,
    run: async () => {
      await Promise.resolve();
      ended = true;
      return { claimed: 0, handled: 0, retried: 0, failed: 0 };
    },
  });
  await assertRejects(() => run, Error, "home is away");
  assertEquals(ended, true);
});

Deno.test("a claim of an idle transport may wait, and one that brings outcomes may not", async () => {
  const waits: (number | undefined)[] = [];
  const { events, worker } = setup([define(() => {})], (events) =>
    overriding(events, {
      claim: (request) => (waits.push(request.waitMs), events.claim(request)),
      settleAndClaim: (settlements, request) => {
        assertEquals(request.waitMs, undefined);
        return events.settleAndClaim(settlements, request);
      },
    }));
  await events.send(payloads(3));
  await worker.work({ budgetMs: 2_000 });
  assertEquals(waits[0], 1_000);
});

Deno.test("a project that receives from home only has one worker, whose claims do not wait", async () => {
  const home = new InMemoryTransport();
  const waits: (number | undefined)[] = [];
  const transport = overriding(home, {
    claim: (request) => (waits.push(request.waitMs), home.claim(request)),
  });
  const messenger = createMessenger({
    ...{ supabase: unusedSupabase(), messages: [define(() => {})], transport, tokenSecrets: [] },
    config: readConfig(() => undefined),
  });
  assertEquals(messenger.receivers.size, 0);
  await home.send(payloads(1));
  assertEquals((await createWorker(messenger).work({ budgetMs: 1_000 })).handled, 1);
  assertEquals(new Set(waits), new Set([undefined]));
});
