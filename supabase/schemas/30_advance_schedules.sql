-- Advancing: what a tick has computed for the schedules it holds is written in one transaction, the
-- messages of the runs and the schedules' new state. A schedule whose lease has moved on is left
-- alone and named as stale; an occurrence that has its run already gets no second message.

-- Part of messenger_advance_schedules: locks the schedules that are held under the token, and judges their
-- runs. One with a `reason` makes no message. `place` is the message's place among those that are made.
create or replace function messenger.judge_runs(p_token uuid, p_advances jsonb)
returns table (
  schedule_id bigint, occurrence text, run bigint, reason text, failed boolean, place bigint,
  message jsonb
)
language sql
set search_path = ''
as $$
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
  ),
  planned as (
    select h.*, o.occurrence, o.failed,
      jsonb_build_object('payload', h.payload) || coalesce(
        o.message, h.ordinary || jsonb_build_object('delay_ms', coalesce(o.delay_ms, 0))
      ) as message
    from held h
    cross join lateral jsonb_to_recordset(h.occurrences) as o (
      occurrence text, delay_ms double precision, message jsonb, failed text
    )
    where not exists (
      select from public.messenger_schedule_runs r
      where r.schedule_id = h.id and r.occurrence = o.occurrence::timestamptz
    )
  ),
  ready as (
    select p.*, coalesce(p.failed, case when p.while_paused = 'skip' then (
        select format('paused: the queue %s was paused', q.name) from public.messenger_queues q
        where q.name = coalesce(p.message ->> 'queue', 'default') and q.paused
      ) end) as hindrance
    from planned p
  ),
  judged as (
    select r.*, coalesce(r.hindrance, case
        -- Of several at once the first may run; the others would wait beside it.
        when r.overlap = 'skip' and (
          row_number() over (
            partition by r.id, r.hindrance is null order by r.occurrence::timestamptz
          ) > 1
          or exists (select from public.messenger_messages m where m.id = r.last_message_id)
        ) then 'overlap: the run before was still waiting or running'
      end) as reason
    from ready r
  ),
  numbered as (
    select j.*,
      j.run_count + row_number() over (
        partition by j.id, j.reason is null order by j.occurrence::timestamptz
      ) as number,
      row_number() over (
        partition by j.reason is null order by j.id, j.occurrence::timestamptz
      ) as place
    from judged j
  )
  select n.id, n.occurrence, n.number, n.reason, n.failed is not null,
    case when n.reason is null then n.place end,
    case when n.reason is null then n.message || jsonb_build_object(
      'stamps', coalesce(n.stamps, '{}') || coalesce(n.message -> 'stamps', '{}')
        || jsonb_build_object('schedule', jsonb_build_object(
          'id', n.id::text, 'name', n.name, 'occurrence', n.occurrence, 'run', n.number
        ))
    ) end
  from numbered n
$$;
comment on function messenger.judge_runs(uuid, jsonb) is
  'Part of messenger_advance_schedules: locks schedules, and says of each run whether it makes a message, and which, or why not.';

-- `advances` is an array of objects:
--   id               of the schedule
--   next_run_at      planned time of the next run, if there is one
--   occurrences      [{occurrence, delay_ms, message, failed}]: the runs to make now, each occurrence
--                    ISO 8601; message as messenger_enqueue takes it, without the payload where that is
--                    the schedule's; failed is why there is none
--   missed, note     {occurrence, reason}: written down as skipped
--   failing          whether its latest message was not right; null where there was none
--   put_off_ms       for how long nobody looks at it again
--   disabled_by, disabled_reason   where no run is left, or the row cannot be read
--   queue, priority, ttl_ms        of messages that are not given
create or replace function public.messenger_advance_schedules(token uuid, advances jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  runs jsonb;
  messages jsonb;
  ids jsonb;
  answer jsonb;
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if jsonb_typeof(advances) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'advances: has to be an array';
  end if;

  select jsonb_agg(to_jsonb(r) - 'message'), jsonb_agg(r.message order by r.place)
    filter (where r.place is not null)
  into runs, messages
  from messenger.judge_runs(token, advances) r;
  if messages is not null then
    ids := public.messenger_enqueue(messages) -> 'ids';
  end if;

  with given as materialized (
    select g.*, s.id is not null as is_held
    from jsonb_to_recordset(advances) as g (
      id bigint, next_run_at timestamptz, missed jsonb, note jsonb, failing boolean,
      put_off_ms double precision, disabled_by text, disabled_reason text
    )
    left join public.messenger_schedules s on s.id = g.id and s.lease_token = token
  ),
  recorded as (
    insert into public.messenger_schedule_runs
      (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at)
    select r.schedule_id, r.occurrence, case when r.place is not null then r.run end,
      (ids ->> (r.place - 1))::bigint,
      case when r.failed then 'failed' when r.place is null then 'skipped' else 'enqueued' end,
      r.reason, case when r.place is not null then clock end
    from jsonb_to_recordset(runs) as r (
      schedule_id bigint, occurrence timestamptz, run integer, reason text, failed boolean,
      place integer
    )
    union all
    select g.id, (left_out ->> 'occurrence')::timestamptz, null, null, 'skipped',
      left_out ->> 'reason', null
    from given g, unnest(array[g.missed, g.note]) as left_out
    where g.is_held and jsonb_typeof(left_out) = 'object'
    on conflict do nothing
    returning schedule_id, occurrence, message_id, outcome
  ),
  counted as (
    select r.schedule_id, count(r.message_id) as runs, max(r.message_id) as last_message_id,
      max(r.occurrence) filter (where r.message_id is not null) as last_run_at
    from recorded r
    group by r.schedule_id
  ),
  advanced as (
    update public.messenger_schedules s
    set lease_token = null,
      leased_until = clock + g.put_off_ms * interval '1 millisecond',
      failing_since = case when g.failing then coalesce(s.failing_since, clock)
        when g.failing is null then s.failing_since end,
      next_run_at = case when s.run_count + coalesce(c.runs, 0) >= s.max_runs then null
        else g.next_run_at end,
      run_count = s.run_count + coalesce(c.runs, 0),
      last_run_at = greatest(s.last_run_at, c.last_run_at),
      last_message_id = coalesce(c.last_message_id, s.last_message_id),
      enabled = g.disabled_by is null
        and coalesce(s.run_count + coalesce(c.runs, 0) < s.max_runs, true),
      disabled_by = case
        when g.disabled_by is not null then g.disabled_by
        when s.run_count + coalesce(c.runs, 0) >= s.max_runs then 'finished'
      end,
      disabled_reason = case
        when g.disabled_by is not null then g.disabled_reason
        when s.run_count + coalesce(c.runs, 0) >= s.max_runs
          then format('max_runs: it has run %s times', s.run_count + coalesce(c.runs, 0))
      end
    from given g
    left join counted c on c.schedule_id = g.id
    where g.is_held and s.id = g.id
  )
  select jsonb_build_object(
    'dispatched', (select count(r.message_id) from recorded r),
    'skipped', (select count(*) from recorded r where r.outcome = 'skipped'),
    'stale', coalesce(
      (select jsonb_agg(g.id::text order by g.id) from given g where not g.is_held), '[]'
    )
  )
  into answer;

  return answer;
end
$$;
comment on function public.messenger_advance_schedules(uuid, jsonb) is
  'Writes the runs that a tick has computed for the schedules it holds: messages, records and each schedule''s next run, in one transaction. Answers {"dispatched", "skipped", "stale": [...]}: schedules whose lease is another''s by now, for which nothing was changed.';
