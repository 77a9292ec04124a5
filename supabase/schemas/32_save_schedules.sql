-- Saving schedules: those made in code, over HTTP and in SQL, by name or new, and the sync of those
-- that are declared in code.

create function messenger.lock_schedule(p_id bigint, p_name text)
returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
begin
  if p_id is null then
    select * into known from public.messenger_schedules s where s.name = p_name for update;
  else
    select * into known from public.messenger_schedules s where s.id = p_id for update;
    if not found then
      raise sqlstate 'PT404' using message = format('id: there is no schedule %s', p_id);
    end if;
  end if;
  return known;
end
$$;
comment on function messenger.lock_schedule(bigint, text) is
  'Part of saving a schedule: locks and returns the one with this id, or else with this name. Refuses an id that no schedule has, PT404; null if none has the name.';

-- With an id, fields that are not given stay as they are. Without one they get their defaults, except stamps.
create function messenger.wanted_schedule(
  p_known public.messenger_schedules, p_given jsonb, p_declared boolean
) returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  wanted public.messenger_schedules;
begin
  wanted := messenger.merge_schedule(
    case when p_given ->> 'id' is not null then p_known end, p_given
  );
  wanted.declared := p_declared or coalesce(p_known.declared, false);
  wanted.stamps := coalesce(wanted.stamps, p_known.stamps);
  perform messenger.check_schedule(p_given, wanted);
  return wanted;
end
$$;
comment on function messenger.wanted_schedule(public.messenger_schedules, jsonb, boolean) is
  'Part of saving a schedule: merges the stored schedule with the given fields. Refuses contradictions.';

create function messenger.insert_schedule(p_wanted public.messenger_schedules)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
  p_wanted.id := nextval('public.messenger_schedules_id_seq');
  insert into public.messenger_schedules values (p_wanted.*) on conflict (name) do nothing;
  return case when found then p_wanted.id end;
end
$$;
comment on function messenger.insert_schedule(public.messenger_schedules) is
  'Part of saving a schedule: makes it, and returns its id; null if another session has made one of this name at this moment.';

create function messenger.schedule_difference(
  p_known public.messenger_schedules, p_wanted public.messenger_schedules
) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case
    when p_known.disabled_by = 'undeclared'
      or messenger.schedule_definition(p_known)
        is distinct from messenger.schedule_definition(p_wanted)
    then 'changed' else 'unchanged'
  end;
end
$$;
comment on function messenger.schedule_difference(
  public.messenger_schedules, public.messenger_schedules
) is
  'Part of saving a schedule: whether a stored schedule would change. One that was disabled because the code no longer declared it changes when it is declared again.';

create function messenger.update_schedule(
  p_id bigint, p_wanted public.messenger_schedules
) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s
  set (
    name, message_type, payload, schedule_type, cron, interval_ms, run_at, timezone, max_runs,
    start_at, end_at, catch_up, catch_up_limit, overlap, while_paused, jitter_ms, queue, priority,
    group_key, ttl_ms, stamps, declared, enabled
  ) = (
    p_wanted.name, p_wanted.message_type, p_wanted.payload, p_wanted.schedule_type, p_wanted.cron,
    p_wanted.interval_ms, p_wanted.run_at, p_wanted.timezone, p_wanted.max_runs, p_wanted.start_at,
    p_wanted.end_at, p_wanted.catch_up, p_wanted.catch_up_limit, p_wanted.overlap,
    p_wanted.while_paused, p_wanted.jitter_ms, p_wanted.queue, p_wanted.priority,
    p_wanted.group_key, p_wanted.ttl_ms, p_wanted.stamps, p_wanted.declared,
    -- A schedule that ended by itself may have runs again; a paused schedule stays paused.
    s.enabled or coalesce(s.disabled_by <> 'pause', false)
  )
  where s.id = p_id;
  if not found then
    perform messenger.refuse_skipped('messenger_schedules');
  end if;
end
$$;
comment on function messenger.update_schedule(bigint, public.messenger_schedules) is
  'Part of saving a schedule: writes the new definition of a stored schedule, and enables it unless it was paused.';

create function messenger.plan_first_run(p_id bigint, p_given jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s
  set next_run_at = (p_given ->> 'next_run_at')::timestamptz,
    enabled = p_given ->> 'finished' is null,
    disabled_by = case when p_given ->> 'finished' is not null then 'finished' end,
    disabled_reason = p_given ->> 'finished'
  where s.id = p_id and s.enabled and s.next_run_at is null;
end
$$;
comment on function messenger.plan_first_run(bigint, jsonb) is
  'Part of saving a schedule: writes the next run of one that is new or whose times were changed, and so has none; or why it has none.';

-- `p_given` has the names of the columns. With an `id` it changes that schedule: what it leaves out stays.
-- With a `name` that is known it makes that schedule what is given, and what it leaves out the default;
-- stamps stay. Else it makes a new one. `next_run_at` is the first run, for where none is known;
-- `finished` says instead why there is none, and `refused` why it may not be saved. All three were found
-- with the columns in `assumed`; where a schedule turns out to have others, the next tick finds out itself.
-- Where nothing is different nothing is written or refused: a running schedule is not disturbed.
create function messenger.save_schedule(
  p_given jsonb, p_declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
  wanted public.messenger_schedules;
  change text;
  tries integer := 0;
begin
  perform messenger.check_schedule_names(p_given);
  perform messenger.check_sizes(jsonb_build_array(p_given));
  -- Tries again if another session has just made a schedule of this name: the second try finds it. One that no
  -- session has and that is not written is one that a trigger of the project's own skips.
  while change is null loop
    tries := tries + 1;
    perform messenger.refuse_skipped('messenger_schedules', 10, tries);
    known := messenger.lock_schedule((p_given ->> 'id')::bigint, p_given ->> 'name');
    wanted := messenger.wanted_schedule(known, p_given, p_declared);
    if known.id is not null then
      change := messenger.schedule_difference(known, wanted);
    else
      known.id := messenger.insert_schedule(wanted);
      change := case when known.id is not null then 'created' end;
    end if;
  end loop;

  if jsonb_populate_record(wanted, coalesce(nullif(p_given -> 'assumed', 'null'), '{}')) is distinct from wanted then
    p_given := p_given - array['next_run_at', 'finished', 'refused'];
  end if;
  if change <> 'unchanged' and p_given ->> 'refused' is not null then
    raise sqlstate 'PT400' using message = p_given ->> 'refused';
  end if;
  if change = 'changed' then
    perform messenger.update_schedule(known.id, wanted);
  end if;
  if change <> 'unchanged' then
    perform messenger.plan_first_run(known.id, p_given);
  end if;
  return jsonb_build_object('id', known.id::text, 'name', wanted.name, 'change', change);
end
$$;
comment on function messenger.save_schedule(jsonb, boolean) is
  'Makes a schedule, or changes the one with its id or name. Returns {"id", "name", "change"}; change is created, changed or unchanged.';

create function public.messenger_save_schedules(
  schedules jsonb, declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  saved jsonb;
  violated text;
  missing text;
  fault_detail text;
begin
  if jsonb_typeof(schedules) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'schedules: has to be an array';
  end if;
  select coalesce(jsonb_agg(messenger.save_schedule(value, declared) order by position), '[]') into saved
  from jsonb_array_elements(schedules) with ordinality as s (value, position);
  perform messenger.check_deferred('messenger_save_schedules');
  return jsonb_build_object('schedules', saved);
exception
  when check_violation or not_null_violation then
    get stacked diagnostics violated = constraint_name, missing = column_name;
    raise sqlstate 'PT400' using message = case
      when sqlstate = '23502' then format('%s: is required', missing)
      -- The error does not tell which of several schedules it means.
      else messenger.not_allowed(
        'messenger_schedules', violated, case when jsonb_array_length(schedules) = 1 then schedules -> 0 end
      )
    end;
  when unique_violation then
    raise sqlstate 'PT409' using message = 'name: another schedule has this name';
  when others then
    get stacked diagnostics fault_detail = pg_exception_detail;
    perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
    perform messenger.refuse_shape(
      sqlstate, 'schedules', schedules, '[{"id": "bigint", "next_run_at": "timestamptz", "assumed": {}}]'
    );
    raise;
end
$$;
comment on function public.messenger_save_schedules(jsonb, boolean) is
  'Makes and changes schedules, all or none. Returns {"schedules": [{"id", "name", "change"}]} in their order.';

-- `schedules` are all schedules that the code declares. A stored schedule whose declaration is gone is disabled.
create function public.messenger_sync_schedules(
  schedules jsonb, fingerprint text, dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  if fingerprint is null then
    raise sqlstate 'PT400' using message = 'fingerprint: is required';
  end if;
  begin
    answer := public.messenger_save_schedules(schedules, declared => true) -> 'schedules';

    with gone as (
      update public.messenger_schedules s
      set enabled = false, disabled_by = 'undeclared',
        disabled_reason = 'it is no longer declared in code'
      where s.declared and s.enabled
        and s.name <> all (array(select value ->> 'name' from jsonb_array_elements(schedules)))
      returning s.id, s.name
    )
    select answer || coalesce(
      jsonb_agg(
        jsonb_build_object('id', id::text, 'name', name, 'change', 'disabled') order by name
      ),
      '[]'
    )
    into answer from gone;

    insert into messenger.schedule_declarations as d (fingerprint)
    values (messenger_sync_schedules.fingerprint)
    on conflict (singleton) do update
    set fingerprint = excluded.fingerprint, synced_at = excluded.synced_at;

    -- A dry run makes all changes and undoes them.
    if dry_run then
      raise sqlstate 'PT299';
    end if;
  exception
    when sqlstate 'PT299' then null;
  end;
  perform messenger.check_deferred('messenger_sync_schedules');
  return jsonb_build_object('schedules', answer);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_sync_schedules(jsonb, text, boolean) is
  'Saves the schedules declared in code, and disables those that the code no longer declares. Returns {"schedules": [{"id", "name", "change"}]}; dry_run changes nothing.';
