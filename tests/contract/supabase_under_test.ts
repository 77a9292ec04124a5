/** A stack whose clock the contract's tests move, and what they look up in its database. */

import type { AttemptError } from "../../supabase/functions/_shared/symphony/index.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { setQueue } from "../support/queue_settings.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import type { FrontendUnderTest } from "./frontend_contract.ts";

/** Starts the stack. */
export async function startContractStack(): Promise<TestStack> {
  const stack = await startTestStack();
  // The clock of the bus, moved by the tests.
  await stack.sql.unsafe(`
    create table public.test_clock (ahead interval not null);
    insert into public.test_clock values ('0');
    grant select on public.test_clock to service_role;
    create or replace function public.messenger_now() returns timestamptz
    language sql stable set search_path = ''
    as $$ select pg_catalog.now() + (select c.ahead from public.test_clock c) $$;
    create table public.test_doubled (n integer not null);
    grant select, insert on public.test_doubled to service_role;
    create function public.test_double(n integer) returns integer language sql
    as 'insert into public.test_doubled values (n); select n * 2';
    notify pgrst, 'reload schema';
  `);
  return stack;
}

/** The transport over Supabase on an emptied stack. */
export async function supabaseUnderTest(stack: TestStack): Promise<FrontendUnderTest> {
  const { sql, client } = stack;
  await stack.clear();
  await sql`update public.test_clock set ahead = '0' where true`;
  await sql`delete from public.test_doubled where true`;
  return {
    transport: new SupabaseTransport(client),
    doubled: async () => (await sql`select from public.test_doubled`).length,
    advance: async (ms: number) => {
      await sql`update public.test_clock set ahead = ahead + ${ms} * interval '1 millisecond' where true`;
    },
    failed: async () => {
      const rows = await sql<
        { id: string; reason: string; errors: AttemptError[]; attempts: number }[]
      >`select id::text, reason, errors, attempts from public.messenger_failed_messages order by failed_at, id`;
      return rows.map((row) => ({ ...row }));
    },
    kept: async () => {
      const rows = await sql<{ id: string; attempts: number; keepMs: number }[]>`
        select id::text, attempts,
          (extract(epoch from keep_until - handled_at) * 1000)::int as "keepMs"
        from public.messenger_handled_messages order by id`;
      return rows.map((row) => ({ ...row }));
    },
    progress: async () => {
      const rows = await sql<{ id: string; value: number | null; note: string | null }[]>`
        select message_id::text as id, value, note from messenger.progress order by 1`;
      return rows.map((row) => ({ ...row }));
    },
    steps: async (id) => {
      const rows = await sql<{ name: string }[]>`
        select name from public.messenger_steps where message_id = ${id} order by position`;
      return rows.map(({ name }) => name);
    },
    setQueue: (name, settings) => setQueue(sql, name, settings),
    close: () => Promise.resolve(),
  };
}
