-- Heartbeats: a worker extends the leases of what it runs, all of them in one call.

-- `leases` is an array of {token, ids}. Answers {"lost": [ids], "cancelled": [ids]}: those whose lease
-- is another's, and those that are not to be run on.
create or replace function public.messenger_heartbeat(leases jsonb, lease_ms integer default 60000)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  kept text[];
  cancelled text[];
  earliest timestamptz;
begin
  if jsonb_typeof(leases) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'leases: has to be an array';
  end if;
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;

  -- It never waits: what is locked is being settled, cancelled or changed just now. Its lease is kept by the
  -- next heartbeat, and it is not lost.
  with given as materialized (
    select (lease ->> 'token')::uuid as token, id::bigint as id
    from jsonb_array_elements(leases) as l (lease),
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
      (select q.lease_ms from public.messenger_queues q where q.name = m.queue),
      messenger_heartbeat.lease_ms
    ) * interval '1 millisecond'
    from free f
    where m.id = f.id
    returning m.id::text, m.cancelled, m.leased_until
  )
  select array(select h.id::text from held h), array_agg(e.id) filter (where e.cancelled),
    min(e.leased_until)
  into kept, cancelled, earliest from extended e;

  -- Nothing to do but where leases have become shorter than they were at the claim. It never waits.
  update messenger.leases l set leased_until = earliest
  where l.token = any (array(
    select k.token from messenger.leases k
    where k.leased_until > earliest and k.token = any (array(
      select (lease ->> 'token')::uuid from jsonb_array_elements(leases) as g (lease)
    ))
    for update skip locked
  ));

  return jsonb_build_object(
    'lost', array(
      select id from jsonb_array_elements(leases) as l (lease),
        jsonb_array_elements_text(lease -> 'ids') as i (id)
      except
      select unnest(kept)
    ),
    'cancelled', coalesce(cancelled, '{}')
  );
end
$$;
comment on function public.messenger_heartbeat(jsonb, integer) is
  'Extends the leases of running messages, all of a worker''s in one call. Answers {"lost": [...], "cancelled": [...]}: messages whose lease is another''s by now, and those to be stopped.';
