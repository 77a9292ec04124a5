-- Leases: a claim writes one row that lists the ids of its messages. By these rows a sweep finds messages whose
-- worker died, and other calls find messages that run. The row costs 0.3 us a message. An index over the leases of
-- messages would cost more: each claim would have to write to it, and could make no HOT update.
--
-- A lease row lists candidate ids. The message's own row decides whether the message is leased, by whom and until
-- when. A lease may list messages that are settled by now, but the lease with the token of a running message always
-- lists that message.

create table messenger.leases (
  token uuid primary key,
  leased_until timestamptz not null,
  queues text[] not null,
  ids bigint[] not null,
  open integer not null
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

comment on table messenger.leases is
  'A row for each claim whose messages are not all settled, with the ids of its messages. The rows of messenger_messages say which of these messages still hold the lease.';
comment on column messenger.leases.token is
  'Fence of the claim: lease_token of its messages.';
comment on column messenger.leases.leased_until is
  'No message of this claim has a lease that ends before this moment. From this moment on a sweep reads its messages.';
comment on column messenger.leases.queues is
  'Queues of its messages, and perhaps further queues; with their lanes only those that a sweep has had to leave.';
comment on column messenger.leases.ids is
  'Ids of its messages, settled ones among them.';
comment on column messenger.leases.open is
  'Upper bound of the number of its messages that are not settled; the row is deleted at 0.';

-- To compress the ids would cost a claim more than the rest of the work for its lease.
alter table messenger.leases alter column ids set storage external;

create index leases_until_idx on messenger.leases (leased_until);
comment on index messenger.leases_until_idx is
  'Leases by the time at which the sweep checks them.';

alter table messenger.leases enable row level security;

create function messenger.longest_lease() returns interval
language sql immutable parallel safe
set search_path = ''
as $$ select interval '25 hours' $$;
comment on function messenger.longest_lease() is
  'Longer than any lease, which ends within a day. One that ends later was edited, or given before the clock was set back.';

-- Two settle calls of one worker may share a lease. To never wait for each other, each call skips a lease that the
-- other has locked. A lease that was skipped keeps too high a number, and the sweep deletes it.
create function messenger.close_leases(p_tokens uuid[], p_numbers integer[])
returns void
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql
set search_path = ''
as $$
declare
  closed integer;
begin
  -- Nearly always one statement: a loop would lock the leases in another. Most calls name one token; the sum over
  -- several costs a call of 20 messages a twentieth.
  if cardinality(p_tokens) = 1 then
    delete from messenger.leases l where l.token = any (array(
      select c.token from messenger.leases c where c.token = p_tokens[1] and c.open <= p_numbers[1]
      for update skip locked
    ));
  else
    delete from messenger.leases l where l.token = any (array(
      select c.token from messenger.leases c
      where c.token = any (p_tokens) and c.open <= (
        select sum(s.number) from unnest(p_tokens, p_numbers) as s (token, number) where s.token = c.token
      )
      for update skip locked
    ));
  end if;
  get diagnostics closed = row_count;
  if closed < cardinality(p_tokens) then
    update messenger.leases l set open = l.open - (
      select sum(s.number) from unnest(p_tokens, p_numbers) as s (token, number) where s.token = l.token
    )
    where l.token = any (array(
      select k.token from messenger.leases k where k.token = any (p_tokens) for update skip locked
    ));
  end if;
end
$$;
comment on function messenger.close_leases(uuid[], integer[]) is
  'Part of a settle call: subtracts a number of messages from the lease of each token, and deletes a lease that has none left.';

-- Locks up to `p_max_messages` messages of these queues, or of all, whose lease ran out, the oldest leases first. It
-- leaves paused queues alone. It deletes each lease row that it reads, or writes into the row which messages remain
-- and when their lease ends. A lease names queues without their lanes; the messages that a sweep has to leave are named
-- with them, so that the next sweeps pass over a lease of paused lanes.
create function messenger.lock_expired(
  p_queues text[] default null, p_max_messages integer default 100
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  parents text[];
  lease record;
  expired tid[];
  locked tid[] := array[]::tid[];
  left_over record;
begin
  if p_queues is not null then
    parents := array(select split_part(q, '/', 1) from unnest(p_queues) as q);
  end if;
  for lease in
    select l.token, l.ids from messenger.leases l
    where l.leased_until <= clock and exists (
      select from unnest(l.queues) as q (name)
      where messenger.is_swept(q.name, case when strpos(q.name, '/') = 0 then parents else p_queues end)
    )
    order by l.leased_until
    limit 1000
    for update skip locked
  loop
    expired := array(
      select m.ctid from public.messenger_messages m
      where m.id = any (lease.ids) and m.lease_token = lease.token and m.leased_until <= clock
        and messenger.is_swept(m.queue, p_queues)
      limit p_max_messages - cardinality(locked)
      for update skip locked
    );
    locked := locked || expired;

    select array_agg(m.id) as ids,
      array_agg(distinct case when m.leased_until <= clock then m.queue else split_part(m.queue, '/', 1) end) as queues,
      min(m.leased_until) as leased_until
    into left_over
    from public.messenger_messages m
    where m.id = any (lease.ids) and m.lease_token = lease.token and m.ctid <> all (expired);
    if left_over.ids is null then
      delete from messenger.leases l where l.token = lease.token;
    else
      update messenger.leases l
      set ids = left_over.ids, open = cardinality(left_over.ids), queues = left_over.queues,
        leased_until = left_over.leased_until
      where l.token = lease.token;
    end if;
    exit when cardinality(locked) >= p_max_messages;
  end loop;
  return locked;
end
$$;
comment on function messenger.lock_expired(text[], integer) is
  'Part of a claim: locks messages whose lease ran out, and returns their ctids.';
