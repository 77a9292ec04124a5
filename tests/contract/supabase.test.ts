/** The transport over Supabase keeps the contract, through real PostgREST on real Postgres. */

import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/index.ts";
import { startTestApi } from "../support/api.ts";
import { testTransport } from "./transport_contract.ts";

testTransport("over Supabase", async () => {
  const api = await startTestApi();
  const { sql } = api.database;
  // The clock of the bus, moved by the test.
  await sql.unsafe(`
    create table public.test_clock (ahead interval not null);
    insert into public.test_clock values ('0');
    grant select on public.test_clock to service_role;
    create or replace function public.messenger_now() returns timestamptz
    language sql stable set search_path = ''
    as $$ select pg_catalog.now() + (select c.ahead from public.test_clock c) $$;
  `);
  return {
    transport: new SupabaseTransport(api.client),
    advance: async (ms: number) => {
      await sql`update public.test_clock set ahead = ahead + ${ms} * interval '1 millisecond'`;
    },
    failed: async () =>
      await sql<
        { id: string; reason: string; errors: never[]; attempts: number }[]
      >`select id::text, reason, errors, attempts from public.messenger_failed_messages order by failed_at, id`
        .then((rows) => rows.map((row) => ({ ...row }))),
    close: () => api.stop(),
  };
});
