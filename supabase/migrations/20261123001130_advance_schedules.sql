-- Advancing: what a tick has computed for the schedules it holds is written in one transaction, the
-- messages of the runs and the schedules' new state. A schedule whose lease has moved on is left
-- alone and named as stale; an occurrence that has its run already gets no second message.

-- `advances` is an array of objects:
--   id               of the schedule
--   next_run_at      planned time of the next run, if there is one
--   occurrences      [{occurrence, delay_ms}]: the runs to make now, each occurrence ISO 8601
--   missed, note     {occurrence, reason}: written down as skipped
--   disabled_by, disabled_reason   where no run is left, or the row cannot be read
--   queue, priority, ttl_ms        of the messages
create or replace function public.messenger_advance_schedules(token uuid, advances jsonb)
returns jsonb
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if jsonb_typeof(advances) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'advances: has to be an array';
  end if;

  with given as materialized (
    select * from jsonb_to_recordset(advances) as g (
      id bigint, next_run_at timestamptz, occurrences jsonb, missed jsonb, note jsonb, disabled_by text,
      disabled_reason text, queue text, priority smallint, ttl_ms double precision
    )
  ),
  held as materialized (
    select g.*, s.name, s.message_type, s.payload, s.stamps, s.group_key, s.overlap, s.run_count,
      s.last_message_id
    from given g
    join public.messenger_schedules s on s.id = g.id
    where s.lease_token = token
    order by s.id
    for update of s
  ),
  planned as (
    select h.id, o.occurrence, o.delay_ms, h.run_count,
      -- Of several at once the first may run; the others would wait beside it.
      h.overlap = 'skip' and (
        row_number() over (partition by h.id order by o.occurrence::timestamptz) > 1
        or exists (select from public.messenger_messages m where m.id = h.last_message_id)
      ) as overlaps
    from held h
    cross join lateral jsonb_to_recordset(h.occurrences) as o (
      occurrence text, delay_ms double precision
    )
    where not exists (
      select from public.messenger_schedule_runs r
      where r.schedule_id = h.id and r.occurrence = o.occurrence::timestamptz
    )
  ),
  numbered as materialized (
    select p.*,
      p.run_count + row_number() over (
        partition by p.id, p.overlaps order by p.occurrence::timestamptz
      ) as run,
      case when not p.overlaps then nextval('public.messenger_messages_id_seq') end as message_id
    from planned p
  ),
  recorded as (
    insert into public.messenger_schedule_runs
      (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at)
    select n.id, n.occurrence::timestamptz,
      case when not n.overlaps then n.run end,
      n.message_id,
      case when n.overlaps then 'skipped' else 'enqueued' end,
      case when n.overlaps then 'overlap: the run before was still waiting or running' end,
      case when not n.overlaps then clock end
    from numbered n
    union all
    select h.id, (left_out ->> 'occurrence')::timestamptz, null, null, 'skipped',
      left_out ->> 'reason', null
    from held h, unnest(array[h.missed, h.note]) as left_out
    where jsonb_typeof(left_out) = 'object'
    on conflict do nothing
    returning schedule_id, occurrence, message_id
  ),
  dispatched as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, stamps)
    select n.message_id, h.message_type, h.payload, coalesce(h.queue, 'default'),
      coalesce(h.priority, 0::smallint),
      clock + coalesce(n.delay_ms, 0) * interval '1 millisecond',
      clock + h.ttl_ms * interval '1 millisecond',
      clock, h.group_key,
      coalesce(h.stamps, '{}') || jsonb_build_object('schedule', jsonb_build_object(
        'id', h.id::text, 'name', h.name, 'occurrence', n.occurrence, 'run', n.run
      ))
    from recorded r
    join numbered n on n.message_id = r.message_id
    join held h on h.id = n.id
    order by n.message_id
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
      leased_until = null,
      next_run_at = case when s.run_count + coalesce(c.runs, 0) >= s.max_runs then null
        else h.next_run_at end,
      run_count = s.run_count + coalesce(c.runs, 0),
      last_run_at = greatest(s.last_run_at, c.last_run_at),
      last_message_id = coalesce(c.last_message_id, s.last_message_id),
      enabled = h.disabled_by is null
        and coalesce(s.run_count + coalesce(c.runs, 0) < s.max_runs, true),
      disabled_by = case
        when h.disabled_by is not null then h.disabled_by
        when s.run_count + coalesce(c.runs, 0) >= s.max_runs then 'finished'
      end,
      disabled_reason = case
        when h.disabled_by is not null then h.disabled_reason
        when s.run_count + coalesce(c.runs, 0) >= s.max_runs
          then format('max_runs: it has run %s times', s.run_count + coalesce(c.runs, 0))
      end
    from held h
    left join counted c on c.schedule_id = h.id
    where s.id = h.id
  )
  select jsonb_build_object(
    'dispatched', (select count(r.message_id) from recorded r),
    'skipped', (select count(*) from recorded r where r.message_id is null),
    'stale', coalesce(
      (
        select jsonb_agg(g.id::text order by g.id) from given g
        where not exists (select from held h where h.id = g.id)
      ),
      '[]'
    )
  )
  into answer;

  return answer;
end
$$;
comment on function public.messenger_advance_schedules(uuid, jsonb) is
  'Writes the runs that a tick has computed for the schedules it holds: messages, records and each schedule''s next run, in one transaction. Answers {"dispatched", "skipped", "stale": [...]}: schedules whose lease is another''s by now, for which nothing was changed.';

revoke execute on function public.messenger_advance_schedules(uuid, jsonb)
from public, anon, authenticated;
grant execute on function public.messenger_advance_schedules(uuid, jsonb) to service_role;
