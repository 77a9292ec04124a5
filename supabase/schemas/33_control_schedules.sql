-- Operating schedules: list them, show one, pause, resume, run one now, remove.

create function messenger.latest_runs(
  p_id bigint, p_max_runs integer, p_before timestamptz default 'infinity'
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(
      to_jsonb(r) || jsonb_build_object('message_id', r.message_id::text) order by r.occurrence desc
    ), '[]')
    from (
      select s.occurrence, s.run, s.triggered, s.message_id, s.outcome, s.reason, s.enqueued_at, s.finished_at
      from public.messenger_schedule_runs s
      where s.schedule_id = p_id and s.occurrence < p_before
      order by s.occurrence desc limit p_max_runs
    ) as r
  );
end
$$;
comment on function messenger.latest_runs(bigint, integer, timestamptz) is
  'The latest runs of a schedule before a moment, the newest first.';

-- In plpgsql, because Postgres plans it for the arguments of each call: see the settings of planning.
create function public.messenger_list_schedules(
  ids bigint[] default null,
  name text default null,
  message_type text default null,
  enabled boolean default null,
  after_id bigint default 0,
  max_schedules integer default 100,
  max_runs integer default 0
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'schedules', coalesce(
        jsonb_agg(
          to_jsonb(listed) || jsonb_build_object('id', listed.id::text)
            || case
              when messenger_list_schedules.max_runs > 0
              then jsonb_build_object('runs', messenger.latest_runs(listed.id, messenger_list_schedules.max_runs))
              else '{}'
            end
          order by listed.id
        ),
        '[]'
      ),
      'now', public.messenger_now()
    )
    from (
      -- Each column by its name: a row as a whole is read with its payload.
      select s.id, s.name, s.message_type, s.schedule_type, s.cron, s.interval_ms, s.run_at, s.timezone,
        s.next_run_at, s.last_run_at, s.run_count, s.max_runs, s.start_at, s.end_at, s.catch_up,
        s.catch_up_limit, s.overlap, s.while_paused, s.jitter_ms, s.queue, s.priority, s.group_key,
        s.ttl_ms, s.enabled, s.disabled_by, s.disabled_reason, s.declared, s.last_message_id,
        s.failing_since, s.created_at, s.updated_at
      from public.messenger_schedules s
      where (messenger_list_schedules.ids is null or s.id = any (messenger_list_schedules.ids))
        and (messenger_list_schedules.name is null or s.name = messenger_list_schedules.name)
        and (
          messenger_list_schedules.message_type is null
          or s.message_type = messenger_list_schedules.message_type
        )
        and (messenger_list_schedules.enabled is null or s.enabled = messenger_list_schedules.enabled)
        and s.id > after_id
      order by s.id
      limit messenger.page_size(max_schedules, 'max_schedules')
    ) as listed
  );
end
$$;
comment on function public.messenger_list_schedules(bigint[], text, text, boolean, bigint, integer, integer) is
  'Schedules by id, those after after_id, filtered by what is given, without payloads. Returns {"schedules": [...], "now"}; with max_runs each has its latest runs.';

-- In the order of the index, which has those first that wait for the computation of their next run.
create function public.messenger_list_upcoming(
  until timestamptz, after_at timestamptz default null, after_id bigint default null, max_schedules integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as materialized (
    select coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') as at, s.id
    from public.messenger_schedules s
    where s.enabled and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= until
      and (coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id)
        > (coalesce(after_at, '-infinity'), coalesce(after_id, -9223372036854775808))
    order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
    limit messenger.page_size(max_schedules, 'max_schedules')
  )
  select public.messenger_list_schedules(array(select f.id from found f), max_schedules => max_schedules)
    || jsonb_build_object('next', (
      select jsonb_build_array(f.at, f.id::text) from found f
      where (select count(*) from found) = max_schedules
      order by f.at desc, f.id desc limit 1
    ))
$$;
comment on function public.messenger_list_upcoming(timestamptz, timestamptz, bigint, integer) is
  'Enabled schedules whose next run is due by a moment or not yet computed, the next one first, behind a time and an id, without payloads. Returns {"schedules", "now", "next"}; next is [time, id], null on the last page.';

create function public.messenger_show_schedule(id bigint, exact boolean default false) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('now', public.messenger_now(), 'schedule', (
    select to_jsonb(s) - '{lease_token,leased_until}'::text[] || jsonb_build_object(
      'id', s.id::text,
      'payload', case when exact then messenger.with_exact_numbers(s.payload) else s.payload end
    )
    from public.messenger_schedules s where s.id = messenger_show_schedule.id
  ))
$$;
comment on function public.messenger_show_schedule(bigint, boolean) is
  'A schedule with its payload and stamps. Returns {"schedule", "now"}; schedule is null if there is none of this id. exact, for people: numbers of the payload that a double would change are text.';

-- Leaves out the columns that are for operators: queue, priority, group, stamps. A page ends with 4 MiB of payloads,
-- but has at least one schedule.
create function public.messenger_list_user_schedules(
  user_id text, after_id bigint default 0, max_schedules integer default 100
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  max_bytes constant integer := 4194304;
  seen bigint[];
  fitting bigint[];
begin
  if user_id is null then
    raise sqlstate 'PT400' using message = 'user_id: is required';
  end if;
  select array_agg(sized.id order by sized.id),
    array_agg(sized.id order by sized.id) filter (where sized.place = 1 or sized.bytes <= max_bytes)
  into seen, fitting
  from (
    select own.id, row_number() over (order by own.id) as place,
      sum(messenger.stored_bytes(own.payload)) over (order by own.id) as bytes
    from (
      select s.id, s.payload from public.messenger_schedules s
      where s.stamps -> 'user' ->> 'id' = user_id and s.id > after_id
      order by s.id
      limit messenger.page_size(max_schedules, 'max_schedules')
    ) as own
  ) as sized;
  return jsonb_build_object(
    'schedules', (
      select coalesce(
        jsonb_agg(
          to_jsonb(s) - '{stamps,queue,priority,group_key,lease_token,leased_until}'::text[]
            || jsonb_build_object('id', s.id::text, 'payload', messenger.with_exact_numbers(s.payload))
          order by s.id
        ),
        '[]'
      )
      from public.messenger_schedules s where s.id = any (fitting)
    ),
    'next', case
      when cardinality(fitting) < cardinality(seen) or cardinality(seen) = max_schedules
      then fitting[cardinality(fitting)]::text
    end
  );
end
$$;
comment on function public.messenger_list_user_schedules(text, bigint, integer) is
  'Schedules that a user has made, by id, those after after_id, with payloads of 4 MiB at most or one schedule. Numbers that a double would change are text. Returns {"schedules": [...], "next"}; next is the after_id of the next page.';

create function public.messenger_list_schedule_runs(
  id bigint, max_runs integer default 20, before timestamptz default null
) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('runs', messenger.latest_runs(
    id, messenger.page_size(max_runs, 'max_runs'), coalesce(before, 'infinity')
  ))
$$;
comment on function public.messenger_list_schedule_runs(bigint, integer, timestamptz) is
  'The latest runs of a schedule, the newest first, those planned before a moment. Returns {"runs": [...]}.';

create function public.messenger_pause_schedule(id bigint, reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  update public.messenger_schedules s
  set enabled = false, disabled_by = 'pause', disabled_reason = reason
  where s.id = messenger_pause_schedule.id;
  if not found then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', id);
  end if;
  perform messenger.check_deferred('messenger_pause_schedule');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_pause_schedule(bigint, text) is
  'Stops a schedule until it is resumed, with a reason for people to read.';

-- A cron expression, a time zone and a type are the code's to judge: the next tick disables the schedule again.
create function messenger.check_resumed(p_schedule public.messenger_schedules) returns void
language plpgsql
set search_path = ''
as $$
declare
  missing constant text := case
    when p_schedule.schedule_type = 'cron' and p_schedule.cron is null then 'cron'
    when p_schedule.schedule_type = 'interval' and p_schedule.interval_ms is null then 'interval_ms'
    when p_schedule.schedule_type = 'once' and p_schedule.run_at is null then 'run_at'
  end;
begin
  if missing is not null then
    raise sqlstate 'PT400' using message = format('%s: is required for schedules of type %s', missing, p_schedule.schedule_type);
  end if;
  perform messenger.check_schedule('{}', p_schedule);
end
$$;
comment on function messenger.check_resumed(public.messenger_schedules) is
  'Part of messenger_resume_schedule: refuses a schedule that was disabled as invalid, and still has a value that the next tick would refuse.';

create function public.messenger_resume_schedule(id bigint) returns void
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
  fault_detail text;
begin
  select * into known from public.messenger_schedules s where s.id = messenger_resume_schedule.id for no key update;
  if not found then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', id);
  end if;
  if known.disabled_by = 'invalid' then
    perform messenger.check_resumed(known);
  end if;
  update public.messenger_schedules s set enabled = true where s.id = messenger_resume_schedule.id;
  if not found then
    perform messenger.refuse_skipped('messenger_schedules');
  end if;
  perform messenger.check_deferred('messenger_resume_schedule');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_resume_schedule(bigint) is
  'Lets a schedule run again from now. Runs planned while it was stopped are not made up; a single run comes late. One that was disabled as invalid is refused while a value is missing or out of its range (PT400).';

create function messenger.lock_triggered(p_id bigint, p_counted boolean)
returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  schedule public.messenger_schedules;
begin
  select * into schedule from public.messenger_schedules s where s.id = p_id for update;
  if schedule.id is null then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', p_id);
  end if;
  if schedule.overlap = 'skip' and (
    exists (select from public.messenger_messages m where m.id = schedule.last_message_id)
    or messenger.is_outside(schedule.last_message_id)
  ) then
    raise sqlstate 'PT409' using message = 'overlap: the run before is still waiting or running';
  end if;
  if p_counted and schedule.run_count >= schedule.max_runs then
    raise sqlstate 'PT409'
      using message = format('max_runs: it has run %s times', schedule.run_count);
  end if;
  return schedule;
end
$$;
comment on function messenger.lock_triggered(bigint, boolean) is
  'Part of messenger_trigger_schedule: locks and returns the schedule. Refuses one that does not exist, PT404, and one that may not run now, PT409.';

-- A microsecond or more behind a whole millisecond: planned times are whole milliseconds, so a run that was
-- asked for never takes the place of a planned one.
create function messenger.triggered_occurrence(p_schedule_id bigint) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  moment timestamptz := date_trunc('milliseconds', public.messenger_now())
    + interval '1 microsecond';
begin
  while exists (
    select from public.messenger_schedule_runs r
    where r.schedule_id = p_schedule_id and r.occurrence = moment
  ) loop
    moment := moment + interval '1 microsecond';
  end loop;
  return moment;
end
$$;
comment on function messenger.triggered_occurrence(bigint) is
  'Part of messenger_trigger_schedule: the time of a triggered run: now, or shortly after, so that no other run of the schedule has it.';

create function messenger.record_trigger(
  p_schedule_id bigint, p_occurrence timestamptz, p_run integer, p_finished boolean,
  p_message_id bigint
) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.messenger_schedule_runs
    (schedule_id, occurrence, run, triggered, message_id, outcome, enqueued_at)
  values (
    p_schedule_id, p_occurrence, p_run, true, p_message_id, 'enqueued', public.messenger_now()
  );
  -- Without the lease, a tick that is computing the next run at this moment has to plan again.
  update public.messenger_schedules s
  set run_count = greatest(s.run_count, p_run), last_message_id = p_message_id,
    lease_token = null, leased_until = null,
    enabled = s.enabled and not p_finished,
    next_run_at = case when not p_finished then s.next_run_at end,
    disabled_by = case when p_finished and s.enabled then 'finished' else s.disabled_by end,
    disabled_reason = case when p_finished and s.enabled
      then format('max_runs: it has run %s times', p_run) else s.disabled_reason end
  where s.id = p_schedule_id;
end
$$;
comment on function messenger.record_trigger(bigint, timestamptz, integer, boolean, bigint) is
  'Part of messenger_trigger_schedule: records the run, and the state of the schedule after it. p_finished: it was the last one.';

create function public.messenger_trigger_schedule(
  id bigint,
  counted boolean default false,
  queue text default null,
  priority integer default null,
  ttl_ms double precision default null,
  message jsonb default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  schedule constant public.messenger_schedules := messenger.lock_triggered(id, counted);
  run constant integer := case when counted then schedule.run_count + 1 else 0 end;
  finished constant boolean := coalesce(counted and run >= schedule.max_runs, false);
  moment constant timestamptz := messenger.triggered_occurrence(schedule.id);
  message_id bigint;
  fault_detail text;
begin
  message := jsonb_build_object('payload', schedule.payload)
    || coalesce(message, jsonb_strip_nulls(jsonb_build_object(
      'type', schedule.message_type, 'queue', coalesce(schedule.queue, queue),
      'priority', coalesce(schedule.priority, priority),
      'ttl_ms', coalesce(schedule.ttl_ms, ttl_ms), 'group_key', schedule.group_key
    )));
  message := messenger.stamp_run(
    message, schedule.stamps, schedule.id, schedule.name,
    to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), run
  );
  message_id := (public.messenger_enqueue(jsonb_build_array(message)) -> 'ids' ->> 0)::bigint;
  perform messenger.record_trigger(schedule.id, moment, run, finished, message_id);
  perform messenger.check_deferred('messenger_trigger_schedule');
  return message_id;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_trigger_schedule(
  bigint, boolean, text, integer, double precision, jsonb
) is
  'Runs a schedule once now, paused or not, and returns the message''s id. The run is recorded; it counts against max_runs only if asked. queue, priority and ttl_ms hold where the schedule leaves them open; message, in the form of messenger_enqueue, replaces all of them, and the payload unless it has none.';

create function public.messenger_unschedule(id bigint, user_id text default null)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  is_gone boolean;
  fault_detail text;
begin
  delete from public.messenger_schedules s
  where s.id = messenger_unschedule.id
    and (
      messenger_unschedule.user_id is null
      or s.stamps -> 'user' ->> 'id' = messenger_unschedule.user_id
    );
  is_gone := found;
  perform messenger.check_deferred('messenger_unschedule');
  return is_gone;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_unschedule(bigint, text) is
  'Removes a schedule and the record of its runs; messages that it has made stay. With a user_id, only one that this user has made. Returns whether it was there.';
