/** Transports, one of them away, and lanes of tenants, for screenshots of the console. */

import type postgres from "postgres";

/** Fills the pages of transports, of the outbox, and of a queue with lanes. */
export async function seedTransports(sql: postgres.Sql): Promise<void> {
  await seedOutbox(sql);
  await seedLanes(sql);
}

async function seedOutbox(sql: postgres.Sql): Promise<void> {
  await sql`select public.messenger_declare_routing(
    '{"events": true, "eu": false}', '{"Audit*": "events", "ImportRow": "eu"}')`;
  await sql`
    select public.messenger_dispatch('AuditMessage', jsonb_build_object('action', 'login', 'user', n), queue => 'audit',
      group_key => 'user-' || n % 7, delay => case when n % 9 = 0 then '2 hours'::interval end)
    from generate_series(1, 14) n`;
  await sql`
    select public.messenger_dispatch('ImportRow', jsonb_build_object('row', n), queue => 'imports')
    from generate_series(1, 25) n`;
  await sql`
    update messenger.outbox set available_at = available_at - (80 - position) * 4 * interval '1 second' where true`;
  await sql`
    update messenger.outbox set sent_at = now() - (30 - position % 30) * interval '1 minute'
    where transport = 'eu' and position % 5 <> 0`;
  await sql`
    update messenger.outbox set refusals = 3, available_at = now() + interval '4 minutes',
      refusal = 'row: has to be unique; the row 118 of this import was written before'
    where transport = 'eu' and sent_at is null`;
  await sql`
    update messenger.relays set failures = 6, failure = 'connect ECONNREFUSED 203.0.113.9:5672',
      retry_at = now() + (shard + 1) * interval '37 seconds'
    where transport = 'events'`;
}

async function seedLanes(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.messenger_queues (name, concurrency, lane_concurrency, lane_rate_limit, lane_rate_period_ms)
    values ('tenants', 50, 2, 100, 60000)`;
  await sql`select public.messenger_set_queue('tenants/gold', '{"weight": 5, "concurrency": 20}')`;
  await sql`select public.messenger_set_queue('tenants/initech', '{"paused": true}')`;
  await sql`
    select public.messenger_dispatch('WebhookMessage', '{"url":"https://example.org"}', queue => 'tenants', lane => l.name)
    from (values ('acme', 4200), ('globex', 3), ('gold', 61), ('initech', 18), ('umbrella & sons', 7)) as l (name, count)
    cross join lateral generate_series(1, l.count)`;
}
