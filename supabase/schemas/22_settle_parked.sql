-- Parked messages: the outcome of a run that ended before its handler did, to continue later in another run. A
-- parked message sleeps, waits for an event, or has a step that did not fit into its run.

-- A message sleeps or waits for one thing at a time. One that is pending besides is of a handler that was changed since,
-- and left it out.
create function messenger.forget_left_out(p_parked jsonb, p_settled bigint[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.messenger_steps s
  using jsonb_to_recordset(p_parked) as g (id bigint, step jsonb)
  where s.message_id = g.id and g.id = any (p_settled) and g.step is not null
    and s.status = 'pending' and s.kind in ('sleep', 'wait')
    and (s.handler, s.name, s.key, s.nth) is distinct from (
      g.step ->> 'handler', g.step ->> 'name', coalesce(g.step ->> 'key', ''), coalesce((g.step ->> 'nth')::integer, 1)
    );
end
$$;
comment on function messenger.forget_left_out(jsonb, bigint[]) is
  'Part of messenger_settle: deletes sleeps and waits of parked messages that another than their present step has left pending. p_settled are the ids that were settled as parked.';

-- `parked` is an array of {id, delay_ms | null, step?, waits?, leave_group?, stamps?}. The message is due after delay_ms, or,
-- if that is null, when its step ends: the one that is given, or else the one that is stored. `step` is written with
-- it: {handler, name, key, nth, kind, details?, until | until_ms}; a step that is there already keeps its row,
-- and takes the details. With `waits`, keys of events, the message is due as soon as one of them is there.
create function messenger.settle_parked(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settled bigint[];
  lanes text[];
begin
  with given_parked as materialized (
    select g.*, case
      when g.step is not null
      then coalesce((g.step ->> 'until')::timestamptz, clock + (g.step ->> 'until_ms')::float8 * interval '1 ms')
    end as until
    from jsonb_to_recordset(p_settlement -> 'parked') as g (
      id bigint, delay_ms double precision, step jsonb, leave_group boolean, stamps jsonb
    )
  ),
  parked as (
    update public.messenger_messages m
    set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
      heartbeated = false, interruptions = 0, expires_at = null,
      available_at = coalesce(clock + g.delay_ms * interval '1 millisecond', g.until, (
        select min(s.until) from public.messenger_steps s
        where s.message_id = g.id and s.status = 'pending' and (
          g.step is null or (s.handler, s.name, s.key, s.nth) = (
            g.step ->> 'handler', g.step ->> 'name', coalesce(g.step ->> 'key', ''), coalesce((g.step ->> 'nth')::integer, 1)
          )
        )
      ), clock),
      group_key = case when g.leave_group is not true then m.group_key end,
      stamps = coalesce(g.stamps, m.stamps)
    from given_parked g
    where m.id = g.id and m.lease_token = p_fence and not m.cancelled
    returning m.id, m.queue, g.step, g.until
  ),
  stored as (
    insert into public.messenger_steps as s (message_id, handler, name, key, nth, kind, status, until, details)
    select p.id, p.step ->> 'handler', p.step ->> 'name', coalesce(p.step ->> 'key', ''),
      coalesce((p.step ->> 'nth')::integer, 1), p.step ->> 'kind', 'pending', p.until, p.step -> 'details'
    from parked p where p.step is not null
    on conflict on constraint messenger_steps_pkey do update
    set details = excluded.details where s.status = 'pending' and excluded.details is not null
  )
  select coalesce(array_agg(p.id), '{}'), array_agg(p.queue) filter (where strpos(p.queue, '/') > 0)
  into settled, lanes from parked p;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  perform messenger.forget_left_out(p_settlement -> 'parked', settled);
  perform messenger.note_waits(
    (p.value ->> 'id')::bigint, array(select jsonb_array_elements_text(p.value -> 'waits'))
  )
  from jsonb_array_elements(p_settlement -> 'parked') as p
  where p.value ? 'waits' and (p.value ->> 'id')::bigint = any (settled);
  return settled;
end
$$;
comment on function messenger.settle_parked(jsonb, uuid) is
  'Part of messenger_settle: lets messages wait whose run ended before their handler did, gives back the attempt, and writes the sleep or the wait that parked them. Returns their ids.';

create function messenger.forget_steps(p_settlement jsonb, p_settled bigint[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from messenger.waits w
  where w.message_id = any (p_settled) and w.message_id = any (
      array(select jsonb_array_elements_text(p_settlement -> 'durable')::bigint)
    );
  delete from public.messenger_steps s
  where s.message_id = any (p_settled) and s.message_id = any (
      array(select jsonb_array_elements_text(p_settlement -> 'durable')::bigint)
    );
end
$$;
comment on function messenger.forget_steps(jsonb, bigint[]) is
  'Part of messenger_settle: deletes the steps and waits of handled messages. p_settled are the ids that were settled as handled.';
