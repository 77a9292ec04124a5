-- Writing a batch: its chunks, each in one call and one transaction.

-- A fold that cannot dispatch what is due would fail at each attempt, and the batch would never end.
create function messenger.check_callback(p_field text, p_message jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  known constant text[] := array[
    'type', 'payload', 'queue', 'priority', 'delay_ms', 'ttl_ms', 'group_key', 'stamps', 'transport'
  ];
  -- The fold adds the stamp ofBatch.
  most_stamps constant integer := 1044480;
  wrong text;
begin
  select f into wrong from jsonb_object_keys(p_message) as f where f <> all (known) limit 1;
  if wrong is not null then
    raise sqlstate 'PT400' using message = format(
      '%s: %s: is not known; the message has %s', p_field, wrong, array_to_string(known, ', ')
    );
  end if;
  wrong := messenger.message_fault(p_message);
  if wrong is not null then
    raise sqlstate 'PT400' using message = format('%s: %s', p_field, wrong);
  end if;
  perform messenger.check_json(p_message, p_field);
  wrong := case
    when pg_column_size(p_message -> 'payload') > messenger.max_payload_bytes() then format(
      'payload: has %s bytes; has to have at most %s', pg_column_size(p_message -> 'payload'), messenger.max_payload_bytes()
    )
    when pg_column_size(p_message -> 'stamps') > most_stamps then format(
      'stamps: has %s bytes; has to have at most %s', pg_column_size(p_message -> 'stamps'), most_stamps
    )
  end;
  if wrong is not null then
    raise sqlstate 'PT413' using message = format('%s: %s', p_field, wrong);
  end if;
end
$$;
comment on function messenger.check_callback(text, jsonb) is
  'Part of messenger_write_batch: refuses a message that a batch could not dispatch at its end, and names the field.';

-- Fields that only the bus gives. A cast of a wrong one would fail without its name.
create function messenger.batch_fault(p_batch jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when jsonb_typeof(p_batch -> 'live') not in ('boolean', 'null') then 'live: has to be true or false'
    when jsonb_typeof(p_batch -> 'keeps_results') not in ('boolean', 'null')
      then 'keeps_results: has to be true or false'
    when jsonb_typeof(p_batch -> 'user_id') not in ('string', 'null')
      or length(p_batch ->> 'user_id') not between 1 and 255 then 'user_id: has to be 1 to 255 characters'
    when p_batch ->> 'parent_id' !~ '^\d{1,18}$' then 'parent_id: has to be the id of a message'
    when p_batch ->> 'call' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then 'call: has to be a UUID'
  end;
end
$$;
comment on function messenger.batch_fault(jsonb) is
  'Part of messenger_write_batch: the first of the bus''s own fields of a batch that is wrong, and what is wrong with it; null if none is.';

create function messenger.check_batch(p_batch jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  known constant text[] := array[
    'name', 'idempotency_key', 'idempotency_scope', 'user_id', 'live', 'parent_id', 'keeps_results',
    'on_finished', 'on_succeeded', 'on_failed', 'call'
  ];
  field text;
  wrong text;
begin
  if jsonb_typeof(p_batch) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'batch: has to be an object';
  end if;
  select f into wrong from jsonb_object_keys(p_batch) as f where f <> all (known) limit 1;
  if wrong is not null then
    raise sqlstate 'PT400' using message =
      format('%s: is not known; a batch has %s', wrong, array_to_string(known, ', '));
  end if;
  foreach field in array array['name', 'idempotency_key', 'idempotency_scope'] loop
    continue when p_batch ->> field is null and field <> 'name' or field = 'idempotency_scope' and p_batch ->> field = '';
    if jsonb_typeof(p_batch -> field) is distinct from 'string' or length(p_batch ->> field) not between 1 and 255 then
      raise sqlstate 'PT400' using message = format('%s: has to be 1 to 255 characters', field);
    end if;
  end loop;
  wrong := messenger.batch_fault(p_batch);
  if wrong is not null then
    raise sqlstate 'PT400' using message = wrong;
  end if;
  foreach field in array array['on_finished', 'on_succeeded', 'on_failed'] loop
    continue when coalesce(p_batch -> field, 'null') = 'null';
    if jsonb_typeof(p_batch -> field) <> 'object' then
      raise sqlstate 'PT400' using message = format('%s: has to be a message, {"type", "payload"}', field);
    end if;
    perform messenger.check_callback(field, p_batch -> field);
  end loop;
end
$$;
comment on function messenger.check_batch(jsonb) is
  'Part of messenger_write_batch: refuses a batch with a wrong field, and names it.';

create function messenger.check_chunk(p_batch jsonb, p_messages jsonb, p_chunk integer, p_is_last boolean) returns void
language plpgsql
set search_path = ''
as $$
begin
  if jsonb_typeof(p_messages) is distinct from 'array' or jsonb_array_length(p_messages) > 1000 then
    raise sqlstate 'PT400' using message = 'messages: has to be an array of at most 1000 messages';
  end if;
  if (p_chunk between 1 and 1000000) is not true or p_is_last is null then
    raise sqlstate 'PT400' using message = 'chunk: has to be from 1 to 1000000, and is_last true or false';
  end if;
  if p_batch ->> 'idempotency_key' is null and (p_chunk > 1 or not p_is_last) then
    raise sqlstate 'PT400' using message = 'idempotency_key: is required for a batch of several chunks';
  end if;
end
$$;
comment on function messenger.check_chunk(jsonb, jsonb, integer, boolean) is
  'Part of messenger_write_batch: refuses a chunk that is none.';

-- Locks the batch of the key, or makes one. A key is held while its batch is not sealed, and for 24 hours after. A
-- batch with `call`, the UUID of one call, has a key made of its content: once it is sealed, only that call finds it.
create function messenger.open_batch(p_batch jsonb) returns public.messenger_batches
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  scope constant text := coalesce(p_batch ->> 'idempotency_scope', '');
  key constant text := p_batch ->> 'idempotency_key';
  hash constant bigint := messenger.content_hash(p_batch - '{live,user_id,call}'::text[]);
  batch public.messenger_batches;
begin
  for try in 1..3 loop
    insert into public.messenger_batches (
      name, idempotency_scope, idempotency_key, content_hash, user_id, live, parent_id, keeps_results, created_at,
      on_finished, on_succeeded, on_failed
    )
    values (
      p_batch ->> 'name', scope, key, hash, p_batch ->> 'user_id', coalesce((p_batch ->> 'live')::boolean, false),
      (p_batch ->> 'parent_id')::bigint, coalesce((p_batch ->> 'keeps_results')::boolean, false), clock,
      nullif(p_batch -> 'on_finished', 'null'), nullif(p_batch -> 'on_succeeded', 'null'),
      nullif(p_batch -> 'on_failed', 'null')
    )
    on conflict (idempotency_scope, idempotency_key) where idempotency_key is not null do nothing
    returning * into batch;
    if not found then
      select * into batch from public.messenger_batches b
      where b.idempotency_scope = scope and b.idempotency_key = key
      for update;
      if try = 3 and not found then
        perform messenger.refuse_skipped('messenger_batches');
      end if;
      continue when not found;
      -- The children of ctx.all are found for as long as their batch is there: a redrive may come late.
      if batch.key_until <= clock and batch.parent_id is null or p_batch ? 'call' and batch.sealed_at is not null
        and batch.sealed_by is distinct from (p_batch ->> 'call')::uuid
      then
        update public.messenger_batches b set idempotency_key = null where b.id = batch.id;
        continue;
      end if;
      if batch.content_hash <> hash then
        perform messenger.refuse_other_batch();
      end if;
    end if;
    return batch;
  end loop;
  raise sqlstate 'PT503' using message = 'idempotency_key: another call changes its batch; try again';
end
$$;
comment on function messenger.open_batch(jsonb) is
  'Part of messenger_write_batch: locks the batch that has the idempotency key, or makes it, and returns it.';

create function messenger.refuse_other_batch() returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using message = 'idempotency_key: stands for a batch with other content, which is not sealed '
    'or was sealed within 24 hours; repeat that one unchanged, or give another key';
end
$$;
comment on function messenger.refuse_other_batch() is
  'Part of messenger_write_batch: refuses other content under the idempotency key of a batch.';

-- A message that is there already under a key of its own is no member: only rows with the batch's stamp are counted. One
-- of an earlier chunk is counted with that one: its place lies before this chunk's.
create function messenger.write_chunk(
  p_batch public.messenger_batches, p_chunk integer, p_messages jsonb, p_hash bigint, p_checked boolean
) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- A chunk of fewer than 1,000 messages leaves numbers out.
  before constant bigint := (p_chunk - 1) * 1000::bigint;
  stamp constant jsonb := jsonb_build_object('id', p_batch.id::text)
    || case when p_batch.keeps_results then '{"keeps": true}'::jsonb else '{}' end;
  ids bigint[];
  members bigint;
begin
  if not p_checked then
    perform messenger.check_messages(p_messages);
  end if;
  ids := array(select i::bigint from jsonb_array_elements_text(public.messenger_enqueue((
    select coalesce(jsonb_agg(
      m.message || jsonb_build_object('stamps', coalesce(nullif(m.message -> 'stamps', 'null'), '{}')
        || jsonb_build_object('batch', stamp || jsonb_build_object('nth', before + m.nth)))
      order by m.nth
    ), '[]')
    from jsonb_array_elements(p_messages) with ordinality as m (message, nth)
  ), true) -> 'ids') as i);
  select count(*) into members from public.messenger_messages m
  where m.id = any (ids) and m.stamps #>> '{batch,id}' = p_batch.id::text
    and m.stamps #> '{batch,nth}' > to_jsonb(before);
  -- Members that go through another transport.
  members := members + (
    select count(*) from messenger.outbox o
    where o.id = any (ids) and o.stamps #>> '{batch,id}' = p_batch.id::text
      and o.stamps #> '{batch,nth}' > to_jsonb(before)
  );
  insert into messenger.batch_chunks (batch_id, chunk, ids, content_hash)
  values (p_batch.id, p_chunk, ids, p_hash);
  update public.messenger_batches b
  set chunks = p_chunk, total = b.total + members,
    types = (array(
      select unnest(b.types) union select m ->> 'type' from jsonb_array_elements(p_messages) as m order by 1
    ))[:1000]
  where b.id = p_batch.id;
end
$$;
comment on function messenger.write_chunk(public.messenger_batches, integer, jsonb, bigint, boolean) is
  'Part of messenger_write_batch: writes the messages of one chunk and counts them.';

-- `batch` is {"name", "idempotency_key"?, "idempotency_scope"?, "user_id"?, "live"?, "on_finished"?, "on_succeeded"?,
-- "on_failed"?, "call"?}, the same in each call. A chunk has at most 1,000 messages; the chunks come in order.
create function public.messenger_write_batch(
  batch jsonb, messages jsonb default '[]', chunk integer default 1, is_last boolean default true,
  checked boolean default false, limits jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  own public.messenger_batches;
  known messenger.batch_chunks;
  hash bigint;
  fault_detail text;
begin
  perform messenger.check_batch(batch);
  perform messenger.check_chunk(batch, messages, chunk, is_last);
  own := messenger.open_batch(batch);
  select messenger.content_hash(coalesce(jsonb_agg(case jsonb_typeof(m) when 'object' then m - 'stamps' else m end order by nth), '[]')) into hash
  from jsonb_array_elements(messages) with ordinality as g (m, nth);
  select * into known from messenger.batch_chunks c where c.batch_id = own.id and c.chunk = messenger_write_batch.chunk;
  if own.cancelled_at is not null then
    raise sqlstate 'PT409' using message = format('batch: %s is cancelled', own.id);
  elsif known.chunk is not null and (known.content_hash <> hash or is_last and chunk <> own.chunks)
    or own.sealed_at is not null and known.chunk is null
  then
    perform messenger.refuse_other_batch();
  elsif known.chunk is null and chunk <> own.chunks + 1 then
    raise sqlstate 'PT400' using message =
      format('chunk: has to be at most %s (was %s); chunks come in order', own.chunks + 1, chunk);
  end if;
  if known.chunk is null then
    if limits is not null then
      perform messenger.count_dispatches(limits);
    end if;
    perform messenger.write_chunk(own, chunk, messages, hash, checked);
  end if;
  if is_last and own.sealed_at is null then
    update public.messenger_batches b
    set sealed_at = public.messenger_now(), key_until = public.messenger_now() + interval '24 hours',
      sealed_by = (batch ->> 'call')::uuid
    where b.id = own.id;
    perform messenger.fold_batch(own.id);
  end if;
  perform messenger.check_deferred('messenger_write_batch');
  return (
    select jsonb_build_object('id', b.id::text, 'total', b.total, 'sealed', b.sealed_at is not null)
    from public.messenger_batches b where b.id = own.id
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  if checked and sqlstate ~ '^2[23]' then
    perform messenger.check_messages(messages);
  end if;
  raise;
end
$$;
comment on function public.messenger_write_batch(jsonb, jsonb, integer, boolean, boolean, jsonb) is
  'Writes one numbered chunk of a batch, at most 1,000 messages, and seals the batch with the last one; all in the caller''s transaction. A chunk that is there is not written again. Returns {"id", "total", "sealed"}.';

create function public.messenger_dispatch_batch(
  messages jsonb, name text, on_finished jsonb default null, on_succeeded jsonb default null,
  on_failed jsonb default null, idempotency_key text default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  number constant integer := case when jsonb_typeof(messages) = 'array' then jsonb_array_length(messages) end;
  -- Taken apart once: to look for each chunk in the whole would cost more with each message.
  elements constant jsonb[] := case when number > 0 then array(select jsonb_array_elements(messages)) end;
  chunks constant integer := greatest((number + 999) / 1000, 1);
  batch constant jsonb := jsonb_build_object(
    'name', name, 'on_finished', on_finished, 'on_succeeded', on_succeeded, 'on_failed', on_failed,
    -- A batch of several chunks needs a key, if only to the end of this call.
    'idempotency_key', coalesce(idempotency_key, 'once:' || gen_random_uuid())
  );
  answer jsonb;
  fault_detail text;
begin
  if number is null then
    raise sqlstate 'PT400' using message = 'messages: has to be an array';
  end if;
  for n in 1..chunks loop
    answer := public.messenger_write_batch(
      batch, coalesce(to_jsonb(elements[(n - 1) * 1000 + 1 : n * 1000]), '[]'), n, n = chunks
    );
  end loop;
  perform messenger.check_deferred('messenger_dispatch_batch');
  return (answer ->> 'id')::bigint;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_dispatch_batch(jsonb, text, jsonb, jsonb, jsonb, text) is
  'Dispatches a batch inside the caller''s transaction and returns its id: select messenger_dispatch_batch(''[{"type":"Resize","payload":{"id":1}}]'', ''thumbnails'', on_finished => ''{"type":"Report","payload":{}}''). Messages are as for messenger_enqueue.';
