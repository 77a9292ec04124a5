/** The transport over an engine, to be tested: through home's outbox, a relay, the engine, and back. */

import type { AttemptError } from "../../supabase/functions/_shared/symphony/index.ts";
import { DeliveryCalls } from "../../supabase/functions/_shared/symphony/database/delivery-calls.ts";
import { OutboxCalls } from "../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import type { Engine } from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { EngineTransport } from "../../supabase/functions/_shared/symphony/transport/engine-transport.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import type { Transport } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { runRelay } from "../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import { setQueue } from "../support/queue_settings.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import type { FrontendUnderTest } from "./frontend_contract.ts";

let stack: TestStack | undefined;

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  await stack.sql.unsafe(`
    create table public.test_clock (ahead interval not null);
    insert into public.test_clock values ('0');
    grant select on public.test_clock to service_role;
    create or replace function public.messenger_now() returns timestamptz
    language sql stable set search_path = ''
    as $$ select pg_catalog.now() + (select c.ahead from public.test_clock c) $$;
  `);
});
Deno.test.afterAll(async () => await stack?.stop());

/**
 * Makes the transport over an engine, on the stack of this file, with a clock that the test moves.
 * @param engine empty
 */
export async function openOver(engine: Engine): Promise<FrontendUnderTest> {
  if (!stack) throw new Error("the stack did not start");
  const { sql, client } = stack;
  await stack.clear();
  await sql`update public.test_clock set ahead = '0' where true`;
  await sql`select public.messenger_declare_routing('{"events": true}', '{}')`;
  let aheadMs = 0;
  const [name, home] = ["events", new SupabaseTransport(client)];
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
    transport: transport as Transport,
    doubled: () => Promise.resolve(0),
    advance: async (ms: number) => {
      aheadMs += ms;
      await sql`update public.test_clock set ahead = ahead + ${ms} * interval '1 millisecond' where true`;
    },
    failed: async () => {
      const rows = await sql<
        { id: string; reason: string; errors: AttemptError[]; attempts: number }[]
      >`select id::text, reason, errors, attempts from public.messenger_failed_messages order by failed_at, id`;
      return rows.map((row) => ({ ...row }));
    },
    kept: () => Promise.resolve([]),
    progress: () => Promise.resolve([]),
    steps: () => Promise.resolve([]),
    setQueue: (name, settings) => setQueue(sql, name, settings),
    close: () => transport.close(),
  };
}
