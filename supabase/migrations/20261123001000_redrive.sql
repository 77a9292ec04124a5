-- What an operator does with dead letters: redrive, remove, prune. Each takes the same filter, works
-- on the whole set in one statement, and only counts when asked for a dry run.

-- The dead letters that a filter means, oldest first, locked; those another session is just moving
-- are left out, so that two redrives of one message enqueue it once.
create or replace function public.messenger_lock_failed(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null
) returns setof bigint
language plpgsql
set search_path = ''
as $$
begin
  if max_messages < 1 then
    raise sqlstate 'PT400' using message = 'max_messages: has to be at least 1';
  end if;
  if reason not in (
    'exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'cancelled'
  ) then
    raise sqlstate 'PT400' using message =
      'reason: has to be one of exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled';
  end if;

  return query
  select f.id from public.messenger_failed_messages f
  where (messenger_lock_failed.ids is null or f.id = any (messenger_lock_failed.ids))
    and (messenger_lock_failed.type is null or f.type = messenger_lock_failed.type)
    and (messenger_lock_failed.queue is null or f.queue = messenger_lock_failed.queue)
    and (messenger_lock_failed.reason is null or f.reason = messenger_lock_failed.reason)
    and (
      messenger_lock_failed.error is null
      or position(lower(messenger_lock_failed.error) in lower(f.error)) > 0
    )
    and (failed_from is null or f.failed_at >= failed_from)
    and (failed_until is null or f.failed_at < failed_until)
  order by f.failed_at, f.id
  limit max_messages
  for update skip locked;
end
$$;
comment on function public.messenger_lock_failed(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer
) is
  'Part of redrive and remove: locks the dead letters that a filter means, oldest first, and answers their ids.';

create or replace function public.messenger_redrive(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  per_second numeric default null,
  to_queue text default null,
  payload jsonb default null,
  dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  matched bigint[];
begin
  if per_second <= 0 then
    raise sqlstate 'PT400' using message = 'per_second: has to be more than 0';
  end if;
  if to_queue !~ '^[A-Za-z0-9_.:-]{1,100}$' then
    raise sqlstate 'PT400'
      using message = 'to_queue: has to be 1 to 100 letters, digits or _ . : -';
  end if;
  if payload is not null and cardinality(ids) is distinct from 1 then
    raise sqlstate 'PT400'
      using message = 'payload: an edited payload goes with the id of one message';
  end if;
  if payload::text ~ '[0-9.]{16}' then
    perform public.messenger_check_numbers(payload, 'payload');
  end if;

  matched := array(select public.messenger_lock_failed(
    ids, type, queue, reason, error, failed_from, failed_until, max_messages
  ));
  if dry_run then
    return jsonb_build_object('matched', cardinality(matched), 'redriven', 0);
  end if;

  with gone as (
    delete from public.messenger_failed_messages f
    using unnest(matched) with ordinality as m (id, position)
    where f.id = m.id
    returning f.*, m.position
  )
  insert into public.messenger_messages (
    id, type, payload, queue, priority, available_at, created_at, group_key, stamps, errors, alone
  )
  select g.id, g.type, coalesce(messenger_redrive.payload, g.payload), coalesce(to_queue, g.queue),
    g.priority,
    clock + coalesce((g.position - 1) / per_second, 0) * interval '1 second',
    g.created_at, g.group_key,
    coalesce(g.stamps, '{}') || jsonb_build_object('redriven', g.redriven + 1),
    nullif(g.errors, '[]'),
    -- What crashed its worker before may do so again.
    g.reason = 'crashed'
  from gone g
  order by g.position;

  return jsonb_build_object('matched', cardinality(matched), 'redriven', cardinality(matched));
end
$$;
comment on function public.messenger_redrive(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, numeric, text, jsonb, boolean
) is
  'Puts dead letters back into their queue, or to_queue, with fresh retries and their history: by ids or by filter, at per_second if given, one with an edited payload. Answers {"matched", "redriven"}; dry_run only counts.';

create or replace function public.messenger_remove_failed(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  matched bigint[];
begin
  if num_nonnulls(ids, type, queue, reason, error, failed_from, failed_until) = 0 then
    raise sqlstate 'PT400' using message =
      'filter: give at least one of ids, type, queue, reason, error, failed_from, failed_until';
  end if;

  matched := array(select public.messenger_lock_failed(
    ids, type, queue, reason, error, failed_from, failed_until, max_messages
  ));
  if dry_run then
    return jsonb_build_object('matched', cardinality(matched), 'removed', 0);
  end if;

  delete from public.messenger_failed_messages f where f.id = any (matched);
  return jsonb_build_object('matched', cardinality(matched), 'removed', cardinality(matched));
end
$$;
comment on function public.messenger_remove_failed(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, boolean
) is
  'Deletes dead letters for good, by ids or by filter. Answers {"matched", "removed"}; dry_run only counts.';

-- What nobody needs any more. pg_cron calls it every hour; the age stands in the job's command, to be
-- changed there.
create or replace function public.messenger_prune(
  failed_older_than interval default interval '30 days', dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  failed bigint;
  keys bigint;
  handled bigint;
  progress bigint;
  limits bigint;
begin
  if failed_older_than < interval '0' then
    raise sqlstate 'PT400' using message = 'failed_older_than: has to be zero or more';
  end if;

  if dry_run then
    select count(*) into failed from public.messenger_failed_messages f
    where f.failed_at < clock - failed_older_than;
    select count(*) into keys from public.messenger_idempotency_keys k where k.expires_at <= clock;
    select count(*) into handled from public.messenger_handled_messages h
    where h.keep_until <= clock;
    select count(*) into progress from public.messenger_progress p
    where not exists (select from public.messenger_messages m where m.id = p.message_id)
      and not exists (select from public.messenger_failed_messages f where f.id = p.message_id);
    select count(*) into limits from public.messenger_rate_limits r
    where r.full_at < clock - interval '1 minute';
  else
    delete from public.messenger_failed_messages f where f.failed_at < clock - failed_older_than;
    get diagnostics failed = row_count;
    delete from public.messenger_idempotency_keys k where k.expires_at <= clock;
    get diagnostics keys = row_count;
    delete from public.messenger_handled_messages h where h.keep_until <= clock;
    get diagnostics handled = row_count;
    delete from public.messenger_progress p
    where not exists (select from public.messenger_messages m where m.id = p.message_id)
      and not exists (select from public.messenger_failed_messages f where f.id = p.message_id);
    get diagnostics progress = row_count;
    delete from public.messenger_rate_limits r
    where r.full_at < clock - interval '1 minute';
    get diagnostics limits = row_count;
  end if;
  return jsonb_build_object(
    'failed', failed, 'idempotency_keys', keys, 'handled', handled, 'progress', progress,
    'rate_limits', limits
  );
end
$$;
comment on function public.messenger_prune(interval, boolean) is
  'Deletes dead letters older than an age, expired idempotency keys, handled messages that were kept long enough, progress of messages that are gone and rate limits that nobody uses. pg_cron calls it hourly. Answers how many of each; dry_run only counts.';

revoke execute on function
  public.messenger_lock_failed(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer
  ),
  public.messenger_redrive(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer, numeric, text, jsonb,
    boolean
  ),
  public.messenger_remove_failed(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer, boolean
  ),
  public.messenger_prune(interval, boolean)
from public, anon, authenticated;
grant execute on function
  public.messenger_lock_failed(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer
  ),
  public.messenger_redrive(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer, numeric, text, jsonb,
    boolean
  ),
  public.messenger_remove_failed(
    bigint[], text, text, text, text, timestamptz, timestamptz, integer, boolean
  ),
  public.messenger_prune(interval, boolean)
to service_role;

select cron.schedule(
  'symphony-prune', '17 * * * *',
  $$select public.messenger_prune(failed_older_than => interval '30 days')$$
);

-- pg_cron never deletes the records of its runs: 1,440 a day for the tick alone.
select cron.schedule(
  'symphony-prune-job-runs', '27 * * * *',
  $$delete from cron.job_run_details d using cron.job j
    where j.jobid = d.jobid and j.jobname like 'symphony-%' and d.end_time < now() - interval '2 days'$$
);
