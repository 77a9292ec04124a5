-- Effects: what a handler dispatches is written with the outcome of its message, in one transaction and under the
-- message's lease. An attempt that fails, or is given back, therefore leaves nothing behind, and a settle call that
-- is repeated writes nothing twice.
--
-- The handler gets the id of a dispatch at once, so ids are reserved before their messages are written. A reserved
-- id whose message is not written stays unused.
--
-- A message with an idempotency or dedupe key may have to wait for another transaction that holds the key. Here the
-- messages of the outcome are locked already, against the order of locks, and the worker's other outcomes wait for
-- the same call. So this wait is short, and a message that does not get its key in time is refused.

create function public.messenger_reserve_ids(number integer) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if number is null or number not between 1 and 1000 then
    raise sqlstate 'PT400' using message =
      format('number: has to be from 1 to 1000 (was %s)', coalesce(number::text, 'null'));
  end if;
  if messenger.sequence_behind() then
    perform messenger.mend_sequence();
  end if;
  return jsonb_build_object('ids', array(
    select nextval('public.messenger_messages_id_seq')::text from generate_series(1, number)
  ));
end
$$;
comment on function public.messenger_reserve_ids(integer) is
  'Reserves ids for messages that are written later, at most 1,000 a call. Returns {"ids": [...]}, ascending. An id that is not used is never given again.';

-- `p_messages` is an array as messenger_enqueue takes it, each with its reserved `id`.
create function messenger.enqueue_reserved(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  is_late boolean;
  number bigint;
begin
  -- No message is too large if all of them together are not. The size of a compressed array does not tell.
  if pg_column_size(p_messages) > 1048576 or pg_column_compression(p_messages) is not null then
    perform messenger.check_sizes(p_messages);
  end if;
  if messenger.has_routes(p_messages) then
    perform messenger.enqueue_routed(p_messages, true);
    return;
  end if;
  if p_messages @? '$[*] ? (exists(@.idempotency_key) || exists(@.dedupe_key) || exists(@.group_key))' then
    perform messenger.enqueue_keyed(p_messages, true);
    return;
  end if;
  with written as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, stamps)
    select m.id, m.type,
      -- A payload that is null stays null; one that is left out is an empty object.
      coalesce(
        m.payload, case when p_messages -> (m.position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ),
      coalesce(m.queue, 'default'), coalesce(m.priority, 0::smallint),
      coalesce(m.available_at, clock + m.delay_ms * interval '1 millisecond', clock),
      clock + m.ttl_ms * interval '1 millisecond', clock, m.stamps
    from rows from (
      jsonb_to_recordset(p_messages) as (
        id bigint, type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
        available_at timestamptz, ttl_ms double precision, stamps jsonb
      )
    ) with ordinality as m (
      id, type, payload, queue, priority, delay_ms, available_at, ttl_ms, stamps, position
    )
    returning expires_at <= available_at as is_late
  )
  select bool_or(w.is_late), count(*) into is_late, number from written w;
  if is_late then
    perform messenger.refuse_late();
  elsif number < jsonb_array_length(p_messages) then
    perform messenger.refuse_skipped('messenger_messages');
  end if;
end
$$;
comment on function messenger.enqueue_reserved(jsonb) is
  'Part of write_effects: messenger_enqueue for messages whose ids are reserved.';

create function messenger.has_keys(p_messages jsonb) returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(p_messages @? 
    '$[*] ? (exists(@.idempotency_key) || exists(@.dedupe_key) || @.transport != "home" && exists(@.group_key))'
  , false);
end
$$;
comment on function messenger.has_keys(jsonb) is
  'Part of write_effects: whether messages have idempotency or dedupe keys, or a group of the outbox, which other transactions may hold.';

-- A deadlock is a wait that would never end, so it is refused in the same way. Both leave as PT423: with their own
-- SQLSTATEs the whole call would be repeated, and with it the work for all other messages.
create function messenger.write_effects(
  p_id bigint, p_messages jsonb, p_emits jsonb, p_wait_ms integer default 100
) returns void
language plpgsql
set search_path = ''
as $$
declare
  lock_timeout constant text := current_setting('lock_timeout');
  emit jsonb;
begin
  if messenger.has_keys(p_messages) then
    perform set_config('lock_timeout', p_wait_ms || 'ms', true);
    begin
      perform messenger.enqueue_reserved(p_messages);
    exception when others then
      -- A lock that was not got in time, a deadlock, a conflict of snapshots.
      if left(sqlstate, 2) not in ('40', '55') then
        raise;
      end if;
      raise sqlstate 'PT423' using
        message = 'key: another transaction holds the idempotency or dedupe key of a dispatch',
        detail = format('The dispatch belongs to the outcome or a step of message %s.', p_id),
        hint = 'The attempt is retried; let transactions that dispatch with this key end sooner.';
    end;
    perform set_config('lock_timeout', lock_timeout, true);
  elsif jsonb_array_length(p_messages) > 0 then
    perform messenger.enqueue_reserved(p_messages);
  end if;
  for emit in select value from jsonb_array_elements(p_emits) loop
    perform public.messenger_emit(emit ->> 'event', nullif(emit -> 'value', 'null'));
  end loop;
end
$$;
comment on function messenger.write_effects(bigint, jsonb, jsonb, integer) is
  'Writes what the handlers of a message dispatch, in the caller''s transaction: messages with reserved ids, and events. Waits p_wait_ms at most for the key of a dispatch, and refuses it then (PT423).';

-- The effects of the messages that were settled. `p_effects` is an array of {id, messages, emits}.
create function messenger.write_settled_effects(p_effects jsonb, p_settled bigint[], p_wait_ms integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  messages jsonb;
  emits jsonb;
begin
  select jsonb_path_query_array(jsonb_agg(e.value order by e.position), '$[*].messages[*]'),
    jsonb_path_query_array(jsonb_agg(e.value order by e.position), '$[*].emits[*]')
  into messages, emits
  from jsonb_array_elements(p_effects) with ordinality as e (value, position)
  where (e.value ->> 'id')::bigint = any (p_settled);
  perform messenger.write_effects((p_effects -> 0 ->> 'id')::bigint, messages, emits, p_wait_ms);
end
$$;
comment on function messenger.write_settled_effects(jsonb, bigint[], integer) is
  'Part of messenger_settle: writes the effects of those messages that were settled.';

-- The effects of all messages are written at once. If that is refused, each message with effects is settled in a
-- savepoint of its own, so that a refusal undoes the outcome of this message alone. A call in which keys are held by
-- other transactions ends this within half a second: further messages with keys are refused untried then.
create function messenger.settle_with_effects(
  p_settlement jsonb, p_fence uuid, out settled bigint[], out refused jsonb
)
language plpgsql
set search_path = ''
as $$
declare
  effects constant jsonb := p_settlement -> 'effects';
  ends_at constant timestamptz := clock_timestamp() + interval '500 milliseconds';
  effect jsonb;
  ids bigint[];
  of_outcome boolean;
  code text;
  message text;
  detail text;
begin
  refused := '[]';
  begin
    settled := messenger.settle_token(p_settlement, p_fence);
    perform messenger.write_settled_effects(effects, settled, 100);
    return;
  exception when others then
    settled := messenger.settle_token(messenger.settlement_of(p_settlement, array(
      select e.value ->> 'id' from jsonb_array_elements(effects) as e
    ), true), p_fence);
  end;
  for effect in select value from jsonb_array_elements(effects) loop
    begin
      of_outcome := false;
      if clock_timestamp() > ends_at and messenger.has_keys(effect -> 'messages') then
        raise sqlstate 'PT423' using message = 'key: other transactions hold the keys of dispatches';
      end if;
      of_outcome := true;
      ids := messenger.settle_token(messenger.settlement_of(p_settlement, array[effect ->> 'id']), p_fence);
      of_outcome := false;
      perform messenger.write_settled_effects(jsonb_build_array(effect), ids, 10);
      settled := settled || ids;
    exception when others then
      get stacked diagnostics code = returned_sqlstate, message = message_text, detail = pg_exception_detail;
      refused := refused || jsonb_build_object(
        'id', effect ->> 'id', 'token', p_fence, 'code', code, 'message', message, 'details', detail,
        'of_outcome', of_outcome
      );
    end;
  end loop;
end
$$;
comment on function messenger.settle_with_effects(jsonb, uuid) is
  'Part of messenger_settle: writes the outcomes under one token and their effects. Returns the ids of the messages that it settled, and those that were refused, with the error: these stay leased. of_outcome: the outcome itself was refused, as by a foreign key of the project''s own, and not its effects.';

create function messenger.settlement_of(p_settlement jsonb, p_ids text[], p_others boolean default false) returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_object_agg(e.key, kept.value)
  from jsonb_each(p_settlement) as e
  cross join lateral (
    select case when jsonb_typeof(e.value) <> 'array' or e.key = 'groups' then e.value else (
      select jsonb_agg(a.value) from jsonb_array_elements(e.value) as a
      where (coalesce(a.value ->> 'id', a.value #>> '{}') = any (p_ids)) <> p_others
    ) end as value
  ) as kept
  where kept.value is not null
$$;
comment on function messenger.settlement_of(jsonb, text[], boolean) is
  'Part of messenger_settle: the part of a settlement that is about these messages, or, with p_others, about all others.';

create function messenger.effects_of(p_settlement jsonb, p_id text) returns jsonb
language sql immutable
set search_path = ''
as $$
  select coalesce(
    (
      select jsonb_build_object('effects', jsonb_agg(e.value))
      from jsonb_array_elements(p_settlement -> 'effects') as e
      where e.value ->> 'id' = p_id
      having count(*) > 0
    ),
    '{}'
  )
$$;
comment on function messenger.effects_of(jsonb, text) is
  'Part of messenger_settle: the field effects of a settlement for one message; {} if it has none.';

create function messenger.settled_in_part(p_settlements jsonb, p_settled bigint[], p_refusals jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  refused constant bigint[] := array(
    select (r.value ->> 'id')::bigint from jsonb_array_elements(p_refusals) as r
  );
begin
  return jsonb_build_object(
    'stale', messenger.settle_stale(p_settlements, p_settled || refused)::text[], 'refused', p_refusals
  );
end
$$;
comment on function messenger.settled_in_part(jsonb, bigint[], jsonb) is
  'Part of messenger_settle: its answer if the effects of some messages are refused.';
