-- Advancing: a tick has computed the next runs of the schedules that it holds. One transaction writes the messages of
-- these runs and the new state of the schedules. A schedule that another tick has leased since is left alone and
-- named as stale; an occurrence that has its run already gets no second message.

-- Returns columns and no whole rows: a whole row would be copied with its payload, which its message holds already.
create function messenger.plan_runs(p_token uuid, p_advances jsonb)
returns table (
  schedule_id bigint, name text, stamps jsonb, run_count integer, overlap text, while_paused text,
  last_message_id bigint, occurrence text, failed text, message jsonb
)
language plpgsql
set search_path = ''
as $$
begin
  return query
  with held as materialized (
    select s.*, g.occurrences, jsonb_strip_nulls(jsonb_build_object(
        'type', s.message_type, 'queue', g.queue, 'priority', g.priority, 'ttl_ms', g.ttl_ms,
        'group_key', s.group_key
      )) as ordinary
    from jsonb_to_recordset(p_advances) as g (
      id bigint, occurrences jsonb, queue text, priority smallint, ttl_ms double precision
    )
    join public.messenger_schedules s on s.id = g.id
    where s.lease_token = p_token
    order by s.id
    for update of s
  )
  select h.id, h.name, h.stamps, h.run_count, h.overlap, h.while_paused, h.last_message_id,
    o.occurrence, o.failed, jsonb_build_object('payload', h.payload) || coalesce(
      o.message, h.ordinary || jsonb_build_object('delay_ms', coalesce(o.delay_ms, 0))
    )
  from held h
  cross join lateral jsonb_to_recordset(h.occurrences) as o (
    occurrence text, delay_ms double precision, message jsonb, failed text
  )
  where not exists (
    select from public.messenger_schedule_runs r
    where r.schedule_id = h.id and r.occurrence = o.occurrence::timestamptz
  );
end
$$;
comment on function messenger.plan_runs(uuid, jsonb) is
  'Part of messenger_advance_schedules: locks the schedules that are held under the token, and returns their runs that are not recorded yet, each with its message.';

create function messenger.paused_reason(p_queue text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select format('paused: the queue %s was paused', q.name) from public.messenger_queues q
    where q.name in (coalesce(p_queue, 'default'), split_part(p_queue, '/', 1)) and q.paused
    order by q.name limit 1
  );
end
$$;
comment on function messenger.paused_reason(text) is
  'Part of messenger_advance_schedules: why a schedule that skips paused queues makes no message for this one; null if the queue is not paused.';

create function messenger.stamp_run(
  p_message jsonb, p_stamps jsonb, p_schedule_id bigint, p_name text, p_occurrence text, p_run bigint
) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_message || jsonb_build_object(
    'stamps', case when jsonb_typeof(p_stamps) = 'object' then p_stamps else '{}' end
      || coalesce(p_message -> 'stamps', '{}')
      || jsonb_build_object('schedule', jsonb_build_object(
        'id', p_schedule_id::text, 'name', p_name, 'occurrence', p_occurrence, 'run', p_run
      ))
  );
end
$$;
comment on function messenger.stamp_run(jsonb, jsonb, bigint, text, text, bigint) is
  'Part of messenger_advance_schedules and messenger_trigger_schedule: gives a message the stamps of its schedule, its own, and one that names the run.';

-- A run with a `reason` makes no message. `place` is the message's place among those that are made.
create function messenger.judge_runs(p_token uuid, p_advances jsonb)
returns table (
  schedule_id bigint, occurrence text, run bigint, reason text, failed boolean, place bigint,
  message jsonb
)
language plpgsql
set search_path = ''
as $$
begin
  return query
  with planned as (
    select p.*, p.occurrence::timestamptz as moment, coalesce(p.failed, case
        when p.while_paused = 'skip' then messenger.paused_reason(p.message ->> 'queue')
      end) as hindrance
    from messenger.plan_runs(p_token, p_advances) p
  ),
  judged as (
    select p.*, coalesce(p.hindrance, case
        -- Of several occurrences at once only the first may run; the others would overlap with it.
        when p.overlap = 'skip' and (
          row_number() over (partition by p.schedule_id, p.hindrance is null order by p.moment) > 1
          or exists (select from public.messenger_messages m where m.id = p.last_message_id)
          or messenger.is_outside(p.last_message_id)
        ) then 'overlap: the run before was still waiting or running'
      end) as why_not
    from planned p
  ),
  numbered as (
    select j.*, j.why_not is null as runs, j.run_count + row_number() over (
        partition by j.schedule_id, j.why_not is null order by j.moment
      ) as number,
      row_number() over (partition by j.why_not is null order by j.schedule_id, j.moment) as nth
    from judged j
  )
  select n.schedule_id, n.occurrence, n.number, n.why_not, n.failed is not null,
    case when n.runs then n.nth end,
    case when n.runs then
      messenger.stamp_run(n.message, n.stamps, n.schedule_id, n.name, n.occurrence, n.number)
    end
  from numbered n;
end
$$;
comment on function messenger.judge_runs(uuid, jsonb) is
  'Part of messenger_advance_schedules: locks schedules, and decides for each run whether it makes a message, and which, or why not.';

create function messenger.record_runs(
  p_token uuid, p_advances jsonb, p_runs jsonb, p_message_ids jsonb
) returns setof public.messenger_schedule_runs
language plpgsql
set search_path = ''
as $$
begin
  return query
  insert into public.messenger_schedule_runs as recorded
    (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at)
  select r.schedule_id, r.occurrence, case when r.place is not null then r.run end,
    (p_message_ids ->> (r.place - 1))::bigint,
    case when r.failed then 'failed' when r.place is null then 'skipped' else 'enqueued' end,
    r.reason, case when r.place is not null then public.messenger_now() end
  from jsonb_to_recordset(p_runs) as r (
    schedule_id bigint, occurrence timestamptz, run integer, reason text, failed boolean,
    place integer
  )
  union all
  select s.id, (left_out ->> 'occurrence')::timestamptz, null, null, 'skipped',
    left_out ->> 'reason', null
  from jsonb_to_recordset(p_advances) as g (id bigint, missed jsonb, note jsonb)
  join public.messenger_schedules s on s.id = g.id and s.lease_token = p_token
  cross join unnest(array[g.missed, g.note]) as left_out
  where jsonb_typeof(left_out) = 'object'
  on conflict do nothing
  returning recorded.*;
end
$$;
comment on function messenger.record_runs(uuid, jsonb, jsonb, jsonb) is
  'Part of messenger_advance_schedules: records the runs with their messages, and the occurrences that were missed or are noted. Returns the rows that are new.';

-- A function of its own, so that the planner's settings forbid a nested loop here alone: it would go through all runs
-- for each schedule, which took 0.12 s of a call of 1,000.
create function messenger.advances_with_runs(
  p_advances jsonb, p_recorded public.messenger_schedule_runs[]
) returns table (
  id bigint, next_run_at timestamptz, failing boolean, put_off_ms double precision, disabled_by text,
  disabled_reason text, runs bigint, last_message_id bigint, last_run_at timestamptz
)
language plpgsql
rows 100
set search_path = ''
as $$
begin
  return query
  with counted as (
    select r.schedule_id, count(r.message_id) as runs, max(r.message_id) as last_message_id,
      max(r.occurrence) filter (where r.message_id is not null) as last_run_at
    from unnest(p_recorded) r
    group by r.schedule_id
  )
  select g.*, coalesce(c.runs, 0), c.last_message_id, c.last_run_at
  from jsonb_to_recordset(p_advances) as g (
    id bigint, next_run_at timestamptz, failing boolean, put_off_ms double precision, disabled_by text,
    disabled_reason text
  )
  left join counted c on c.schedule_id = g.id;
end
$$;
comment on function messenger.advances_with_runs(jsonb, public.messenger_schedule_runs[]) is
  'Part of messenger_advance_schedules: the advances, each with the number of its schedule''s runs that were made and the last of them.';

create function messenger.write_advances(
  p_token uuid, p_advances jsonb, p_recorded public.messenger_schedule_runs[]
) returns setof bigint
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return query
  update public.messenger_schedules s
  set lease_token = null,
    leased_until = clock + g.put_off_ms * interval '1 millisecond',
    failing_since = case when g.failing then coalesce(s.failing_since, clock)
      when g.failing is null then s.failing_since end,
    next_run_at = case when s.run_count + g.runs >= s.max_runs then null else g.next_run_at end,
    run_count = s.run_count + g.runs,
    last_run_at = greatest(s.last_run_at, g.last_run_at),
    last_message_id = coalesce(g.last_message_id, s.last_message_id),
    enabled = g.disabled_by is null and coalesce(s.run_count + g.runs < s.max_runs, true),
    disabled_by = case when g.disabled_by is not null then g.disabled_by
      when s.run_count + g.runs >= s.max_runs then 'finished' end,
    disabled_reason = case when g.disabled_by is not null then g.disabled_reason
      when s.run_count + g.runs >= s.max_runs
        then format('max_runs: it has run %s times', s.run_count + g.runs) end
  from messenger.advances_with_runs(p_advances, p_recorded) as g
  where s.id = g.id and s.lease_token = p_token
  returning s.id;
end
$$;
comment on function messenger.write_advances(uuid, jsonb, public.messenger_schedule_runs[]) is
  'Part of messenger_advance_schedules: writes the next run and the new state of the schedules that are held under the token, and gives up their leases. Returns their ids.';

-- `advances` is an array of objects:
--   id               of the schedule
--   next_run_at      planned time of the next run, if there is one
--   occurrences      [{occurrence, delay_ms, message, failed}]: the runs to make now, each occurrence
--                    ISO 8601; message as messenger_enqueue takes it, without the payload where that is
--                    the schedule's; failed is why there is none
--   missed, note     {occurrence, reason}: written down as skipped
--   failing          whether its latest message was not right; null where there was none
--   put_off_ms       for how long no claim takes it again
--   disabled_by, disabled_reason   where no run is left, or the row cannot be read
--   queue, priority, ttl_ms        of messages that are not given
create function public.messenger_advance_schedules(token uuid, advances jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  runs jsonb;
  messages jsonb;
  message_ids jsonb;
  recorded public.messenger_schedule_runs[];
  written bigint[];
  fault_detail text;
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  perform messenger.check_rows(advances, 'advances');
  select jsonb_agg(to_jsonb(r) - 'message'),
    jsonb_agg(r.message order by r.place) filter (where r.place is not null)
  into runs, messages from messenger.judge_runs(token, advances) r;
  if messages is not null then
    message_ids := public.messenger_enqueue(messages) -> 'ids';
  end if;
  recorded := array(select r from messenger.record_runs(token, advances, runs, message_ids) r);
  -- Without its record, a run would be made again and again.
  perform messenger.refuse_skipped(
    'messenger_schedule_runs', (select count(r.message_id) from unnest(recorded) r), jsonb_array_length(message_ids)
  );
  written := array(select messenger.write_advances(token, advances, recorded));
  perform messenger.check_deferred('messenger_advance_schedules');
  return jsonb_build_object(
    'dispatched', (select count(r.message_id) from unnest(recorded) r),
    'skipped', (select count(*) from unnest(recorded) r where r.outcome = 'skipped'),
    'stale', (
      select coalesce(jsonb_agg(g.id::text order by g.id), '[]')
      from jsonb_to_recordset(advances) as g (id bigint)
      where not exists (select from unnest(written) as w (id) where w.id = g.id)
    )
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_shape(sqlstate, 'advances', advances, '[{
    "id!": "bigint", "next_run_at": "timestamptz", "failing": "boolean",
    "put_off_ms": "double precision 0..3155760000000", "queue": "text", "priority": "smallint",
    "ttl_ms": "double precision 0..3155760000000", "missed": {"occurrence": "timestamptz"},
    "note": {"occurrence": "timestamptz"}, "occurrences": [{
      "occurrence!": "timestamptz", "delay_ms": "double precision 0..3155760000000", "message": {}
    }]
  }]');
  raise;
end
$$;
comment on function public.messenger_advance_schedules(uuid, jsonb) is
  'Writes the runs that a tick has computed for the schedules it holds: messages, records and each schedule''s next run, in one transaction. Returns {"dispatched", "skipped", "stale": [...]}: schedules that another tick has leased since; they stay unchanged.';
