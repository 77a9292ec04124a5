/** The clock of the bus, in the hands of a test. */

import type postgres from "postgres";

/** A clock that stands still until a test moves it. */
export interface TestClock {
  /** Sets it, also back. */
  set(to: Date | string): Promise<void>;
}

/** Puts a clock that tests set in the place of the database's. */
export async function takeClock(sql: postgres.Sql, from: Date | string): Promise<TestClock> {
  await sql.unsafe(`
    create table if not exists public.test_clock (at timestamptz not null);
    truncate public.test_clock;
    insert into public.test_clock values (now());
    grant select on public.test_clock to service_role;
    create or replace function public.messenger_now() returns timestamptz
    language sql stable set search_path = ''
    as $$ select c.at from public.test_clock c $$;
  `).simple();
  const set = async (to: Date | string) => {
    await sql`update public.test_clock set at = ${new Date(to)}`;
  };
  await set(from);
  return { set };
}
