-- Setup: the rows, cron jobs and secrets of the bus, which a schema alone does not bring. A preview branch, a
-- restored schema and a squashed history have the tables and functions, and none of these: dispatches succeed
-- there, and no tick comes. messenger_setup() makes what is missing, and may be called again at any time.

-- `repair` also gives a job its command and its schedule back, and switches it on. Without it a job that runs
-- something else is refused: its name may be a user's own.
create function messenger.set_up_job(
  p_name text, p_schedule text, p_command text, p_calls text, p_repair boolean
) returns text
language plpgsql
set search_path = ''
as $$
declare
  job cron.job;
  is_ours boolean;
  is_whole boolean;
begin
  select * into job from cron.job j where j.jobname = p_name
  order by j.username = current_user desc, j.active desc limit 1;
  if job.jobid is null then
    perform cron.schedule(p_name, p_schedule, p_command);
    return 'created';
  end if;

  is_ours := messenger.is_job(job.command, p_calls);
  if not is_ours and not p_repair then
    raise sqlstate 'PT409' using
      message = format('cron job %s: exists and runs something else (%s)', p_name, left(job.command, 200)),
      hint = format('Give your job another name: select cron.unschedule(%L), then cron.schedule with the new name.', p_name);
  end if;
  -- The tick runs every minute, or every few seconds; an operator may give the other jobs any time.
  is_whole := is_ours and job.active and messenger.runs_here(job.database, job.username, p_calls)
    and (p_calls <> 'messenger_tick' or job.schedule = p_schedule or job.schedule ~ 'second');
  if not p_repair or is_whole and job.username <> current_user then
    return 'kept';
  end if;
  if job.username <> current_user then
    return 'of another user';
  end if;
  if is_whole then
    -- As it is, so that pg_cron reads its jobs again. If a job was made in the moment in which pg_cron read them,
    -- pg_cron does not know it until some job changes.
    perform cron.schedule(p_name, job.schedule, job.command);
    return 'kept';
  end if;
  perform cron.alter_job(
    job.jobid, case when not is_ours or p_calls = 'messenger_tick' then p_schedule end,
    case when not is_ours then p_command end, nullif(current_database(), job.database), active => true
  );
  return 'repaired';
end
$$;
comment on function messenger.set_up_job(text, text, text, text, boolean) is
  'Part of messenger_setup: makes a cron job, or repairs it. Returns created, kept, repaired, or of another user.';

create function messenger.set_up_secret(p_name text, p_value text, p_description text) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  secret_id uuid;
begin
  if p_value is null then
    return false;
  end if;
  select s.id into secret_id from vault.secrets s where s.name = p_name;
  if secret_id is null then
    perform vault.create_secret(p_value, p_name, p_description);
    return true;
  end if;
  -- One that cannot be decrypted is replaced as well: a restored project may have another root key.
  begin
    if p_value = (select s.decrypted_secret from vault.decrypted_secrets s where s.id = secret_id) then
      return false;
    end if;
  exception when others then
    null;
  end;
  perform vault.update_secret(secret_id, p_value);
  return true;
end
$$;
comment on function messenger.set_up_secret(text, text, text) is
  'Part of messenger_setup: writes a secret into Vault. Returns whether it changed; a null changes nothing.';

-- Runs with its owner's rights: the service role may neither schedule cron jobs as their owner nor, in every
-- project, write to Vault. It runs no command that is given to it, and returns no secret.
create function public.messenger_setup(
  url text default null, secret_key text default null, repair boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  jobs jsonb := '{}'::jsonb;
  secrets jsonb := '[]'::jsonb;
  queues integer;
  alerts text[];
  fault_detail text;
begin
  if url !~ '^https?://[^[:space:]]+$' then
    raise sqlstate 'PT400' using message = 'url: has to begin with http:// or https://, and to have no spaces';
  end if;
  if secret_key !~ '^[^[:space:]]+$' then
    raise sqlstate 'PT400' using message = 'secret_key: is empty, or has spaces';
  end if;

  insert into public.messenger_queues (name) values ('default') on conflict do nothing;
  get diagnostics queues = row_count;
  perform messenger.installation_id();
  alerts := messenger.make_default_alerts();
  if to_regclass('cron.job') is not null then
    select jsonb_object_agg(
      j.job_name, messenger.set_up_job(j.job_name, j.schedule, j.command, j.calls, coalesce(repair, false))
    )
    into jobs from messenger.jobs() j;
    if repair or jobs::text ~ '"created"' then
      insert into messenger.jobs_set_up default values
      on conflict (singleton) do update set at = excluded.at;
    end if;
  end if;
  if messenger.set_up_secret('symphony_url', url, 'Where Symphony Messenger''s tick function is called.') then
    secrets := secrets || '"symphony_url"';
  end if;
  if messenger.set_up_secret('symphony_secret_key', secret_key, 'The key for Symphony Messenger''s tick function.') then
    secrets := secrets || '"symphony_secret_key"';
  end if;
  -- Messages may wait already for which no transaction has asked for a tick.
  perform messenger.wake_for_next();
  perform messenger.check_deferred('messenger_setup');
  return jsonb_build_object(
    'changed', queues > 0 or alerts <> '{}' or secrets <> '[]' or jobs::text ~ '"(created|repaired)"',
    'queues', case when queues > 0 then '["default"]' else '[]' end::jsonb, 'jobs', jobs, 'secrets', secrets,
    'alerts', alerts,
    'problems', messenger.job_problems()
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_setup(text, text, boolean) is
  'Makes what is missing of the rows, cron jobs and secrets of the bus; may be called again. With url and secret_key it writes Vault''s symphony_url and symphony_secret_key. A job of our name that runs something else is refused, and with repair made ours again; repair also switches jobs on. Returns {"changed", "queues", "jobs", "secrets", "alerts", "problems"}: what it made, what it did with each job, and what is still wrong with jobs.';
