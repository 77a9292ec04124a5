-- Enqueuing with routes: messages of other transports are written to the outbox, in the transaction of those of home.

-- The bus names a transport in all messages of a call or in none, so that the first one tells.
create function messenger.has_routes(p_messages jsonb) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return p_messages #>> '{0,transport}' is not null or exists (select from messenger.transports);
end
$$;
comment on function messenger.has_routes(jsonb) is
  'Part of messenger_enqueue: whether messages may go through another transport than home.';

-- `p_reserved`: each message has its reserved `id`.
create function messenger.enqueue_routed(p_messages jsonb, p_reserved boolean default false) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  -- Each message with its place and its transport, in order.
  home jsonb;
  others jsonb;
  places integer[];
  ids jsonb;
  other_ids jsonb := '[]'::jsonb;
begin
  with given as materialized (
    select m.value as message, m.ordinality::integer as place, m.value ->> 'type' as type
    from jsonb_array_elements(p_messages) with ordinality as m
  ),
  types as materialized (
    select g.type, messenger.route_of(g.type) as route
    from (select distinct g.type from given g where g.message ->> 'transport' is null) as g
  ),
  routed as (
    select g.place, g.message, coalesce(g.message ->> 'transport', t.route) as transport
    from given g left join types t on t.type = g.type
  )
  select
    coalesce(jsonb_agg(r.message order by r.place) filter (where r.transport = 'home'), '[]'),
    jsonb_agg(r.message || jsonb_build_object('transport', r.transport) order by r.place)
      filter (where r.transport <> 'home'),
    array_agg(r.place order by r.transport <> 'home', r.place)
  into home, others, places
  from routed r;

  -- In the order of locks: the keys of home, then those of the outbox.
  ids := case when home <> '[]' then messenger.enqueue_keyed(home, p_reserved) -> 'ids' else '[]' end;
  if others is not null then
    perform messenger.check_outgoing(others);
    perform messenger.wake_for_new_transports(others);
    other_ids := messenger.write_outbox(others, p_reserved) -> 'ids';
  end if;
  return jsonb_build_object('ids', coalesce((
    select jsonb_agg(i.id order by p.place)
    from jsonb_array_elements(ids || other_ids) with ordinality as i (id, position)
    join unnest(places) with ordinality as p (place, position) using (position)
  ), '[]'));
end
$$;
comment on function messenger.enqueue_routed(jsonb, boolean) is
  'Part of messenger_enqueue: writes messages of home, and those of other transports to the outbox. Returns {"ids": [...]} in their order.';

-- The code may send through a transport that no tick of its deploy has declared yet. The tick declares it, and publishes.
create function messenger.wake_for_new_transports(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from jsonb_array_elements(p_messages) as m
    where not exists (select from messenger.transports t where t.name = m.value ->> 'transport')
  ) then
    perform messenger.wake();
  end if;
end
$$;
comment on function messenger.wake_for_new_transports(jsonb) is
  'Part of messenger_enqueue: wakes a tick for messages of transports that are not declared yet.';

-- A message of another transport is not in messenger_messages, whose index holds the other kinds of dedupe keys.
create function messenger.check_outgoing(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong jsonb;
begin
  select m.value into wrong from jsonb_array_elements(p_messages) as m
  where m.value ->> 'dedupe_key' is not null and m.value ->> 'dedupe_window_ms' is null
  limit 1;
  if found then
    raise sqlstate 'PT400' using message = format(
      'dedupe: of a message of the transport %s has to be a window; or give an idempotency key',
      wrong ->> 'transport'
    );
  end if;
  select m.value into wrong from jsonb_array_elements(p_messages) as m
  join messenger.transports t on t.name = m.value ->> 'transport' and not t.received
  where m.value #> '{stamps,batch}' is not null
  limit 1;
  if found then
    raise sqlstate 'PT400' using message = format(
      'messages: %s goes to %s, where another project handles it; a batch counts only what is handled here',
      wrong ->> 'type', wrong ->> 'transport'
    );
  end if;
end
$$;
comment on function messenger.check_outgoing(jsonb) is
  'Part of messenger_enqueue: refuses messages that the outbox cannot keep, and members of batches that another project would handle, PT400.';
