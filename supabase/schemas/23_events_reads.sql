-- Reading events: a worker asks for the events that its messages wait for, and decides. The lease holder alone stores
-- the outcome of a wait, so that a timeout never turns into an event on a later run.

-- The events that one read returns, within a number of bytes; the first event in any case. `more`: further ones are there.
create function messenger.read_events(p_read jsonb, p_max_bytes bigint, out events jsonb, out bytes bigint, out more boolean)
language plpgsql stable
set search_path = ''
as $$
begin
  with found as materialized (
    select n.id, sum(n.bytes) over (order by n.id) as total, row_number() over (order by n.id) as position
    from jsonb_array_elements_text(p_read -> 'keys') as k (event)
    cross join lateral messenger.new_events(
      k.event, p_read -> 'cursors' -> k.event, (p_read ->> 'since')::timestamptz, 101
    ) as n
    order by n.id limit 101
  ),
  given as materialized (
    select f.id, f.total from found f
    where f.position = 1 or f.position <= 100 and f.total <= p_max_bytes
  )
  select coalesce(
      jsonb_agg(jsonb_build_object('id', e.id::text, 'event', e.event, 'value', e.value) order by e.id), '[]'
    ),
    coalesce(max(g.total), 0), count(*) < (select count(*) from found)
  into events, bytes, more
  from given g join public.messenger_events e on e.id = g.id;
end
$$;
comment on function messenger.read_events(jsonb, bigint) is
  'Part of messenger_read_events: the events of one read, at most 100, their bytes, and whether there are more.';

-- `reads` is an array of {id, token, keys: [...], cursors?: {key: {id, snapshot, seen?}}, since}: the messages, their
-- leases, the keys that they wait for, and what they have seen of each key. Returns {"reads": [{"id", "events": [{id,
-- event, value}], "more"}], "snapshot", "last_id", "stale": [ids], "cancelled"?: [ids]}. All reads of a call have one
-- snapshot; it and the id of the last event of all keys become parts of the next cursors. A read beyond the bytes of the
-- call is left out, and the worker asks again.
create function public.messenger_read_events(reads jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  wanted record;
  given record;
  given_reads jsonb := '[]'::jsonb;
  stale jsonb := '[]'::jsonb;
  cancelled text[];
  room bigint := 4194304;
begin
  if jsonb_typeof(reads) is distinct from 'array' or jsonb_array_length(reads) > 1000 then
    raise sqlstate 'PT400' using message = 'reads: has to be an array of at most 1000 messages';
  end if;
  for wanted in
    select r.value as read, m.id is not null as is_held, m.cancelled, r.value ->> 'id' as id
    from jsonb_array_elements(reads) with ordinality as r (value, position)
    left join public.messenger_messages m
      on m.id = (r.value ->> 'id')::bigint and m.lease_token = (r.value ->> 'token')::uuid
    order by r.position
  loop
    if not wanted.is_held then
      stale := stale || to_jsonb(wanted.id);
    elsif wanted.cancelled then
      cancelled := cancelled || wanted.id;
    elsif room > 0 then
      given := messenger.read_events(wanted.read, least(room, 1048576));
      room := room - given.bytes;
      given_reads := given_reads || jsonb_build_object('id', wanted.id, 'events', given.events, 'more', given.more);
    end if;
  end loop;
  return jsonb_build_object(
    'reads', given_reads, 'snapshot', pg_current_snapshot()::text, 'stale', stale, 'last_id', (
      select coalesce(max(e.id), 0)::text from public.messenger_events e
    )
  ) || messenger.told_of_cancels(cancelled);
exception when data_exception then
  perform messenger.refuse_shape(sqlstate, 'reads', reads, '[{
    "id!": "bigint", "token!": "uuid", "keys!": ["text"], "since": "timestamptz", "cursors": {"*": {"id": "bigint"}}
  }]');
  raise;
end
$$;
comment on function public.messenger_read_events(jsonb) is
  'Returns the events that running messages wait for and have not seen, each under the token of its lease: at most 100 events and 1 MiB a message. Returns {"reads": [{"id", "events", "more"}], "snapshot", "last_id", "stale"}, and "cancelled" if messages are to be stopped.';
