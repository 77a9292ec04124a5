-- Saving schedules: those made in code, over HTTP and in SQL, by name or new, and the sync of those
-- that are declared in code.

-- `p_given` has the names of the columns. With an `id` it changes that schedule: what it leaves out stays.
-- With a `name` that is known it makes that schedule what is given, and what it leaves out the default;
-- stamps stay. Else it makes a new one. `next_run_at` is the first run, for where none is known;
-- `finished` says instead why there is none, and `refused` why it may not be saved. All three were found
-- with the columns in `assumed`; where a schedule turns out to have others, the next tick looks itself.
-- Where nothing is different nothing is written or refused: it goes on undisturbed.
create or replace function messenger.save_schedule(
  p_given jsonb, p_declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  wanted_id constant bigint := (p_given ->> 'id')::bigint;
  known public.messenger_schedules;
  wanted public.messenger_schedules;
  change text;
begin
  perform messenger.check_schedule_names(p_given);
  perform messenger.check_sizes(jsonb_build_array(p_given));
  while change is null loop
    select * into known from public.messenger_schedules s
    where case when wanted_id is null then s.name = p_given ->> 'name' else s.id = wanted_id end
    for update;
    if known.id is null and wanted_id is not null then
      raise sqlstate 'PT404' using message = format('id: there is no schedule %s', wanted_id);
    end if;

    wanted := messenger.merge_schedule(case when wanted_id is not null then known end, p_given);
    wanted.declared := p_declared or coalesce(known.declared, false);
    wanted.stamps := coalesce(wanted.stamps, known.stamps);
    perform messenger.check_schedule(p_given, wanted);
    if known.id is not null then
      change := case
        when messenger.schedule_definition(known)
            is distinct from messenger.schedule_definition(wanted)
          or known.disabled_by = 'undeclared'
        then 'changed' else 'unchanged'
      end;
    else
      wanted.id := nextval('public.messenger_schedules_id_seq');
      insert into public.messenger_schedules values (wanted.*) on conflict (name) do nothing;
      -- Another session may have made one of this name at this moment: then that one is known now.
      if found then
        change := 'created';
        known.id := wanted.id;
      end if;
    end if;
  end loop;

  if jsonb_populate_record(wanted, coalesce(p_given -> 'assumed', '{}')) is distinct from wanted then
    p_given := p_given - array['next_run_at', 'finished', 'refused'];
  end if;
  if change <> 'unchanged' and p_given ->> 'refused' is not null then
    raise sqlstate 'PT400' using message = p_given ->> 'refused';
  end if;
  if change = 'changed' then
    update public.messenger_schedules s
    set (
      name, message_type, payload, schedule_type, cron, interval_ms, run_at, timezone, max_runs,
      start_at, end_at, catch_up, catch_up_limit, overlap, while_paused, jitter_ms, queue, priority, group_key, ttl_ms, stamps,
      declared, enabled
    ) = (
      wanted.name, wanted.message_type, wanted.payload, wanted.schedule_type, wanted.cron,
      wanted.interval_ms, wanted.run_at, wanted.timezone, wanted.max_runs, wanted.start_at,
      wanted.end_at, wanted.catch_up, wanted.catch_up_limit, wanted.overlap, wanted.while_paused,
      wanted.jitter_ms, wanted.queue,
      wanted.priority, wanted.group_key, wanted.ttl_ms, wanted.stamps, wanted.declared,
      -- What has ended by itself may have something to do again; what was paused stays so.
      s.enabled or coalesce(s.disabled_by <> 'pause', false)
    )
    where s.id = known.id;
  end if;
  -- A schedule that is new, or whose times were changed, has no next run yet.
  if change <> 'unchanged' then
    update public.messenger_schedules s
    set next_run_at = (p_given ->> 'next_run_at')::timestamptz,
      enabled = p_given ->> 'finished' is null,
      disabled_by = case when p_given ->> 'finished' is not null then 'finished' end,
      disabled_reason = p_given ->> 'finished'
    where s.id = known.id and s.enabled and s.next_run_at is null;
  end if;
  return jsonb_build_object('id', known.id::text, 'name', wanted.name, 'change', change);
end
$$;
comment on function messenger.save_schedule(jsonb, boolean) is
  'Makes a schedule, or changes the one with its id or name. Answers {"id", "name", "change"}; change is created, changed or unchanged.';

create or replace function public.messenger_save_schedules(
  schedules jsonb, declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  violated text;
  missing text;
begin
  if jsonb_typeof(schedules) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'schedules: has to be an array';
  end if;
  return jsonb_build_object('schedules', (
    select coalesce(jsonb_agg(messenger.save_schedule(value, declared) order by position), '[]')
    from jsonb_array_elements(schedules) with ordinality as s (value, position)
  ));
exception
  when check_violation or not_null_violation then
    get stacked diagnostics violated = constraint_name, missing = column_name;
    raise sqlstate 'PT400' using message = case
      when sqlstate = '23502' then format('%s: is required', missing)
      when violated like '%: %' then violated
      else format(
        '%s: has a value that is not allowed',
        regexp_replace(violated, '^messenger_schedules_(.*)_check\d*$', '\1')
      )
    end;
  when unique_violation then
    raise sqlstate 'PT409' using message = 'name: another schedule has this name';
end
$$;
comment on function public.messenger_save_schedules(jsonb, boolean) is
  'Makes and changes schedules, all or none. Answers {"schedules": [{"id", "name", "change"}]} in their order.';

-- `schedules` are all that are declared in code; declared ones that are no more are disabled.
create or replace function public.messenger_sync_schedules(
  schedules jsonb, fingerprint text, dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
begin
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

    -- A dry run does it all and takes it back.
    if dry_run then
      raise sqlstate 'PT299';
    end if;
  exception
    when sqlstate 'PT299' then null;
  end;
  return jsonb_build_object('schedules', answer);
end
$$;
comment on function public.messenger_sync_schedules(jsonb, text, boolean) is
  'Makes the declared schedules what the code says, and disables those that are declared no more. Answers {"schedules": [{"id", "name", "change"}]}; dry_run changes nothing.';
