/** The transport over an engine, to be tested: through home's outbox, a relay, the engine, and back. */

import { DeliveryCalls } from "../../supabase/functions/_shared/symphony/database/delivery-calls.ts";
import { OutboxCalls } from "../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import type { Engine } from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { EngineTransport } from "../../supabase/functions/_shared/symphony/transport/engine-transport.ts";
import type { Transport } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { runRelay } from "../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import type { TestStack } from "../support/stack.ts";
import type { FrontendUnderTest } from "./frontend_contract.ts";
import { startContractStack, supabaseUnderTest } from "./supabase_under_test.ts";

let stack: TestStack | undefined;

Deno.test.beforeAll(async () => void (stack = await startContractStack()));
Deno.test.afterAll(async () => await stack?.stop());

/**
 * Makes the transport over an engine, on the stack of this file, with a clock that the test moves.
 * @param engine empty
 */
export async function openOver(engine: Engine): Promise<FrontendUnderTest> {
  if (!stack) throw new Error("the stack did not start");
  const { sql, client } = stack;
  const underTest = await supabaseUnderTest(stack);
  await sql`select public.messenger_declare_routing('{"events": true}', '{}')`;
  let aheadMs = 0;
  const [name, home] = ["events", underTest.transport];
  const log = createLogger({ level: "silent" });
  const outbox = new OutboxCalls(client, name);
  const relay = async () => {
    const life = { ending: AbortSignal.abort(), stop: new AbortController().signal };
    await runRelay({ name, engine, outbox, log }, { ...life, endsAt: Infinity });
  };
  const transport = new EngineTransport({
    ...{ name, engine, home, log, inbox: new DeliveryCalls(client, name) },
    now: () => Date.now() + aheadMs,
  });
  transport.send = (messages, ...more) =>
    home.send(messages.map((message) => ({ ...message, transport: name })), ...more);
  const claim = transport.claim.bind(transport);
  transport.claim = async (request) => (await relay(), await claim(request));
  return {
    ...underTest,
    transport: transport as Transport,
    advance: async (ms: number) => {
      aheadMs += ms;
      await underTest.advance(ms);
    },
    close: () => transport.close(),
  };
}
