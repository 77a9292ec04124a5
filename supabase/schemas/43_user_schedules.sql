-- Users show and change the schedules that they made, over HTTP. The functions that list and remove them are among
-- those that operate schedules.

-- A caller checks a change against the whole schedule, which another change may alter meanwhile. The text names what
-- the caller has seen. It is a hash, for a definition has megabytes, and no payload can forge a hash of this kind.
create function messenger.schedule_seen(p_schedule public.messenger_schedules) returns text
language sql stable
set search_path = ''
as $$
  select encode(
    sha256(convert_to(messenger.schedule_definition(p_schedule)::text, 'UTF8')), 'hex'
  )
$$;
comment on function messenger.schedule_seen(public.messenger_schedules) is
  'SHA-256 of a schedule''s definition in hex, which tells whether the schedule has changed since a caller has read it.';

create function public.messenger_show_user_schedule(user_id text, id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'schedule', to_jsonb(s) - '{lease_token,leased_until}'::text[]
      || jsonb_build_object('id', s.id::text),
    'seen', messenger.schedule_seen(s), 'now', public.messenger_now()
  )
  from public.messenger_schedules s
  where s.id = messenger_show_user_schedule.id
    and s.stamps -> 'user' ->> 'id' = messenger_show_user_schedule.user_id
$$;
comment on function public.messenger_show_user_schedule(text, bigint) is
  'A schedule that a user has made, with its payload and stamps. Returns {"schedule", "seen", "now"}; "seen" is a hash of its definition for messenger_change_user_schedule. Null for an unknown id, and for a schedule of another user.';

-- A user does not resume what an operator has paused: a pause of theirs has a reason of its own.
create function messenger.switch_schedule(p_id bigint, p_enabled boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  own_pause constant text := 'paused by its user';
  known record;
begin
  select s.enabled, s.disabled_by, s.disabled_reason into known
  from public.messenger_schedules s where s.id = p_id;
  if p_enabled is null or p_enabled = known.enabled then
    return;
  end if;
  if p_enabled and known.disabled_by = 'finished' then
    raise sqlstate 'PT409'
      using message = 'enabled: the schedule is finished; change its times or maxRuns';
  end if;
  if p_enabled and known.disabled_by <> 'invalid' and known.disabled_reason is distinct from own_pause then
    raise sqlstate 'PT409' using message = 'enabled: an operator has stopped the schedule';
  end if;
  update public.messenger_schedules s
  set enabled = p_enabled,
    disabled_by = case when not p_enabled then 'pause' end,
    disabled_reason = case when not p_enabled then own_pause end
  where s.id = p_id;
end
$$;
comment on function messenger.switch_schedule(bigint, boolean) is
  'Part of messenger_change_user_schedule: pauses or resumes a schedule for its user; null leaves it as it is. Raises PT409 if it is finished, or an operator has paused it, and it shall be resumed.';

-- A change enables a schedule that ended by itself, for it may have runs again. Without a change of its times it has
-- none, which the next tick would find: until then its user would see it enabled, without a next run.
create function messenger.keep_finished(p_known public.messenger_schedules, p_change jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_known.disabled_by = 'finished' and not p_change ?| array[
    'schedule_type', 'cron', 'interval_ms', 'run_at', 'timezone', 'start_at', 'end_at', 'max_runs'
  ] then
    update public.messenger_schedules s
    set enabled = false, disabled_by = 'finished', disabled_reason = p_known.disabled_reason
    where s.id = p_known.id and s.enabled;
  end if;
end
$$;
comment on function messenger.keep_finished(public.messenger_schedules, jsonb) is
  'Part of messenger_change_user_schedule: keeps a finished schedule disabled, unless the change has one of its times or its max_runs.';

-- Takes its locks in the order of all: the quota, the rate limits, the schedule.
create function public.messenger_change_user_schedule(
  user_id text,
  id bigint,
  change jsonb default null,
  seen text default null,
  enabled boolean default null,
  limits jsonb default '[]',
  max_schedules integer default 100
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
  fault_detail text;
begin
  perform messenger.lock_schedule_quota(user_id);
  perform messenger.count_dispatches(limits);
  select * into known from public.messenger_schedules s
  where s.id = messenger_change_user_schedule.id
    and s.stamps -> 'user' ->> 'id' = messenger_change_user_schedule.user_id
  for update;
  if known.id is null then
    raise sqlstate 'PT404' using message = 'id: there is no schedule of yours with this id';
  end if;
  if change is not null then
    if seen is distinct from messenger.schedule_seen(known) then
      raise sqlstate 'PT409' using
        message = 'schedule: has changed meanwhile; try again', detail = 'stale';
    end if;
    perform public.messenger_save_schedules(
      jsonb_build_array(change || jsonb_build_object('id', known.id))
    );
    perform messenger.keep_finished(known, change);
  end if;
  perform messenger.switch_schedule(known.id, enabled);
  -- One that was finished did not count.
  if known.disabled_by = 'finished' then
    perform messenger.check_schedule_quota(user_id, 0, max_schedules);
  end if;
  perform messenger.check_deferred('messenger_change_user_schedule');
  return public.messenger_show_user_schedule(user_id, known.id) -> 'schedule';
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_change_user_schedule(
  text, bigint, jsonb, text, boolean, jsonb, integer
) is
  'Changes a schedule that a user has made, within rate limits and the number of schedules that a user may have, and returns it. "change" has columns as messenger_save_schedules takes them, and "seen" is the hash that messenger_show_user_schedule returned: PT409 with the detail stale if the schedule was changed since. "enabled" pauses or resumes it. Changes all that is given, or raises an error and changes nothing.';
