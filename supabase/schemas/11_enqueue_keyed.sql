-- Enqueuing of messages with keys: idempotency keys, dedupe keys, group keys.
--
-- A call takes its keys in one order, type and key ascending, so that two calls never wait for each other. It may find
-- a key held by a message that is handled before the call has read its id: then the key would have to be taken behind
-- later ones. A call with several keys gives all of them up instead, with all that it has written, and begins again.
--
-- An idempotency key that is taken gives the id of its message and writes nothing. Two calls with one key meet on
-- the primary key of messenger.idempotency_keys, where the second waits for the first one's commit. Other content
-- under a taken key is refused, for it would be lost. A dedupe key with a window is kept in the same table.
-- A dedupe key that holds until its message is started or finished stands on the message itself, and two calls
-- meet on that unique index.

-- `p_reserved`: each message has its reserved `id`, as messenger.enqueue_reserved gives them.
create function messenger.enqueue_keyed(p_messages jsonb, p_reserved boolean default false) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if not p_messages @? '$[1 to last].dedupe_key' then
    return messenger.write_keyed(p_messages, p_reserved, true);
  end if;
  -- Each try but the first follows a message that was handled within microseconds, so that ten never fail.
  for try in 1..10 loop
    begin
      return messenger.write_keyed(p_messages, p_reserved, false);
    exception when sqlstate 'MSGKY' then
      null;
    end;
  end loop;
  raise sqlstate 'PT503' using
    message = 'dedupe_key: the messages with these keys were handled again and again during the call; try again';
end
$$;
comment on function messenger.enqueue_keyed(jsonb, boolean) is
  'Part of messenger_enqueue: writes messages of which some have an idempotency, dedupe or group key.';

-- `p_in_any_order`: a key may be taken behind the others, because there is only one.
create function messenger.write_keyed(
  p_messages jsonb, p_reserved boolean, p_in_any_order boolean, p_tries integer default 10
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  repeats bigint[];
  is_late boolean;
  conflict bigint; skipped bigint;
begin
  with numbered as materialized (select * from messenger.take_keys(p_messages, clock, p_reserved)),
  -- A message behind the first ones of its group in this very call needs no claim to find that out.
  behind as materialized (
    select p.id
    from (
      select n.id, n.queue, row_number() over (partition by n.queue, n.group_key order by n.id) as place
      from numbered n where n.group_key is not null and n.is_new and n.held_key is null
    ) as p
    -- A join may be planned as a read of all queues.
    where p.place > 1 and p.place > coalesce((messenger.settings_of(split_part(p.queue, '/', 1))).group_concurrency, 1)
  ),
  written as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, blocked, stamps)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key,
      group_key is not null and id in (select b.id from behind b), stamps
    from numbered where is_new and held_key is null
    returning id
  ),
  written_once as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, stamps, dedupe_key,
        dedupe_until_started)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key, stamps, held_key, until_started
    from numbered where is_new and held_key is not null order by type, held_key, id
    on conflict (type, dedupe_key) where dedupe_key is not null do nothing
    returning id
  )
  select jsonb_build_object('ids', coalesce(jsonb_agg(n.id::text order by n.place), '[]')),
    array_agg(n.place order by n.place) filter (where n.held_key is not null and o.id is null),
    min(n.place) filter (where n.is_other),
    bool_or(n.expires_at <= n.available_at) filter (where n.is_new),
    count(*) filter (where n.is_new and n.held_key is null and w.id is null)
  into answer, repeats, conflict, is_late, skipped
  from numbered n left join written_once o on o.id = n.id left join written w on w.id = n.id;

  perform messenger.refuse_skipped('messenger_messages', -skipped, 0);
  if conflict is not null then
    perform messenger.refuse_other_content(conflict);
  elsif is_late then
    perform messenger.refuse_late();
  elsif repeats is not null then
    return messenger.add_holders(p_messages, answer, repeats, p_reserved, p_in_any_order, p_tries);
  end if;
  return answer;
end
$$;
comment on function messenger.write_keyed(jsonb, boolean, boolean, integer) is
  'Part of messenger_enqueue: writes messages with keys, and reads the ids of those that hold keys already. SQLSTATE MSGKY says that a key came free meanwhile that would have to be taken behind others.';

-- A message whose key is taken gets the id of that key's message, and is not new. All keys are taken before the
-- first message is written, in one order, so that two calls do not wait for each other.
create function messenger.take_keys(p_messages jsonb, p_now timestamptz, p_reserved boolean) returns table (
  place bigint, id bigint, is_new boolean, is_other boolean, type text, payload jsonb, queue text,
  priority smallint, available_at timestamptz, expires_at timestamptz, group_key text, stamps jsonb,
  held_key text, until_started boolean
)
language plpgsql rows 100
set search_path = ''
as $$
begin
  return query
  with wanted as materialized (
    select case when p_reserved then m.id else nextval('public.messenger_messages_id_seq') end as new_id,
      m.ordinality as place, m.type, f.*,
      coalesce(m.available_at, p_now + coalesce(m.delay_ms, m.dedupe_debounce_ms) * interval '1 millisecond', p_now)
        as available_at,
      p_now + m.ttl_ms * interval '1 millisecond' as expires_at, m.group_key, m.stamps,
      coalesce(m.dedupe in ('until-started', 'replace'), false) or m.dedupe_debounce_ms is not null as until_started,
      case when m.dedupe_window_ms is null then m.dedupe_key end as held_key,
      case when m.dedupe_window_ms is null then m.idempotency_key else m.dedupe_key end as key,
      case when m.dedupe_window_ms is null then coalesce(m.idempotency_scope, '')
        else 'dedupe:' || m.type end as scope,
      coalesce(m.dedupe_window_ms, 86400000) * interval '1 millisecond' as lasts,
      case when m.dedupe_window_ms is null and m.idempotency_key is not null then
        messenger.content_hash(jsonb_build_array(
          f.payload, f.queue, f.priority, m.group_key, coalesce(m.delay_ms, 0), m.available_at, m.ttl_ms
        )) end as content_hash
    from rows from (jsonb_to_recordset(p_messages) as (
      type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
      available_at timestamptz, ttl_ms double precision, idempotency_scope text, idempotency_key text,
      group_key text, stamps jsonb, dedupe_key text, dedupe text, dedupe_window_ms double precision,
      dedupe_debounce_ms double precision, id bigint
    )) with ordinality as m
    cross join lateral (select coalesce(m.queue, 'default') as queue, coalesce(m.priority, 0::smallint) as priority,
      -- A payload that is null stays null; one that is left out is an empty object.
      coalesce(m.payload,
        case when p_messages -> (m.ordinality - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ) as payload) as f
  ),
  taken as (
    insert into messenger.idempotency_keys as known (scope, type, key, message_id, content_hash, expires_at)
    select distinct on (w.scope, w.type, w.key) w.scope, w.type, w.key, w.new_id, w.content_hash, p_now + w.lasts
    from wanted w where w.key is not null order by w.scope, w.type, w.key, w.place
    on conflict on constraint idempotency_keys_pkey do update set
      message_id = case when known.expires_at <= p_now then excluded.message_id else known.message_id end,
      content_hash = case when known.expires_at <= p_now then excluded.content_hash else known.content_hash end,
      expires_at = case when known.expires_at <= p_now then excluded.expires_at else known.expires_at end
    returning known.scope, known.type, known.key, known.message_id, known.content_hash
  )
  select w.place, coalesce(t.message_id, w.new_id), coalesce(t.message_id = w.new_id, true),
    t.content_hash <> w.content_hash, w.type, w.payload, w.queue, w.priority, w.available_at, w.expires_at,
    w.group_key, w.stamps, w.held_key, w.until_started
  from wanted w left join taken t on t.key = w.key and t.type = w.type and t.scope = w.scope;
end
$$;
comment on function messenger.take_keys(jsonb, timestamptz, boolean) is
  'Part of messenger_enqueue: takes the idempotency keys of messages, and dedupe keys with a window, and gives each message its id.';

-- jsonb's own hash is equal for 1 and 1.0, as it should be. But that hash is also equal for [[1],2] and [[1,2]],
-- because it ignores where arrays and objects end. So the brackets are hashed as well.
create function messenger.content_hash(p_content jsonb) returns bigint
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return hashtextextended(
    regexp_replace(p_content::text, '[^][{},:]+', '', 'g'), jsonb_hash_extended(p_content, 0)
  );
end
$$;
comment on function messenger.content_hash(jsonb) is
  'Part of messenger_enqueue: hash of what an idempotency key stands for; equal for equal jsonb.';

create function messenger.refuse_other_content(p_place bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using
    message = 'idempotency_key: stands for a message of this type with other content, dispatched '
      'within 24 hours; repeat that one unchanged, or give another key',
    detail = p_place - 1,
    hint = 'The detail is the place of the message in the array.';
end
$$;
comment on function messenger.refuse_other_content(bigint) is
  'Part of messenger_enqueue: refuses the message at a place, from 1, whose idempotency key stands for other content.';

-- A second statement finds the messages that hold the dedupe keys: its snapshot shows what the call committed for
-- which the first statement waited. A key whose holder has finished since is free. Its dispatch may be written here only
-- if no other call can hold the key: if it is the call's only key, or if this call has just freed it. It is tried ten
-- times: a message that no session has and that is not written is one that a trigger of the project's own skips.
create function messenger.add_holders(
  p_messages jsonb, p_answer jsonb, p_places bigint[], p_reserved boolean, p_in_any_order boolean, p_tries integer
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb := p_answer;
  held constant jsonb := messenger.free_keys(p_messages, p_places);
  place integer;
  message jsonb;
  holder bigint;
begin
  for place in select unnest(p_places) - 1 loop
    message := p_messages -> place;
    holder := null;
    if p_in_any_order or not messenger.replaces(message) or held ? messenger.key_of(message) then
      holder := messenger.holder_of(message);
    end if;
    if holder is null and not (p_in_any_order or coalesce((held -> messenger.key_of(message))::boolean, false)) then
      raise sqlstate 'MSGKY';
    elsif holder is null and p_tries = 0 then
      perform messenger.refuse_skipped('messenger_messages');
    end if;
    answer := jsonb_set(answer, array['ids', place::text], coalesce(
      to_jsonb(holder::text),
      messenger.write_keyed(jsonb_build_array(message), p_reserved, true, p_tries - 1) #> '{ids,0}'
    ));
  end loop;
  return answer;
end
$$;
comment on function messenger.add_holders(jsonb, jsonb, bigint[], boolean, boolean, integer) is
  'Part of messenger_enqueue: puts the ids of the messages that hold a dedupe key in the places of the dispatches left out for them.';
