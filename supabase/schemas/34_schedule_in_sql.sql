-- Schedules made in SQL, inside the caller's transaction. A cron schedule is a row, inserted or typed
-- into the table editor: insert into messenger_schedules (message_type, schedule_type, cron) ...

create function public.messenger_schedule_once(
  type text,
  payload jsonb,
  at timestamptz,
  name text default null,
  queue text default null,
  priority integer default null,
  group_key text default null,
  ttl interval default null,
  catch_up text default 'latest',
  jitter interval default interval '0',
  allow_past boolean default false,
  while_paused text default 'enqueue'
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  answer bigint;
  fault_detail text;
begin
  if type is null then
    raise sqlstate 'PT400' using message = 'type: is required';
  end if;
  if at is null or not isfinite(at) then
    raise sqlstate 'PT400' using message = 'at: has to be a moment';
  end if;
  if at < public.messenger_now() and not allow_past then
    raise sqlstate 'PT400'
      using message = format('at: %s is in the past; allow_past => true runs it now', at);
  end if;
  answer := (
    public.messenger_save_schedules(jsonb_build_array(jsonb_build_object(
      'message_type', type, 'payload', payload, 'schedule_type', 'once', 'run_at', at,
      'next_run_at', at, 'name', name, 'queue', queue, 'priority', priority,
      'group_key', group_key, 'ttl_ms', messenger.milliseconds(ttl, 'ttl'),
      'catch_up', catch_up, 'while_paused', while_paused,
      'jitter_ms', messenger.milliseconds(jitter, 'jitter')
    ))) -> 'schedules' -> 0 ->> 'id'
  )::bigint;
  perform messenger.check_deferred('messenger_schedule_once');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_schedule_once(
  text, jsonb, timestamptz, text, text, integer, text, interval, text, interval, boolean, text
) is
  'Schedules one message for a moment and returns the schedule''s id: select messenger_schedule_once(''EmailMessage'', ''{"to":"a@b.c"}'', at => ''2027-01-01 09:00+01'').';

create function public.messenger_schedule_interval(
  type text,
  payload jsonb,
  every interval,
  name text default null,
  max_runs integer default null,
  start_at timestamptz default null,
  end_at timestamptz default null,
  queue text default null,
  priority integer default null,
  group_key text default null,
  ttl interval default null,
  catch_up text default 'latest',
  overlap text default 'allow',
  jitter interval default interval '0',
  catch_up_limit integer default null,
  while_paused text default 'enqueue'
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  answer bigint;
  fault_detail text;
begin
  if type is null then
    raise sqlstate 'PT400' using message = 'type: is required';
  end if;
  if every is null or every < interval '1 second' then
    raise sqlstate 'PT400' using message = format(
      'every: has to be at least 1 second; got %s', coalesce(every::text, 'null')
    );
  end if;
  if end_at < greatest(start_at, public.messenger_now()) then
    raise sqlstate 'PT400' using message = 'end_at: has to come after start_at and after now';
  end if;
  answer := (
    public.messenger_save_schedules(jsonb_build_array(jsonb_build_object(
      'message_type', type, 'payload', payload, 'schedule_type', 'interval',
      'interval_ms', messenger.milliseconds(every, 'every'), 'name', name,
      'max_runs', max_runs, 'start_at', start_at, 'end_at', end_at, 'queue', queue,
      'priority', priority, 'group_key', group_key,
      'ttl_ms', messenger.milliseconds(ttl, 'ttl'), 'catch_up', catch_up,
      'catch_up_limit', catch_up_limit, 'overlap', overlap, 'while_paused', while_paused,
      'jitter_ms', messenger.milliseconds(jitter, 'jitter')
    ))) -> 'schedules' -> 0 ->> 'id'
  )::bigint;
  perform messenger.check_deferred('messenger_schedule_interval');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_schedule_interval(
  text, jsonb, interval, text, integer, timestamptz, timestamptz, text, integer, text, interval,
  text, text, interval, integer, text
) is
  'Schedules a message at an interval and returns the schedule''s id; the next tick plans the first run. select messenger_schedule_interval(''Cleanup'', ''{}'', every => interval ''5 minutes'', name => ''cleanup'').';

-- The milliseconds of a span whose length is fixed: months and years have none.
create function messenger.milliseconds(p_span interval, p_field text) returns bigint
language plpgsql immutable
set search_path = ''
as $$
begin
  if extract(year from p_span) <> 0 or extract(month from p_span) <> 0 then
    raise sqlstate 'PT400' using message =
      format('%s: months and years have no fixed length; use days, or a cron schedule', p_field);
  end if;
  return extract(epoch from p_span) * 1000;
end
$$;
comment on function messenger.milliseconds(interval, text) is
  'The milliseconds of an interval. Refuses, naming the field, one whose length is not fixed.';
