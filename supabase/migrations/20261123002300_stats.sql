-- How the bus is: what health checks, dashboards and metrics read, each in one call.

-- With its owner's rights: pg_cron's jobs and Vault's secrets are not the service role's to read. It
-- takes no arguments, and answers nothing but yes and no.
create or replace function public.messenger_installation() returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
declare
  has_cron constant boolean := to_regclass('cron.job') is not null;
  has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
  has_job boolean := false;
  has_secrets boolean := false;
begin
  if has_cron then
    has_job := exists (
      select from cron.job j where j.jobname = 'symphony-tick' and j.active
    );
  end if;
  if has_vault then
    has_secrets := (
      select count(*) = 2 from vault.decrypted_secrets s
      where s.name in ('symphony_url', 'symphony_secret_key')
    );
  end if;
  return jsonb_build_object(
    'pg_cron', has_cron,
    'pg_net', to_regnamespace('net') is not null,
    'vault', has_vault,
    'cron_job', has_job,
    'vault_secrets', has_secrets
  );
end
$$;
comment on function public.messenger_installation() is
  'Whether what the bus stands on is there: {"pg_cron", "pg_net", "vault", "cron_job", "vault_secrets"}.';

create or replace function public.messenger_count_failed(
  since timestamptz default '-infinity', max_count integer default 10000
) returns jsonb
language sql stable
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
  select public.messenger_capped(count(*), max_count) from (
    select from public.messenger_failed_messages f where f.failed_at >= since limit max_count + 1
  ) as counted
$$;
comment on function public.messenger_count_failed(timestamptz, integer) is
  'How many dead letters there are since a moment, as {"count", "capped"}, at most max_count.';

create or replace function public.messenger_health() returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'now', public.messenger_now(),
    'last_tick_at', (
      select t.started_at from public.messenger_ticks t where t.started_at is not null
      order by t.id desc limit 1
    ),
    'oldest_ready_at', (
      select due from (
        select public.messenger_next_due() as due
      ) as next
      where due <= public.messenger_now()
    ),
    'dead_letters_last_hour',
      public.messenger_count_failed(public.messenger_now() - interval '1 hour'),
    'installation', public.messenger_installation()
  )
$$;
comment on function public.messenger_health() is
  'What a health check judges: {"now", "last_tick_at", "oldest_ready_at", "dead_letters_last_hour", "installation"}. Paused queues do not count.';

-- What the latest ticks that ended within a time did.
create or replace function public.messenger_tick_rates(within interval) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'seconds', extract(epoch from within)::integer,
    'ticks', count(*),
    'claimed', coalesce(sum((t.report ->> 'claimed')::bigint), 0),
    'handled', coalesce(sum((t.report ->> 'handled')::bigint), 0),
    'retried', coalesce(sum((t.report ->> 'retried')::bigint), 0),
    'failed', coalesce(sum((t.report ->> 'failed')::bigint), 0)
  )
  from (select * from public.messenger_ticks latest order by latest.id desc limit 10000) as t
  where t.ended_at > public.messenger_now() - within
$$;
comment on function public.messenger_tick_rates(interval) is
  'What ticks that ended within a time did: {"seconds", "ticks", "claimed", "handled", "retried", "failed"}.';

create or replace function public.messenger_stats() returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'now', public.messenger_now(),
    'queues', public.messenger_list_queues(max_queues => 200) -> 'queues',
    'dead_letters', jsonb_build_object(
      'total', public.messenger_count_failed(),
      'last_hour', public.messenger_count_failed(public.messenger_now() - interval '1 hour'),
      'groups', (
        select coalesce(jsonb_agg(to_jsonb(g) order by g.count desc, g.type, g.reason), '[]')
        from (
          select f.type, f.reason, count(*), min(f.failed_at) as first_at, max(f.failed_at) as last_at
          from (
            select latest.type, latest.reason, latest.failed_at
            from public.messenger_failed_messages latest
            order by latest.failed_at desc, latest.id desc
            limit 10000
          ) as f
          group by f.type, f.reason
          order by count(*) desc, f.type, f.reason
          limit 50
        ) as g
      )
    ),
    'schedules', (
      select jsonb_build_object(
        'enabled', count(*) filter (where s.enabled),
        'disabled', count(*) filter (where not s.enabled)
      )
      from (select enabled from public.messenger_schedules limit 100000) as s
    ),
    'ticks', jsonb_build_object(
      'last_at', (
        select t.started_at from public.messenger_ticks t where t.started_at is not null
        order by t.id desc limit 1
      ),
      'awake', (select count(*) from public.messenger_ticks_awake()),
      'rates', jsonb_build_array(
        public.messenger_tick_rates(interval '5 minutes'),
        public.messenger_tick_rates(interval '1 hour')
      )
    )
  )
$$;
comment on function public.messenger_stats() is
  'The state of the bus in one call: {"now", "queues", "dead_letters", "schedules", "ticks"}. Counts stop at 10,000; groups are of the latest 10,000 dead letters.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'messenger_installation()', 'messenger_count_failed(timestamptz, integer)',
    'messenger_health()', 'messenger_tick_rates(interval)', 'messenger_stats()'
  ] loop
    execute format('revoke execute on function public.%s from public, anon, authenticated', signature);
    execute format('grant execute on function public.%s to service_role', signature);
  end loop;
end
$$;
