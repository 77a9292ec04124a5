-- Heartbeats: a worker extends the leases of what it runs, all of them in one call.

-- A locked message is being settled, cancelled or changed at this moment. The heartbeat does not wait for it, but
-- reports it as held and not as lost. The next heartbeat extends its lease.
create function messenger.extend_messages(
  p_leases jsonb, p_lease_ms integer,
  out held text[], out cancelled text[], out earliest timestamptz, out skipped bigint
)
language plpgsql
set search_path = ''
as $$
begin
  with given as materialized (
    select (lease ->> 'token')::uuid as token, id::bigint as id
    from jsonb_array_elements(p_leases) as l (lease),
      jsonb_array_elements_text(lease -> 'ids') as i (id)
  ),
  held as materialized (
    select m.id from given g join public.messenger_messages m on m.id = g.id
    where m.lease_token = g.token
  ),
  free as materialized (
    select m.id from given g join public.messenger_messages m on m.id = g.id
    where m.lease_token = g.token
    for update of m skip locked
  ),
  extended as (
    update public.messenger_messages m
    set heartbeated = true, leased_until = public.messenger_now() + coalesce(
      (select q.lease_ms from public.messenger_queues q where q.name = split_part(m.queue, '/', 1)), p_lease_ms
    ) * interval '1 millisecond'
    from free f
    where m.id = f.id
    returning m.id::text, m.cancelled, m.leased_until
  )
  select array(select h.id::text from held h), array_agg(e.id) filter (where e.cancelled),
    min(e.leased_until), (select count(*) from free) - count(*)
  into held, cancelled, earliest, skipped from extended e;
end
$$;
comment on function messenger.extend_messages(jsonb, integer) is
  'Part of messenger_heartbeat: extends the leases of messages. Returns the ids of those that the leases hold, of those among them that are to be stopped, when the first of the extended leases ends, and how many a trigger of the project''s own has skipped.';

-- Skips lease rows that are locked, so that it never waits. A lease row names a later moment than `p_earliest` if a
-- queue got a shorter lease after the claim.
create function messenger.shorten_leases(p_leases jsonb, p_earliest timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update messenger.leases l set leased_until = p_earliest
  where l.token = any (array(
    select k.token from messenger.leases k
    where k.leased_until > p_earliest and k.token = any (array(
      select (lease ->> 'token')::uuid from jsonb_array_elements(p_leases) as g (lease)
    ))
    for update skip locked
  ));
end
$$;
comment on function messenger.shorten_leases(jsonb, timestamptz) is
  'Part of messenger_heartbeat: lets the sweep check these leases when the first message''s lease ends.';

-- `leases` is an array of {token, ids}. Returns {"lost": [ids], "cancelled": [ids]}: messages whose lease is
-- another's, and messages that must not run any longer.
create function public.messenger_heartbeat(leases jsonb, lease_ms integer default 60000)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  extended record;
  fault_detail text; place_of_fault text;
begin
  if jsonb_typeof(leases) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'leases: has to be an array';
  end if;
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;
  select * into extended from messenger.extend_messages(leases, lease_ms);
  -- Its handler would run on while another worker takes the message.
  perform messenger.refuse_skipped('messenger_messages', -extended.skipped, 0);
  perform messenger.shorten_leases(leases, extended.earliest);
  perform messenger.check_deferred('messenger_heartbeat');
  return jsonb_build_object(
    'lost', array(
      select id from jsonb_array_elements(leases) as l (lease),
        jsonb_array_elements_text(lease -> 'ids') as i (id)
      except
      select unnest(extended.held)
    ),
    'cancelled', coalesce(extended.cancelled, '{}')
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail, place_of_fault = pg_exception_context;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_for_now(sqlstate, sqlerrm, fault_detail, place_of_fault);
  perform messenger.refuse_shape(
    sqlstate, 'leases', leases, '[{"token!": "uuid", "ids!": ["bigint"], "lease_ms": "integer"}]'
  );
  raise;
end
$$;
comment on function public.messenger_heartbeat(jsonb, integer) is
  'Extends the leases of running messages, all of a worker''s in one call. Returns {"lost": [...], "cancelled": [...]}: messages whose lease is another''s by now, and those to be stopped.';
