/** The transport over an engine keeps the promises of its capabilities: through home's outbox, a broker in memory, and home. */

import { assertEquals } from "@std/assert";
import type { Envelope, OutgoingMessage } from "../../supabase/functions/_shared/symphony/index.ts";
import { DeliveryCalls } from "../../supabase/functions/_shared/symphony/database/delivery-calls.ts";
import { OutboxCalls } from "../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { EngineTransport } from "../../supabase/functions/_shared/symphony/transport/engine-transport.ts";
import type { Transport } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { runRelay } from "../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import { Broker } from "../support/broker.ts";
import { overriding } from "../support/changed_transport.ts";
import type { TestStack } from "../support/stack.ts";
import type { FrontendUnderTest } from "./frontend_contract.ts";
import { startContractStack, supabaseUnderTest } from "./supabase_under_test.ts";
import { testTransport } from "./transport_contract.ts";

const name = "events";
const log = createLogger({ level: "silent" });
let stack: TestStack | undefined;

Deno.test.beforeAll(async () => void (stack = await startContractStack()));
Deno.test.afterAll(async () => await stack?.stop());

/** Sends through the outbox, and publishes what is due before each claim, as a tick does beside it. */
function relayed(home: Transport, { client }: TestStack): Transport {
  const engine = new Broker();
  const inbox = new DeliveryCalls(client, name);
  const own = new EngineTransport({ name, engine, home, inbox, log });
  const life = { ending: AbortSignal.abort(), stop: new AbortController().signal };
  const relay = () =>
    runRelay(
      { name, engine, outbox: new OutboxCalls(client, name), log },
      { ...life, endsAt: performance.now() + 20_000 },
    );
  const routed = (message: OutgoingMessage) => ({ ...message, transport: name });
  const claim: Transport["claim"] = async (request) => {
    await relay();
    const { messages, ...claimed } = await own.claim(request);
    return { ...claimed, messages: messages.map(withoutTransport) };
  };
  return overriding(own, {
    send: (messages, limits) => home.send(messages.map(routed), limits),
    claim,
    settleAndClaim: async (settlements, request) => ({
      ...await own.settle(settlements),
      ...await claim(request),
    }),
  });
}

/** A delivery has one stamp more than the message that was sent: the transport that it came by. */
function withoutTransport({ stamps, ...envelope }: Envelope): Envelope {
  const { transport, ...sent } = stamps;
  assertEquals(transport, name);
  return { ...envelope, stamps: sent };
}

const { capabilities } = new Broker();

testTransport("over an engine", {
  ...{ received: "here", settle: "stepwise", cancel: "at-delivery", limits: false, views: false },
  ...capabilities,
}, async (): Promise<FrontendUnderTest> => {
  if (!stack) throw new Error("the stack did not start");
  const underTest = await supabaseUnderTest(stack);
  return { ...underTest, transport: relayed(underTest.transport, stack) };
});
