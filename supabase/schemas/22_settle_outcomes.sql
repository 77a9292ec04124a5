-- Outcomes: a function for each. It writes the outcome of the messages of one settlement that are still under its
-- token, and returns their ids. A message whose lease has moved on does not match, and stays as it is.
--
-- The parts are in plpgsql, which keeps their plans for the session. The planner settings of messenger_settle
-- hold in them. Ids come out of the JSON in a subquery or a variable, for a condition would read them for each
-- row.

-- To read the stamps of each member costs a quarter of its settle call.
create function messenger.delete_members(p_ids bigint[], p_fence uuid, p_batch text) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  settled bigint[];
  lanes text[];
begin
  with handled as (
    delete from public.messenger_messages m
    where m.id = any (p_ids) and m.lease_token = p_fence
    returning m.id, case when m.heartbeated and strpos(m.queue, '/') > 0 then m.queue end as lane
  )
  select coalesce(array_agg(h.id), '{}'), array_agg(h.lane) filter (where h.lane is not null)
  into settled, lanes from handled h;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  perform messenger.note_members_of(p_batch, cardinality(settled), false);
  return settled;
end
$$;
comment on function messenger.delete_members(bigint[], uuid, text) is
  'Part of messenger_settle: deletes handled messages of which all are members of the batch that the worker names, and notes them for it. Returns their ids.';

create function messenger.settle_handled(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := array(select jsonb_array_elements_text(p_settlement -> 'handled')::bigint);
  scheduled_ids bigint[];
  batches text[];
  settled bigint[];
  lanes text[];
begin
  if p_settlement ? 'batch' then
    settled := messenger.delete_members(ids, p_fence, p_settlement ->> 'batch');
  else
    with handled as (
      delete from public.messenger_messages m
      where m.id = any (ids) and m.lease_token = p_fence
      returning m.id, m.stamps, case when m.heartbeated and strpos(m.queue, '/') > 0 then m.queue end as lane
    )
    select coalesce(array_agg(h.id), '{}'), array_agg(h.id) filter (where h.stamps ? 'schedule'),
      array_agg(h.stamps #>> '{batch,id}') filter (where h.stamps ? 'batch'),
      array_agg(h.lane) filter (where h.lane is not null)
    into settled, scheduled_ids, batches, lanes from handled h;
  end if;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  if scheduled_ids is not null then
    perform messenger.finish_schedule_runs(scheduled_ids, 'handled');
  end if;
  if batches is not null then
    perform messenger.note_members(batches, false);
  end if;
  if p_settlement ? 'progressed' then
    delete from messenger.progress p
    where p.message_id = any (settled) and p.message_id = any (
        array(select jsonb_array_elements_text(p_settlement -> 'progressed')::bigint)
      );
  end if;
  if p_settlement ? 'durable' then
    perform messenger.forget_steps(p_settlement, settled);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_handled(jsonb, uuid) is
  'Part of messenger_settle: deletes handled messages, notes them for their schedules and batches, and deletes the progress of those that reported it and the steps of those that have some. Returns their ids.';

-- Of several unstarted messages with one key the latest has it: its payload is the latest. A transaction that has
-- dispatched with the key and is not committed has it as well. No settle waits for a user's transaction.
create function messenger.hold_key_again(p_ids bigint[]) returns boolean
language plpgsql
set search_path = ''
set lock_timeout = '10ms'
as $$
begin
  with latest as materialized (
    select distinct on (m.type, m.held_until_claim) m.id, m.type, m.held_until_claim as key
    from public.messenger_messages m where m.id = any (p_ids)
    order by m.type, m.held_until_claim, m.id desc
  )
  update public.messenger_messages m set dedupe_key = null
  where m.id = any (array(
    select o.id
    from latest l join public.messenger_messages o on o.type = l.type and o.dedupe_key = l.key
    where o.id < l.id and o.status = 'pending' and o.dedupe_until_started
    order by o.id
    for update of o skip locked
  ));
  with latest as materialized (
    select distinct on (m.type, m.held_until_claim) m.id, m.type, m.held_until_claim as key
    from public.messenger_messages m where m.id = any (p_ids)
    order by m.type, m.held_until_claim, m.id desc
  )
  update public.messenger_messages m set dedupe_key = l.key
  from latest l
  where m.id = l.id and not exists (
    select from public.messenger_messages o where o.type = l.type and o.dedupe_key = l.key
  );
  return true;
exception when unique_violation or lock_not_available then
  return false;
end
$$;
comment on function messenger.hold_key_again(bigint[]) is
  'Part of messenger_settle: gives messages that were not started the dedupe keys that their claim took, unless others have them by now. False if one of the keys is being taken: then all is as before.';

-- One key that is being taken keeps no message from the others'.
create function messenger.hold_keys_again(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  ends_at constant timestamptz := clock_timestamp() + interval '200 milliseconds';
  one bigint;
begin
  if messenger.hold_key_again(p_ids) then
    return;
  end if;
  foreach one in array array(select unnest(p_ids) order by 1 desc) loop
    exit when clock_timestamp() > ends_at;
    perform messenger.hold_key_again(array[one]);
  end loop;
end
$$;
comment on function messenger.hold_keys_again(bigint[]) is
  'Part of messenger_settle: as messenger.hold_key_again(), one by one if that fails for all, for 0.2 s.';

create function messenger.settle_released(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  settled bigint[];
  keyed bigint[];
  lanes text[];
begin
  with released as (
    update public.messenger_messages m
    set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
      heartbeated = false
    where m.id = any (
        array(select jsonb_array_elements_text(p_settlement -> 'released')::bigint order by 1)
      )
      and m.lease_token = p_fence and not m.cancelled
    returning m.id, m.queue, m.held_until_claim
  )
  select coalesce(array_agg(r.id), '{}'), array_agg(r.id) filter (where r.held_until_claim is not null),
    array_agg(r.queue) filter (where strpos(r.queue, '/') > 0)
  into settled, keyed, lanes from released r;
  if keyed is not null then
    perform messenger.hold_keys_again(keyed);
  end if;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_released(jsonb, uuid) is
  'Part of messenger_settle: gives back messages that were not started, and the attempt with them. Returns their ids.';

create function messenger.settle_snoozed(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settled bigint[];
  lanes text[];
begin
  with snoozed as (
    update public.messenger_messages m
    set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
      heartbeated = false, available_at = clock + g.delay_ms * interval '1 millisecond',
      snoozes = least(m.snoozes, 2147483646) + 1, interruptions = 0, stamps = coalesce(g.stamps, m.stamps)
    from jsonb_to_recordset(p_settlement -> 'snoozed') as g (
      id bigint, delay_ms double precision, stamps jsonb
    )
    where m.id = g.id and m.lease_token = p_fence and not m.cancelled
    returning m.id, m.queue
  )
  select coalesce(array_agg(s.id), '{}'), array_agg(s.queue) filter (where strpos(s.queue, '/') > 0)
  into settled, lanes from snoozed s;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_snoozed(jsonb, uuid) is
  'Part of messenger_settle: lets messages wait whose handlers asked for a later run, and gives back the attempt. Returns their ids.';

create function messenger.stamps_object(p_stamps jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return case jsonb_typeof(p_stamps) when 'object' then p_stamps else '{}' end;
end
$$;
comment on function messenger.stamps_object(jsonb) is
  'Stamps as an object: those that a user''s SQL has written may be anything else, and mean nothing then.';

create function messenger.settle_retried(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settled bigint[];
  lanes text[];
begin
  with given_retries as materialized (
    select * from jsonb_to_recordset(p_settlement -> 'retries') as g (
      id bigint, delay_ms double precision, retry_count bigint, quarantined boolean,
      interrupted boolean, stamps jsonb, errors jsonb, ended text
    )
  ),
  retried as (
    update public.messenger_messages m
    set status = 'pending', lease_token = null, leased_until = null, heartbeated = false,
      available_at = clock + g.delay_ms * interval '1 millisecond',
      retry_count = case when g.ended is null then least(g.retry_count, 2147483647) else m.retry_count end,
      expires_at = case when g.ended is null then m.expires_at end,
      quarantined = m.quarantined or coalesce(g.quarantined, false),
      attempts = greatest(m.attempts, -2147483647) - coalesce(g.interrupted, false)::integer,
      interruptions = case when g.interrupted then least(m.interruptions, 2147483646) + 1 else 0 end,
      stamps = case when g.ended is null then coalesce(g.stamps, m.stamps)
        else messenger.stamps_object(coalesce(g.stamps, m.stamps)) || jsonb_build_object('ended', g.ended) end,
      errors = messenger.append_errors(m.errors, g.errors)
    from given_retries g
    where m.id = g.id and m.lease_token = p_fence and not m.cancelled
    returning m.id, m.queue
  )
  select coalesce(array_agg(r.id), '{}'), array_agg(r.queue) filter (where strpos(r.queue, '/') > 0)
  into settled, lanes from retried r;
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_retried(jsonb, uuid) is
  'Part of messenger_settle: lets messages wait for their retry, with their errors. Returns their ids.';

create function messenger.end_dead(
  p_ids bigint[], p_scheduled_ids bigint[], p_reasons text[], p_batches text[], p_cancelled jsonb
) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from messenger.waits w where w.message_id = any (p_ids);
  delete from messenger.cancel_notes n where n.message_id = any (p_ids);
  if p_scheduled_ids is not null then
    perform messenger.finish_schedule_runs(p_scheduled_ids, 'failed', p_reasons);
  end if;
  if p_batches is not null then
    perform messenger.note_members(p_batches, true);
  end if;
  if p_cancelled is not null then
    perform messenger.after_cancels(p_cancelled);
  end if;
end
$$;
comment on function messenger.end_dead(bigint[], bigint[], text[], text[], jsonb) is
  'Part of messenger.settle_dead(): ends what waits for the messages that died: events, notes of cancels, runs of schedules, batches, the message of a cancel.';

create function messenger.settle_dead(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  scheduled_ids bigint[];
  reasons text[];
  batches text[];
  cancelled jsonb;
  settled bigint[];
  lanes text[];
  number bigint;
begin
  with given_dead as materialized (
    select * from jsonb_to_recordset(p_settlement -> 'dead') as g (
      id bigint, reason text, stamps jsonb, errors jsonb
    )
  ),
  gone as (
    delete from public.messenger_messages m
    using given_dead g
    where m.id = g.id and m.lease_token is not distinct from p_fence
    returning m.*, g.reason, coalesce(g.stamps, m.stamps) as last_stamps,
      messenger.append_errors(m.errors, g.errors) as all_errors
  ),
  buried as (
    insert into public.messenger_failed_messages (
      id, type, payload, queue, priority, reason, error, errors, retry_count, attempts,
      redriven, group_key, stamps, created_at, failed_at
    )
    select messenger.free_id(g.id), g.type, g.payload, g.queue, g.priority, g.reason,
      g.all_errors -> -1 ->> 'message', g.all_errors, g.retry_count, g.attempts,
      -- A stamp may come from the user's own SQL, so that it may hold anything.
      case
        when g.last_stamps ->> 'redriven' ~ '^[0-9]{1,9}$'
        then (g.last_stamps ->> 'redriven')::integer else 0
      end,
      g.group_key, g.last_stamps, g.created_at, clock
    from gone g
    returning id
  )
  select coalesce(array_agg(g.id), '{}'),
    array_agg(g.id) filter (where g.last_stamps ? 'schedule'),
    array_agg(g.reason) filter (where g.last_stamps ? 'schedule'),
    array_agg(g.last_stamps #>> '{batch,id}') filter (where g.last_stamps ? 'batch'),
    jsonb_agg(jsonb_build_object('id', g.id, 'message', g.last_stamps -> 'onCancelled'))
      filter (where g.reason = 'cancelled' and g.last_stamps ?| '{onCancelled,durable}'),
    array_agg(g.queue) filter (where g.heartbeated and strpos(g.queue, '/') > 0),
    (select count(*) from buried)
  into settled, scheduled_ids, reasons, batches, cancelled, lanes, number from gone g;
  perform messenger.refuse_skipped('messenger_failed_messages', number, cardinality(settled));
  perform messenger.end_dead(settled, scheduled_ids, reasons, batches, cancelled);
  if lanes is not null then
    perform messenger.note_lanes(lanes);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_dead(jsonb, uuid) is
  'Part of messenger_settle: moves messages to the dead letters, with their reasons and errors. Returns their ids.';

-- A history has at most 100 entries and some 64 KB: the first error stays, and the latest errors as far as they
-- fit. An entry of more than a quarter of that, which no worker writes, keeps the fields that tell most.
create function messenger.bound_errors(p_errors jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  most constant integer := 65536;
  first jsonb;
  latest jsonb := '[]'::jsonb;
  entry jsonb;
  size integer := 0;
begin
  for entry in
    select case
      when pg_column_size(e.value) <= most / 4 then e.value
      else jsonb_build_object(
        'message', left(coalesce(e.value ->> 'message', e.value::text), 2000),
        'class', left(e.value ->> 'class', 200), 'code', left(e.value ->> 'code', 200),
        'attempt', left(e.value ->> 'attempt', 20), 'at', left(e.value ->> 'at', 40)
      )
    end
    from jsonb_array_elements(p_errors) with ordinality as e (value, position)
    order by e.position = 1 desc, e.position desc
    limit 100
  loop
    size := size + pg_column_size(entry);
    exit when size > most;
    if first is null then
      first := entry;
    else
      latest := jsonb_build_array(entry) || latest;
    end if;
  end loop;
  return jsonb_build_array(first) || latest;
end
$$;
comment on function messenger.bound_errors(jsonb) is
  'Bounds a history: the first error, and as many of the latest as fit into 100 entries and 64 KB.';

-- The column may hold any JSON, for an operator can edit it: a value that is no array counts as one error.
-- Postgres plans a function in SQL at each call that it does not inline, so this one is in plpgsql.
create function messenger.append_errors(p_history jsonb, p_latest jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  errors constant jsonb := case
      when jsonb_typeof(p_history) = 'array' then p_history
      when p_history is null or p_history = 'null' then '[]'
      else jsonb_build_array(p_history)
    end
    || case when jsonb_typeof(p_latest) = 'array' then p_latest else '[]' end;
begin
  if jsonb_array_length(errors) <= 100 and pg_column_size(errors) <= 65536 then
    return errors;
  end if;
  return messenger.bound_errors(errors);
end
$$;
comment on function messenger.append_errors(jsonb, jsonb) is
  'Adds errors to a message''s history and bounds it.';
