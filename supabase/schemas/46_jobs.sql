-- The cron jobs: one list, from which messenger_setup() makes them, and by which a health check judges them.

create function messenger.jobs()
returns table (job_name text, schedule text, command text, calls text)
language sql immutable
set search_path = ''
as $$
  values
    (
      'symphony-tick', '* * * * *',
      'call public.messenger_in_turn(''{messenger_tick,messenger_sample_backlog}'')',
      'messenger_tick'
    ),
    ('symphony-alerts', '* * * * *', 'select public.messenger_check_alerts()', 'messenger_check_alerts'),
    (
      'symphony-prune', '17 * * * *',
      'call public.messenger_in_steps(''messenger_prune'', ''{"failed_older_than": "30 days"}'')',
      'messenger_prune'
    ),
    (
      'symphony-prune-job-runs', '27 * * * *',
      'call public.messenger_in_steps(''messenger_prune_job_runs'', ''{"older_than": "2 days"}'')',
      'messenger_prune_job_runs'
    ),
    (
      'symphony-prune-schedule-runs', '37 * * * *',
      'call public.messenger_in_steps(''messenger_prune_schedule_runs'', ''{"older_than": "30 days", "keep": 100}'')',
      'messenger_prune_schedule_runs'
    ),
    (
      'symphony-prune-actions', '37 * * * *',
      'call public.messenger_in_steps(''messenger_prune_actions'', ''{"older_than": "90 days"}'')',
      'messenger_prune_actions'
    ),
    (
      'symphony-prune-events', '57 * * * *',
      'call public.messenger_in_steps(''messenger_prune_events'', ''{"older_than": "30 days"}'')',
      'messenger_prune_events'
    ),
    (
      'symphony-prune-webhooks', '7 * * * *',
      'call public.messenger_in_steps(''messenger_prune_webhooks'', ''{"older_than": "30 days"}'')',
      'messenger_prune_webhooks'
    ),
    (
      'symphony-tidy-queues', '47 * * * *',
      'call public.messenger_in_steps(''messenger_tidy_queues'', ''{"empty_older_than": "7 days"}'')',
      'messenger_tidy_queues'
    )
$$;
comment on function messenger.jobs() is
  'The cron jobs of the bus: name, schedule and command as messenger_setup() makes them, and the function that the command calls. An operator may change the schedule, and the ages in the command.';

-- A job counts whichever user it runs as, if that user may call the function: one that was moved to another user does
-- the work all the same. A job of another database does it there.
create function messenger.runs_here(p_database text, p_username text, p_calls text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return p_database = current_database() and exists (
    select from pg_catalog.pg_roles r
    join pg_catalog.pg_proc p on p.pronamespace = 'public'::regnamespace and p.proname = p_calls
    where r.rolname = p_username and has_function_privilege(r.oid, p.oid, 'execute')
  );
end
$$;
comment on function messenger.runs_here(text, text, text) is
  'Whether a cron job''s database is this one, and its user may call a function of the bus.';

create function messenger.job_problems() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if to_regclass('cron.job') is null then
    return '[]'::jsonb;
  end if;
  return (
    select coalesce(
      jsonb_agg(jsonb_build_object('name', judged.job_name, 'problem', judged.problem) order by judged.job_name)
        filter (where judged.problem is not null),
      '[]'
    )
    from (
      select l.job_name, case
        when count(j) = 0 then 'missing'
        when not bool_or(messenger.is_job(j.command, l.calls)) then 'other command'
        when not bool_or(messenger.is_job(j.command, l.calls) and messenger.runs_here(j.database, j.username, l.calls))
          then 'other database or user'
        when not bool_or(j.active and messenger.is_job(j.command, l.calls)) then 'inactive'
        when count(*) filter (
          where j.active and messenger.is_job(j.command, l.calls) and messenger.runs_here(j.database, j.username, l.calls)
        ) > 1 then 'doubled'
      end as problem
      from messenger.jobs() l left join cron.job j on j.jobname = l.job_name
      group by l.job_name
    ) as judged
  );
end
$$;
comment on function messenger.job_problems() is
  'Part of messenger.installation(): cron jobs that are not as they have to be, [{"name", "problem"}]; problem is missing, other command, other database or user, inactive or doubled.';

create function messenger.is_job(p_command text, p_calls text) returns boolean
language sql immutable
set search_path = ''
as $$ select p_command ~* ('\m' || p_calls || '\M') $$;
comment on function messenger.is_job(text, text) is
  'Whether a cron job''s command calls a function of the bus.';

-- pg_cron's table of jobs does not say since when a job is there. A job that has not run yet is a fault only after
-- some minutes.
create table messenger.jobs_set_up (
  singleton boolean primary key default true check (singleton),
  at timestamptz not null default public.messenger_now()
);
comment on table messenger.jobs_set_up is
  'One row: when messenger_setup() last made or repaired cron jobs.';
comment on column messenger.jobs_set_up.singleton is
  'Always true: the table has one row.';
comment on column messenger.jobs_set_up.at is
  'When messenger_setup() did so. The health check and the alert no_tick take it as the start of a tick job that has no run yet.';
alter table messenger.jobs_set_up enable row level security;
