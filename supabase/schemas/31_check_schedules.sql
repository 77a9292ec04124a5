-- Checks the fields of a schedule. An error names a field that may not be given, or that would have no effect.

-- The columns that hold a schedule's state, which a definition cannot set.
create function messenger.schedule_state() returns text[]
language sql immutable
set search_path = ''
as $$
  select array[
    'id', 'next_run_at', 'last_run_at', 'run_count', 'enabled', 'disabled_by', 'disabled_reason',
    'last_message_id', 'failing_since', 'lease_token', 'leased_until', 'created_at', 'updated_at'
  ]
$$;
comment on function messenger.schedule_state() is
  'Columns of a schedule that are its state, and not set by its owner.';

create function messenger.schedule_definition(
  p_schedule public.messenger_schedules
) returns jsonb
language sql stable
set search_path = ''
as $$ select to_jsonb(p_schedule) - messenger.schedule_state() $$;
comment on function messenger.schedule_definition(public.messenger_schedules) is
  'The columns of a schedule that its owner sets, as jsonb, without its state.';

create function messenger.merge_schedule(
  p_known public.messenger_schedules, p_given jsonb
) returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  defaults constant jsonb := '{"timezone": "UTC", "catch_up": "latest", "overlap": "allow",
    "while_paused": "enqueue", "jitter_ms": 0, "payload": {}}'::jsonb;
  fields jsonb := p_given - messenger.schedule_state();
  merged public.messenger_schedules;
  field text;
begin
  -- A null removes a value; the default takes its place if there is one.
  fields := fields || coalesce(
    (
      select jsonb_object_agg(key, defaults -> key) from jsonb_each(fields)
      where value = 'null' and defaults ? key
    ),
    '{}'
  );
  if p_known.id is null then
    fields := defaults || jsonb_build_object(
      'run_count', 0, 'enabled', true, 'created_at', clock, 'updated_at', clock
    ) || fields;
  end if;
  begin
    merged := jsonb_populate_record(p_known, fields);
  exception when data_exception then
    for field in select jsonb_object_keys(fields) loop
      begin
        perform jsonb_populate_record(p_known, jsonb_build_object(field, fields -> field));
      exception when data_exception then
        raise sqlstate 'PT400' using message = coalesce(messenger.shape_fault(field, fields -> field, (
          select to_jsonb(replace(format_type(a.atttypid, null), 'timestamp with time zone', 'timestamptz'))
          from pg_catalog.pg_attribute a
          where a.attrelid = 'public.messenger_schedules'::regclass and a.attname = field
        )), format('%s: has a value that is not allowed (was %s)', field, left((fields -> field)::text, 60)));
      end;
    end loop;
    raise;
  end;
  -- As a payload, null is a value.
  merged.payload := coalesce(p_given -> 'payload', merged.payload);
  return merged;
end
$$;
comment on function messenger.merge_schedule(public.messenger_schedules, jsonb) is
  'Returns the known schedule, or the defaults if there is none, with the given columns in place of its own.';

create function messenger.check_schedule_names(p_given jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  unknown text;
begin
  if jsonb_typeof(p_given) <> 'object' then
    raise sqlstate 'PT400' using message = format(
      'schedules: have to be objects (one was a JSON %s)', jsonb_typeof(p_given)
    );
  end if;
  select k into unknown from jsonb_object_keys(p_given) as k
  where not (
    k in ('id', 'next_run_at', 'finished', 'refused', 'assumed')
    or to_jsonb(jsonb_populate_record(null::public.messenger_schedules, '{}'))
      - messenger.schedule_state() ? k
  )
  limit 1;
  if found then
    raise sqlstate 'PT400' using message = format('%s: is not known, or not for its owner to say', unknown);
  end if;
end
$$;
comment on function messenger.check_schedule_names(jsonb) is
  'Part of saving a schedule: refuses a field that would be ignored.';

-- Each given field must have an effect. A stored schedule may keep a field that has none at present, such as
-- its time zone while it runs at an interval.
create function messenger.check_schedule(
  p_given jsonb, p_wanted public.messenger_schedules
) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong constant text := case
    when p_wanted.interval_ms < 1000
      then format('interval_ms: has to be at least 1000, a second; got %s', p_wanted.interval_ms)
    when p_wanted.interval_ms > 3155760000000 then 'interval_ms: has to be at most 100 years'
    when not messenger.is_moment(p_wanted.run_at)
      then 'run_at: has to be a moment in the years 1 to 9999'
    when not messenger.is_moment(p_wanted.start_at)
      then 'start_at: has to be a moment in the years 1 to 9999'
    when not messenger.is_moment(p_wanted.end_at)
      then 'end_at: has to be a moment in the years 1 to 9999'
    when p_wanted.end_at < p_wanted.start_at then 'end_at: has to come after start_at'
    when p_wanted.ttl_ms <= p_wanted.jitter_ms then 'ttl_ms: has to be longer than jitter_ms'
    when p_given ->> 'catch_up_limit' is not null and p_wanted.catch_up <> 'all'
      then 'catch_up_limit: has an effect with catch_up all only'
    when p_given ->> 'max_runs' is not null and p_wanted.schedule_type = 'once'
      then 'max_runs: a schedule of type once runs once'
    when p_given ->> 'overlap' = 'skip' and p_wanted.schedule_type = 'once'
      then 'overlap: a schedule of type once has no run before its only one'
    when p_given ->> 'timezone' <> 'UTC' and p_wanted.schedule_type <> 'cron'
      then 'timezone: has an effect on cron schedules only'
    when p_given ->> 'cron' is not null and p_wanted.schedule_type <> 'cron'
      then 'cron: is for schedules of type cron'
    when p_given ->> 'interval_ms' is not null and p_wanted.schedule_type <> 'interval'
      then 'interval_ms: is for schedules of type interval'
    when p_given ->> 'run_at' is not null and p_wanted.schedule_type <> 'once'
      then 'run_at: is for schedules of type once'
  end;
begin
  if wrong is not null then
    raise sqlstate 'PT400' using message = wrong;
  end if;
  perform messenger.check_json(p_wanted.payload, 'payload');
  perform messenger.check_json(p_given -> 'payload', 'payload');
end
$$;
comment on function messenger.check_schedule(jsonb, public.messenger_schedules) is
  'Part of saving a schedule: refuses given fields that contradict the resulting schedule, and names them.';
