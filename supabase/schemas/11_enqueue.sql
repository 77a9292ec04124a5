-- Enqueuing: one call writes any number of messages, all or none, in the caller's transaction.
--
-- Messages without a key are written as they come. Those with a key are in 11_enqueue_keyed.sql.

-- `messages` is an array of objects with the names of the columns, and `delay_ms`, `ttl_ms`,
-- `idempotency_key`, `idempotency_scope`, `dedupe`, `dedupe_window_ms`, `transport`. A field that an object leaves out gets
-- the column's default. Ids ascend in the order of the array. `checked` says that fields and numbers need no
-- check, because the bus or messenger_dispatch made them; null is messenger_enqueue_body's, which has the guard of
-- calls over HTTP. Each message that SQL dispatches would pay for a guard with a subtransaction of its own.
create function public.messenger_enqueue(
  messages jsonb, checked boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if jsonb_typeof(messages) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'messages: has to be an array';
  end if;
  -- No message is too large if all of them together are not. The size of a compressed array does not tell.
  if pg_column_size(messages) > 1048576 or pg_column_compression(messages) is not null then
    perform messenger.check_sizes(messages);
  end if;
  if not checked then
    perform messenger.check_messages(messages);
  end if;
  if checked is not null
    and current_setting('request.path', true) in ('/rpc/messenger_dispatch', '/rpc/messenger_enqueue')
  then
    return (select b from public.messenger_enqueue_body(messages) as b);
  end if;
  if messenger.sequence_behind() then
    perform messenger.mend_sequence();
  end if;
  if messenger.has_routes(messages) then
    return messenger.enqueue_routed(messages);
  end if;
  if messages @? '$[*] ? (exists(@.idempotency_key) || exists(@.dedupe_key) || exists(@.group_key))' then
    return messenger.enqueue_keyed(messages);
  end if;
  return messenger.enqueue_plain(messages);
end
$$;
comment on function public.messenger_enqueue(jsonb, boolean) is
  'Writes an array of messages, all or none, in the caller''s transaction. Returns {"ids": [...]} in their order.';

-- Reads only the fields that a message without a key can have: each further one costs time for every message.
create function messenger.enqueue_plain(p_messages jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  is_late boolean;
  number bigint;
begin
  with written as (
    insert into public.messenger_messages
      (type, payload, queue, priority, available_at, expires_at, created_at, stamps)
    select m.type,
      -- A payload that is null stays null; one that is left out is an empty object.
      coalesce(
        m.payload, case when p_messages -> (m.position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ),
      coalesce(m.queue, 'default'), coalesce(m.priority, 0::smallint),
      coalesce(m.available_at, clock + m.delay_ms * interval '1 millisecond', clock),
      clock + m.ttl_ms * interval '1 millisecond', clock, m.stamps
    from rows from (
      jsonb_to_recordset(p_messages) as (
        type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
        available_at timestamptz, ttl_ms double precision, stamps jsonb
      )
    ) with ordinality as m (
      type, payload, queue, priority, delay_ms, available_at, ttl_ms, stamps, position
    )
    returning id, expires_at <= available_at as is_late
  )
  select jsonb_build_object('ids', coalesce(array_agg(w.id::text), '{}')), bool_or(w.is_late), count(*)
  into answer, is_late, number from written w;
  if is_late then
    perform messenger.refuse_late();
  elsif number < jsonb_array_length(p_messages) then
    perform messenger.refuse_skipped('messenger_messages');
  end if;
  return answer;
end
$$;
comment on function messenger.enqueue_plain(jsonb) is
  'Part of messenger_enqueue: writes messages without idempotency, dedupe and group keys.';

-- Without the error a message would be lost, or the ids of a call would stand for other messages.
create function messenger.refuse_skipped(p_table text, p_written bigint default 0, p_wanted bigint default 1)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if (p_written < p_wanted) is not true then
    return;
  end if;
  raise sqlstate 'PT500' using
    message = format('%s: a trigger of the project has not let a row be written or deleted', p_table),
    hint = 'A BEFORE trigger that returns null skips the row. Let it return the row, or raise an error.';
end
$$;
comment on function messenger.refuse_skipped(text, bigint, bigint) is
  'Refuses a call that has written fewer rows than it wanted: a trigger of the project''s own has skipped one, or has changed its id.';

-- Messages that have all fields but their payloads in common, as those of an import. `p_call` has the array `payloads`,
-- and beside it the other fields of a message, once for all. Half the JSON is to be parsed then, and an answer of two
-- numbers stands for the ids: with 1,000 messages the call costs Postgres a sixth less.
create function messenger.enqueue_payloads(p_call jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  fields constant jsonb := p_call - 'payloads';
  plain constant text[] := array['type', 'queue', 'priority', 'delay_ms', 'available_at', 'ttl_ms', 'stamps'];
  -- Values of all rows in scalar variables: a row of fields would be read again for each message.
  shared_type text;
  shared_queue text;
  shared_priority smallint;
  shared_stamps jsonb;
  due_at timestamptz;
  ends_at timestamptz;
  ids bigint[];
begin
  if jsonb_typeof(p_call -> 'payloads') <> 'array' then
    raise sqlstate 'PT400' using message = 'payloads: has to be an array';
  end if;
  if fields - plain <> '{}' or messenger.has_routes(jsonb_build_array(fields)) then
    return public.messenger_enqueue(messenger.messages_of(p_call), true);
  end if;
  -- As in messenger_enqueue.
  if pg_column_size(p_call) > 1048576 or pg_column_compression(p_call) is not null then
    perform messenger.check_sizes(messenger.messages_of(p_call));
  end if;
  if messenger.sequence_behind() then
    perform messenger.mend_sequence();
  end if;
  select f.type, coalesce(f.queue, 'default'), coalesce(f.priority, 0::smallint),
    coalesce(f.available_at, clock + f.delay_ms * interval '1 millisecond', clock),
    clock + f.ttl_ms * interval '1 millisecond', f.stamps
  into shared_type, shared_queue, shared_priority, due_at, ends_at, shared_stamps
  from jsonb_to_record(fields) as f (
    type text, queue text, priority smallint, delay_ms double precision, available_at timestamptz,
    ttl_ms double precision, stamps jsonb
  );
  if ends_at <= due_at and p_call -> 'payloads' <> '[]' then
    perform messenger.refuse_late();
  end if;
  with written as (
    insert into public.messenger_messages
      (type, payload, queue, priority, available_at, expires_at, created_at, stamps)
    select shared_type, p.value, shared_queue, shared_priority, due_at, ends_at, clock, shared_stamps
    from jsonb_array_elements(p_call -> 'payloads') as p
    returning id
  )
  select coalesce(array_agg(w.id), '{}') into ids from written w;
  perform messenger.refuse_skipped('messenger_messages', cardinality(ids), jsonb_array_length(p_call -> 'payloads'));
  return messenger.ids_written(ids);
end
$$;
comment on function messenger.enqueue_payloads(jsonb) is
  'Part of messenger_enqueue_body: writes messages that have all fields but their payloads in common.';

create function messenger.messages_of(p_call jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(p_call - 'payloads' || jsonb_build_object('payload', p.value) order by p.place), '[]')
    from jsonb_array_elements(p_call -> 'payloads') with ordinality as p (value, place)
  );
end
$$;
comment on function messenger.messages_of(jsonb) is
  'The messages of a call of messenger.enqueue_payloads, as messenger_enqueue takes them.';

-- A session draws ids in ascending order, so that n of them are in a row if the last is the first plus n - 1.
create function messenger.ids_written(p_ids bigint[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_ids[cardinality(p_ids)] - p_ids[1] = cardinality(p_ids) - 1 then
    return jsonb_build_object(
      'ids', jsonb_build_object('first', p_ids[1]::text, 'number', cardinality(p_ids))
    );
  end if;
  return jsonb_build_object('ids', coalesce(p_ids::text[], '{}'));
end
$$;
comment on function messenger.ids_written(bigint[]) is
  'A result with ids: {"ids": {"first", "number"}} if they are in a row, as they are unless sessions write at once; {"ids": [...]} else.';

-- A value that a caller gives is not compressed yet, so that its header tells its size.
create function messenger.check_sizes(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  given record;
begin
  for given in
    select pg_column_size(m.message -> 'payload') as payload, pg_column_size(m.message -> 'stamps') as stamps
    from jsonb_array_elements(p_messages) as m (message)
    where jsonb_typeof(m.message) = 'object'
  loop
    if given.payload > messenger.max_payload_bytes() then
      raise sqlstate 'PT413' using message = format(
        'payload: has %s bytes; has to have at most %s',
        given.payload, messenger.max_payload_bytes()
      );
    end if;
    if given.stamps > 1048576 then
      raise sqlstate 'PT413' using message =
        format('stamps: has %s bytes; has to have at most 1048576', given.stamps);
    end if;
  end loop;
end
$$;
comment on function messenger.check_sizes(jsonb) is
  'Part of messenger_enqueue: refuses messages whose payload or stamps are larger than a worker can take, PT413.';

create function messenger.refuse_late() returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT400' using message =
    'ttl: ends before the message is due; it has to be longer than the delay, or end after available_at';
end
$$;
comment on function messenger.refuse_late() is
  'Part of messenger_enqueue: refuses a message whose time to live is over when it falls due. It would never run.';

-- https://docs.postgrest.org, "Raise errors with HTTP status codes". PostgREST turns texts that it cannot read into an
-- error of its own, which tells nothing of the message.
create function messenger.is_response_of_an_error(p_message text, p_detail text) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  response jsonb;
begin
  response := p_detail::jsonb;
  return coalesce(
    (response ->> 'status')::integer between 400 and 599 and jsonb_typeof(response -> 'headers') = 'object'
      and (response -> 'headers')::text !~* '"content-' and p_message::jsonb ?& '{code,message}',
    false
  );
exception when others then
  return false;
end
$$;
comment on function messenger.is_response_of_an_error(text, text) is
  'Whether PostgREST makes the response of an error of these texts, which a trigger raises with SQLSTATE PGRST.';

-- PostgREST repeats a call without end, also after its client has left, if it fails with a SQLSTATE for a conflict of
-- transactions that a trigger of a project's own raises. A deadlock that Postgres has found is left to PostgREST: a
-- repeated call passes. It is known by its detail, which names the processes; its text is in the server's language. So
-- is a session of SQL left alone, which repeats its own transaction. With SQLSTATE PTxyz and PGRST a trigger names
-- the status of the response itself: PostgREST would pass on one that is no error as the function's answer.
create function messenger.refuse_conflict(p_sqlstate text, p_message text, p_detail text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if coalesce(current_setting('request.method', true), '') = '' then
    return;
  elsif left(p_sqlstate, 2) = '40' and (p_sqlstate <> '40P01' or p_detail !~ '[0-9]') then
    raise sqlstate 'PT503' using
      message = format('the database has met another transaction: %s', p_message), detail = p_sqlstate;
  elsif p_sqlstate ~ '^PT' and p_sqlstate !~ '^PT[45][0-9][0-9]$'
    or p_sqlstate = 'PGRST' and not messenger.is_response_of_an_error(p_message, p_detail)
  then
    raise sqlstate 'PT500' using message = p_message, detail = p_sqlstate;
  end if;
end
$$;
comment on function messenger.refuse_conflict(text, text, text) is
  'Part of calls over HTTP: raises PT503 in place of a conflict of transactions, which PostgREST would repeat without end, and PT500 in place of a code that PostgREST would take for a status of success.';

-- The end of a call over HTTP. A deferred trigger of a project's own would run at the commit, where no function can
-- turn its error into another. In a call of another function, which ends later, it stays deferred.
create function messenger.check_deferred(p_function text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if starts_with(current_setting('request.path', true), '/rpc/' || p_function) and pg_trigger_depth() = 0 then
    set constraints all immediate;
  end if;
end
$$;
comment on function messenger.check_deferred(text) is
  'Part of calls over HTTP: where the call is one of this function, or of one whose name begins so, runs deferred triggers before it ends, so that messenger.refuse_conflict() sees their errors.';

-- The call over HTTP. PostgREST passes the whole body to a single parameter without a name. A parameter with a
-- name has to be taken out of the body first, which costs 1 us a message. PostgREST passes a set of one row on as
-- it is, and would read through a single value once more.
create function public.messenger_enqueue_body(jsonb) returns setof jsonb
language plpgsql
rows 1
set search_path = ''
as $$
declare
  -- Postgres keeps no array of 256 MiB, and time runs out before that.
  max_bytes constant integer := 67108864;
  fault_detail text;
begin
  if pg_column_size($1) > max_bytes then
    raise sqlstate 'PT413' using message = format(
      'messages: have %s bytes together; a call takes at most %s, give them in several calls',
      pg_column_size($1), max_bytes
    );
  end if;
  if jsonb_typeof($1) = 'object' and $1 ? 'payloads' then
    return next messenger.enqueue_payloads($1);
  else
    return next public.messenger_enqueue($1, null);
  end if;
  -- As messenger.check_deferred(), whose call costs 10 us.
  if current_setting('request.path', true) ~ '^/rpc/messenger_(enqueue|dispatch)' and pg_trigger_depth() = 0 then
    set constraints all immediate;
  end if;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  -- The bus has made the messages. Those of another caller may be anything, and this names the field.
  if sqlstate ~ '^2[23]' then
    perform messenger.check_messages(
      case when jsonb_typeof($1) = 'object' and $1 ? 'payloads' then messenger.messages_of($1) else $1 end
    );
  end if;
  raise;
end
$$;

comment on function public.messenger_enqueue_body(jsonb) is
  'messenger_enqueue for calls over HTTP: the whole body is the array of messages, of at most 64 MiB (PT413); or {"payloads": [...]} with the fields that all messages have in common. Returns a set of one {"ids": [...]}; for payloads it may be {"ids": {"first", "number"}}, ids in a row.';
