-- Health: the facts that health checks, dashboards and metrics read, each in one call.

-- Runs with its owner's rights: the service role may not read pg_cron's jobs, Vault's secrets and pg_net's
-- responses. It takes no arguments, and says nothing of the key but whether it can be read.
create function messenger.tick_job() returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  job jsonb;
  last_run jsonb;
begin
  if to_regclass('cron.job') is null then
    return '{}'::jsonb;
  end if;
  select jsonb_build_object(
    'id', j.jobid, 'schedule', j.schedule,
    'active', j.active and messenger.is_job(j.command, 'messenger_tick')
      and messenger.runs_here(j.database, j.username, 'messenger_tick')
  )
  into job
  from cron.job j
  where j.jobname = 'symphony-tick'
  order by messenger.runs_here(j.database, j.username, 'messenger_tick') desc, j.active desc limit 1;
  -- The records have no index by job.
  select jsonb_build_object('at', r.start_time, 'status', r.status, 'message', left(r.return_message, 300))
  into last_run
  from (select * from cron.job_run_details d order by d.runid desc limit 1000) as r
  where r.jobid = (job ->> 'id')::bigint and r.status in ('succeeded', 'failed')
  order by r.runid desc limit 1;
  return jsonb_build_object(
    'active', coalesce((job ->> 'active')::boolean, false), 'schedule', job -> 'schedule', 'last_run', last_run,
    'not_run_since', case
      -- With cron.log_run off pg_cron writes no records, and whether it runs the job is not known.
      when last_run is null and not exists (
        select from pg_catalog.pg_settings s where s.name = 'cron.log_run' and s.setting = 'off'
      ) then (select s.at from messenger.jobs_set_up s)
    end
  );
end
$$;
comment on function messenger.tick_job() is
  'Part of messenger.installation(): the cron job that calls the tick, {"active", "schedule", "last_run", "not_run_since"}; empty without pg_cron. not_run_since is null if the job has run.';

create function messenger.vault_problem() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  if to_regclass('vault.decrypted_secrets') is null then
    return 'Vault is missing';
  end if;
  return (
    select n.name || ' ' || messenger.secret_problem(n.name, s.decrypted_secret)
    from unnest(array['symphony_url', 'symphony_secret_key']) with ordinality as n (name, place)
    left join vault.decrypted_secrets s on s.name = n.name
    where messenger.secret_problem(n.name, s.decrypted_secret) is not null
    order by n.place limit 1
  );
exception when others then
  return 'symphony_url or symphony_secret_key cannot be read';
end
$$;
comment on function messenger.vault_problem() is
  'Part of messenger.installation(): which of the secrets that the tick needs is wrong, and how; null if none is.';

-- Credentials before the host of a URL are a secret.
create function messenger.tick_url() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select regexp_replace(s.decrypted_secret, '//[^/@]*@', '//')
    from vault.decrypted_secrets s where s.name = 'symphony_url'
  );
exception when others then
  return null;
end
$$;
comment on function messenger.tick_url() is
  'Part of messenger.installation(): the URL in Vault, under which the tick function is called; null if it cannot be read.';

create function messenger.last_tick_answer() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if to_regclass('net._http_response') is null then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'at', a.created, 'status', a.status_code, 'timed_out', coalesce(a.timed_out, false),
      'error', a.error_msg, 'content', left(a.content, 200)
    )
    from (
      -- The answers have no index by request.
      select * from net._http_response r
      where r.created > now() - interval '1 hour' order by r.created desc limit 10000
    ) as a
    join messenger.tick_requests q on q.id = a.id
    order by q.asked_at desc limit 1
  );
end
$$;
comment on function messenger.last_tick_answer() is
  'Part of messenger.installation(): the last answer of the tick function to pg_net; null if there is none.';

create function messenger.installation() returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
declare
  job constant jsonb := messenger.tick_job();
  problem constant text := messenger.vault_problem();
begin
  return jsonb_build_object(
    'pg_cron', to_regclass('cron.job') is not null,
    'pg_net', to_regclass('net._http_response') is not null,
    'vault', to_regclass('vault.decrypted_secrets') is not null,
    'cron_job', coalesce((job ->> 'active')::boolean, false),
    'vault_secrets', problem is null,
    'vault_problem', problem,
    'cron_schedule', job -> 'schedule',
    'last_run', job -> 'last_run',
    'not_run_since', job -> 'not_run_since',
    'jobs', messenger.job_problems(),
    'url', messenger.tick_url(),
    'last_answer', messenger.last_tick_answer()
  );
end
$$;
comment on function messenger.installation() is
  'Whether the prerequisites of the bus are there: {"pg_cron", "pg_net", "vault", "cron_job", "vault_secrets"}; "vault_problem", which secret is wrong and how; the tick job''s "cron_schedule", "last_run" and "not_run_since"; what is wrong with "jobs"; the "url" in Vault; and the tick function''s last answer to pg_net, "last_answer".';

-- It steps from queue to queue along the index of the claim. Leases name the messages that run. A message that is
-- blocked behind its group has a first message that runs or is in that index.
create function messenger.queues_in_use(p_max_queues integer default 10000)
returns text[]
language sql stable
set search_path = ''
as $$
  with recursive met (queue, number) as (
    (
      select m.queue, 1 from public.messenger_messages m
      where not m.quarantined and not m.blocked and not m.heartbeated
      order by m.queue limit 1
    )
    union all
    select
      (
        select m.queue from public.messenger_messages m
        where not m.quarantined and not m.blocked and not m.heartbeated
          and m.queue > greatest(case when strpos(met.queue, '/') > 0 then split_part(met.queue, '/', 1) || '/~' end, met.queue)
        order by m.queue limit 1
      ),
      met.number + 1
    from met where met.queue is not null and met.number < p_max_queues
  )
  select array(
    select split_part(met.queue, '/', 1) from met where met.queue is not null
    union
    select split_part(unnest(l.queues), '/', 1) from (select * from messenger.leases limit 10000) as l
    union
    select split_part(a.queue, '/', 1) from (select f.queue from messenger.quarantined_fronts() f limit 10000) as a
    order by 1 limit p_max_queues
  )
$$;
comment on function messenger.queues_in_use(integer) is
  'Queues that hold messages, by name, without their lanes; no more than its argument says.';

-- The moment since which the most overdue schedule waits. A schedule that was changed and not planned since counts
-- from its change.
create function messenger.schedules_overdue_since() returns timestamptz
language sql stable
set search_path = ''
as $$
  select least(
    (
      select s.next_run_at from public.messenger_schedules s
      where s.enabled
        and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') > '-infinity'
        and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
      order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id limit 1
    ),
    (
      select min(unplanned.updated_at) from (
        select s.updated_at from public.messenger_schedules s
        where s.enabled and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') = '-infinity'
        order by s.id limit 1000
      ) as unplanned
    )
  )
$$;
comment on function messenger.schedules_overdue_since() is
  'The earliest planned time that has passed, of an enabled schedule; null if none has.';

-- Ticks that were asked for since the last one started, more than half a minute ago.
create function messenger.ticks_not_started(p_max_ticks integer default 1000) returns integer
language sql stable
set search_path = ''
as $$
  select count(*)::integer
  from (select * from public.messenger_ticks latest order by latest.id desc limit p_max_ticks) as t
  where t.started_at is null and t.asked_at < clock_timestamp() - interval '30 seconds'
    and t.asked_at > coalesce(
      (
        select max(s.started_at)
        from (select * from public.messenger_ticks latest order by latest.id desc limit p_max_ticks) as s
        where s.worker is null
      ),
      '-infinity'
    )
$$;
comment on function messenger.ticks_not_started(integer) is
  'How many of the latest p_max_ticks ticks were asked for since the last one started, and did not start within half a minute.';

create function messenger.count_failed(
  p_since timestamptz default '-infinity', p_max_count integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.capped(count(*), p_max_count) from (
    select from public.messenger_failed_messages f where f.failed_at >= p_since limit p_max_count + 1
  ) as counted
$$;
comment on function messenger.count_failed(timestamptz, integer) is
  'How many dead letters there are since a moment, as {"count", "capped"}, at most p_max_count.';

-- One search for each queue that runs in workers; there are few.
create function messenger.waiting_for_workers() returns jsonb
language sql volatile
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('queue', w.name, 'since', w.due_at) order by w.due_at), '[]')
  from (
    select q.name, messenger.next_due(array[q.name]) as due_at
    from public.messenger_queues q
    where q.runs_on = 'worker' and not q.paused and not exists (
      select from public.messenger_ticks t
      where t.worker is not null and t.ended_at is null and q.name = any (t.queues)
        and t.heartbeat_at > clock_timestamp() - interval '15 seconds'
    )
    order by q.name limit 100
  ) as w
  where w.due_at <= public.messenger_now()
$$;
comment on function messenger.waiting_for_workers() is
  'Queues that run in workers and have due messages while no worker that serves them gives a sign of life: [{"queue", "since"}], the longest wait first.';

create function public.messenger_health() returns jsonb
language sql volatile
set search_path = ''
as $$
  select jsonb_build_object(
    'now', public.messenger_now(),
    'last_tick_at', (
      select t.started_at from public.messenger_ticks t where t.started_at is not null and t.worker is null
      order by t.id desc limit 1
    ),
    'oldest_ready_at', (
      select due from (
        select messenger.next_due() as due
      ) as next
      where due <= public.messenger_now()
    ),
    'dead_letters_last_hour',
      messenger.count_failed(public.messenger_now() - interval '1 hour'),
    'ticks_not_started', messenger.ticks_not_started(),
    'schedules_overdue_since', messenger.schedules_overdue_since(),
    'schedules_invalid', (
      select count(*) filter (where s.disabled_by = 'invalid')
      from (select latest.disabled_by from public.messenger_schedules latest limit 100000) as s
    ),
    'waiting_for_workers', messenger.waiting_for_workers(),
    'transports', case when exists (select from messenger.relays) then public.messenger_transports() else '[]' end,
    'alerts', messenger.alerts_at_fault(),
    'webhooks_disabled', messenger.disabled_webhooks(),
    'stray_queues', to_jsonb(messenger.stray_queues()),
    'sequence_is_behind', messenger.sequence_behind(),
    'default_queue', exists (select from public.messenger_queues q where q.name = 'default'),
    'version', public.messenger_version(),
    'installation', messenger.installation()
  )
$$;
comment on function public.messenger_health() is
  'Facts that a health check judges: {"now", "last_tick_at", "oldest_ready_at", "dead_letters_last_hour", "ticks_not_started", "schedules_overdue_since", "schedules_invalid", "waiting_for_workers", "transports", "alerts", "webhooks_disabled", "stray_queues", "sequence_is_behind", "default_queue", "version", "installation"}. Paused queues do not count.';
