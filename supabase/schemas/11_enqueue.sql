-- Enqueuing: one call writes any number of messages, all or none, in the caller's transaction.

-- Names the first payload or stamps that is too large. A value that a caller gives is not
-- compressed yet, so that its header tells its size.
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

-- jsonb's own hash takes 1 and 1.0 for the same, as they are, but sees no ends of arrays and objects: it is
-- one for [[1],2] and [[1,2]]. So their signs are hashed as well.
create function messenger.content_hash(p_content jsonb) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select hashtextextended(
    regexp_replace(p_content::text, '[^][{},:]+', '', 'g'), jsonb_hash_extended(p_content, 0)
  )
$$;
comment on function messenger.content_hash(jsonb) is
  'Part of messenger_enqueue: hash of what an idempotency key stands for; equal for equal jsonb.';

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
  'Refuses a message whose time to live is over when it falls due: it would never run.';

-- A message that has expired while it waited will not run: a dispatch must not be left out for it. The locks
-- are taken in the order of all locks, ascending by id.
create function messenger.free_expired_keys(p_types text[], p_dedupe_keys text[])
returns void
language sql
set search_path = ''
as $$
  update public.messenger_messages m set dedupe_key = null
  where m.id = any (array(
    select held.id
    from public.messenger_messages held
    where (held.type, held.dedupe_key) in (select * from unnest(p_types, p_dedupe_keys))
      and held.status = 'pending' and held.expires_at <= public.messenger_now()
    order by held.id
    for update
  ))
$$;
comment on function messenger.free_expired_keys(text[], text[]) is
  'Part of messenger_enqueue: takes dedupe keys from messages that have expired while they waited.';

-- `messages` is an array of objects with the names of the columns, and `delay_ms`, `ttl_ms`,
-- `idempotency_key`, `idempotency_scope`, `dedupe`, `dedupe_window_ms`. A field that an object leaves
-- out gets the column's default. Ids are given in the order of the array. `checked` says that fields and numbers
-- need no check, for they come from the bus or from messenger_dispatch.
-- An idempotency key that is taken returns its id and writes nothing; two calls with one key
-- meet on the primary key, where the second waits for the first's commit. Under a key that is taken,
-- other content is refused: it would be lost. A dedupe key with a window is kept in the same way; one
-- that is held until its message is started or finished stands on the message itself, and two calls
-- meet on that unique index.
create function public.messenger_enqueue(
  messages jsonb, checked boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  repeats bigint[];
  repeated bigint;
  is_late boolean;
  conflict bigint;
begin
  if jsonb_typeof(messages) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'messages: has to be an array';
  end if;
  -- None of them is too large where all of them together are not; compressed ones do not tell.
  if pg_column_size(messages) > 1048576 or pg_column_compression(messages) is not null then
    perform messenger.check_sizes(messages);
  end if;
  if not checked then
    perform messenger.check_messages(messages);
  end if;

  if messenger.sequence_behind() then
    perform messenger.mend_sequence();
  end if;

  -- Most messages carry no key: they are written as they come.
  if not messages @? '$[*] ? (
    exists(@.idempotency_key) || exists(@.dedupe_key) || exists(@.group_key)
  )' then
    with written as (
      insert into public.messenger_messages
        (type, payload, queue, priority, available_at, expires_at, created_at, stamps)
      select m.type,
        coalesce(
          m.payload, case when messages -> (m.position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
        ),
        coalesce(m.queue, 'default'), coalesce(m.priority, 0::smallint),
        coalesce(m.available_at, clock + m.delay_ms * interval '1 millisecond', clock),
        clock + m.ttl_ms * interval '1 millisecond', clock, m.stamps
      from rows from (
        jsonb_to_recordset(messages) as (
          type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
          available_at timestamptz, ttl_ms double precision, stamps jsonb
        )
      ) with ordinality as m (
        type, payload, queue, priority, delay_ms, available_at, ttl_ms, stamps, position
      )
      returning id, expires_at <= available_at as is_late
    )
    select jsonb_build_object('ids', coalesce(array_agg(w.id::text), '{}')), bool_or(w.is_late)
    into answer, is_late from written w;
    if is_late then
      perform messenger.refuse_late();
    end if;
    return answer;
  end if;

  with wanted as materialized (
    select m.*, nextval('public.messenger_messages_id_seq') as new_id,
      case when dedupe_window_ms is null then coalesce(idempotency_scope, '')
        else 'dedupe:' || type end as scope,
      case when dedupe_window_ms is null then idempotency_key else dedupe_key end as key,
      case when dedupe_window_ms is null and idempotency_key is not null then messenger.content_hash(
        jsonb_build_array(
          coalesce(
            payload,
            case when messages -> (position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
          ),
          coalesce(queue, 'default'), coalesce(priority, 0), group_key,
          coalesce(delay_ms, 0), available_at, ttl_ms
        )
      ) end as content_hash,
      case when dedupe_window_ms is null then dedupe_key end as held_key
    from rows from (
      jsonb_to_recordset(messages) as (
        type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
        available_at timestamptz, ttl_ms double precision, idempotency_scope text,
        idempotency_key text, group_key text, stamps jsonb, dedupe_key text, dedupe text,
        dedupe_window_ms double precision
      )
    ) with ordinality as m (
      type, payload, queue, priority, delay_ms, available_at, ttl_ms, idempotency_scope,
      idempotency_key, group_key, stamps, dedupe_key, dedupe, dedupe_window_ms, position
    )
  ),
  keys as materialized (
    select distinct on (scope, type, key) scope, type, key, new_id, content_hash,
      coalesce(dedupe_window_ms, 86400000) * interval '1 millisecond' as lasts
    from wanted
    where key is not null
    order by scope, type, key, position
  ),
  taken as (
    insert into messenger.idempotency_keys as known
      (scope, type, key, message_id, content_hash, expires_at)
    select scope, type, key, new_id, content_hash, clock + lasts
    from keys order by scope, type, key
    on conflict (scope, type, key) do update set
      message_id =
        case when known.expires_at <= clock then excluded.message_id else known.message_id end,
      content_hash =
        case when known.expires_at <= clock then excluded.content_hash else known.content_hash end,
      expires_at =
        case when known.expires_at <= clock then excluded.expires_at else known.expires_at end
    returning scope, type, key, message_id, content_hash
  ),
  numbered as materialized (
    select w.*, coalesce(t.message_id, w.new_id) as id,
      t.message_id is null or t.message_id = w.new_id as is_new,
      t.content_hash <> w.content_hash as is_other
    from wanted w
    left join taken t on t.key = w.key and t.type = w.type and t.scope = w.scope
  ),
  -- Those behind the first ones of a group in this very call need no claim to find out.
  behind as materialized (
    select p.id
    from (
      select n.id, coalesce(n.queue, 'default') as queue, row_number() over (
        partition by coalesce(n.queue, 'default'), n.group_key order by n.id
      ) as place
      from numbered n where n.group_key is not null and n.is_new and n.held_key is null
    ) as p
    left join public.messenger_queues q on q.name = p.queue
    where p.place > coalesce(q.group_concurrency, 1)
  ),
  ready as (
    select n.id, n.type, n.group_key, n.stamps, n.held_key,
      n.group_key is not null and n.id in (select b.id from behind b) as blocked,
      coalesce(n.dedupe = 'until-started', false) as until_started,
      -- A payload that is null stays so; one that is left out is an empty object.
      coalesce(
        n.payload,
        case when messages -> (n.position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ) as payload,
      coalesce(n.queue, 'default') as queue,
      coalesce(n.priority, 0::smallint) as priority,
      coalesce(
        n.available_at, clock + n.delay_ms * interval '1 millisecond', clock
      ) as available_at,
      clock + n.ttl_ms * interval '1 millisecond' as expires_at
    from numbered n
    where n.is_new
  ),
  written as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, blocked,
        stamps)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key, blocked,
      stamps
    from ready where held_key is null
  ),
  written_once as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, stamps,
        dedupe_key, dedupe_until_started)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key, stamps,
      held_key, until_started
    from ready where held_key is not null order by type, held_key, id
    on conflict (type, dedupe_key) where dedupe_key is not null do nothing
    returning id
  )
  select jsonb_build_object('ids', coalesce(jsonb_agg(n.id::text order by n.position), '[]')),
    array_agg(n.position order by n.position)
      filter (where n.held_key is not null and o.id is null),
    min(n.position) filter (where n.is_other),
    (select bool_or(r.expires_at <= r.available_at) from ready r)
  into answer, repeats, conflict, is_late
  from numbered n left join written_once o on o.id = n.id;
  if conflict is not null then
    raise sqlstate 'PT409' using
      message = 'idempotency_key: stands for a message of this type with other content, dispatched '
        'within 24 hours; repeat that one unchanged, or give another key',
      detail = conflict - 1,
      hint = 'The detail is the place of the message in the array.';
  end if;
  if is_late then
    perform messenger.refuse_late();
  end if;

  if repeats is not null then
    perform messenger.free_expired_keys(
      array_agg(messages -> (r.position - 1)::integer ->> 'type'),
      array_agg(messages -> (r.position - 1)::integer ->> 'dedupe_key')
    )
    from unnest(repeats) as r (position);
  end if;

  -- A statement of its own sees what the first call has committed. A message that is finished or has expired
  -- since then holds no key any more.
  for repeated in select unnest(repeats) - 1 loop
    answer := jsonb_set(answer, array['ids', repeated::text], coalesce(
      (
        select to_jsonb(m.id::text) from public.messenger_messages m
        where m.type = messages -> repeated::integer ->> 'type'
          and m.dedupe_key = messages -> repeated::integer ->> 'dedupe_key'
      ),
      public.messenger_enqueue(jsonb_build_array(messages -> repeated::integer), true) #> '{ids,0}'
    ));
  end loop;
  return answer;
end
$$;

comment on function public.messenger_enqueue(jsonb, boolean) is
  'Writes an array of messages, all or none, in the caller''s transaction. Returns {"ids": [...]} in their order.';

-- The way in over PostgREST, which hands a body to a single parameter without a name as it is, whereas
-- it takes a parameter with a name out of the body first; and which reads through the answer once more
-- where that is not a set.
create function public.messenger_enqueue_body(jsonb) returns setof jsonb
language plpgsql
rows 1
set search_path = ''
as $$
declare
  -- Postgres keeps no array of 256 MiB, and time runs out before that.
  max_bytes constant integer := 67108864;
begin
  if pg_column_size($1) > max_bytes then
    raise sqlstate 'PT413' using message = format(
      'messages: have %s bytes together; a call takes at most %s, give them in several calls',
      pg_column_size($1), max_bytes
    );
  end if;
  return next public.messenger_enqueue($1, true);
end
$$;

comment on function public.messenger_enqueue_body(jsonb) is
  'messenger_enqueue for calls over HTTP: the whole body is the array of messages, of at most 64 MiB (PT413). Returns a set of one {"ids": [...]}.';
