-- The groups of the messages of a claim or a settle call. Each statement handles all groups of the call, and its cost
-- depends on these groups only.

-- Locks those of the given groups whose locks are free.
create function messenger.try_group_locks(p_queue text, p_group_keys text[])
returns text[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select l.group_key
    from messenger.group_locks(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) as l
    where pg_try_advisory_xact_lock(l.lock_key)
  );
end
$$;
comment on function messenger.try_group_locks(text, text[]) is
  'Part of a claim: takes the locks of these groups that are free, until the end of the transaction, and returns their groups.';

-- Under the locks of the groups. `held_ids` are the messages of these groups that the claim has already.
create function messenger.admitted_to_groups(
  p_queue text, p_ids bigint[], p_keys text[], p_group_keys text[], p_held tid[],
  out admitted bigint[], out held_ids bigint[]
)
language plpgsql
set search_path = ''
as $$
declare
  fronts bigint[];
begin
  held_ids := '{}';
  if cardinality(p_held) = 0 and coalesce((
    select q.group_concurrency from public.messenger_queues q
    where q.name = split_part(p_queue, '/', 1)
  ), 1) = 1 then
    admitted := messenger.first_of_groups(p_queue, p_ids, p_keys, p_group_keys);
    return;
  end if;
  fronts := array(
    select f.id from messenger.group_fronts(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) f
  );
  admitted := array(select unnest(p_ids) intersect select unnest(fronts));
  held_ids := array(
    select h.id from (
      select m.id, m.group_key from public.messenger_messages m
      where m.ctid = any (p_held) and m.queue = p_queue
    ) as h
    join unnest(p_group_keys) as g (group_key) using (group_key)
  );
  -- A message has appeared in front of one that this claim holds already. It waits until the held one is done.
  if exists (select unnest(held_ids) except select unnest(fronts)) then
    admitted := messenger.beside_held(admitted, held_ids);
  end if;
end
$$;
comment on function messenger.admitted_to_groups(text, bigint[], text[], text[], tid[]) is
  'Part of a claim: those of the candidates whose turn it is in their groups, and which messages of these groups the claim has already.';

create function messenger.refused_groups(
  p_ids bigint[], p_keys text[], p_group_keys text[], p_admitted bigint[]
) returns text[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select distinct c.key
    from unnest(p_ids, p_keys) as c (id, key)
    join unnest(p_group_keys) as g (key) on g.key = c.key
    left join unnest(p_admitted) as a (id) on a.id = c.id
    where a.id is null
  );
end
$$;
comment on function messenger.refused_groups(bigint[], text[], text[], bigint[]) is
  'Part of a claim: the groups, locked by it, that have a candidate whose turn it is not.';

-- `p_candidates` are locked by the claim, `p_held` are the messages that it has already; both are ctids. Where
-- the claim meets a group out of turn, it blocks the other messages of the group too, some thousand at a time.
create function messenger.admit_groups(
  p_queue text, p_candidates tid[], p_held tid[]
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  -- The candidates in the order of their ctids, and the groups whose locks are free.
  places tid[];
  ids bigint[];
  keys text[];
  group_keys text[];
  turn record;
  refused text[];
begin
  -- An older snapshot may show a message in front that has left its group since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are claimed in a read committed transaction only';
  end if;
  select array_agg(m.ctid), array_agg(m.id), array_agg(m.group_key) into places, ids, keys
  from public.messenger_messages m where m.ctid = any (p_candidates);
  group_keys := array(select distinct k from unnest(keys) as k where k is not null);
  group_keys := messenger.try_group_locks(p_queue, group_keys);

  -- Separate statements, because their snapshots have to be taken under the locks.
  turn := messenger.admitted_to_groups(p_queue, ids, keys, group_keys, p_held);
  if cardinality(turn.admitted) = cardinality(p_candidates) then
    return p_candidates;
  end if;
  refused := messenger.refused_groups(ids, keys, group_keys, turn.admitted);
  if cardinality(refused) > 0 then
    perform messenger.block_groups(p_queue, refused, ids, turn.held_ids);
  end if;
  return array(
    select c.place
    from unnest(p_candidates) with ordinality as c (place, position)
    join unnest(places, ids, keys) as m (place, id, key) on m.place = c.place
    left join unnest(turn.admitted) as a (id) on a.id = m.id
    where m.key is null or a.id is not null
    order by c.position
  );
end
$$;
comment on function messenger.admit_groups(text, tid[], tid[]) is
  'Part of a claim: those of the locked messages that are in no group, or whose turn it is in theirs. Blocks the others.';

-- In strict order a candidate may start if no message of its group runs or comes before it. This check costs half as
-- much as reading the fronts of the groups, and one search for the running messages of all groups costs half as much
-- as one search for each group.
create function messenger.first_of_groups(
  p_queue text, p_ids bigint[], p_keys text[], p_group_keys text[]
) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  running text[] := array(
    select distinct r.group_key from public.messenger_messages r
    where r.queue = p_queue
      and r.group_key = any (p_group_keys) and r.heartbeated
  );
begin
  -- Mostly each candidate is the only one of its group.
  if running <> '{}' or cardinality(p_group_keys) < cardinality(p_ids) then
    select array_agg(c.id), array_agg(c.group_key) into p_ids, p_keys
    from (
      select g.group_key, min(l.id) as id
      from unnest(p_ids, p_keys) as l (id, key)
      join (
        select unnest(p_group_keys) except select unnest(running)
      ) as g (group_key) on g.group_key = l.key
      group by g.group_key
    ) as c;
  end if;
  return array(
    select c.id
    from unnest(p_ids, p_keys) as c (id, group_key)
    where not exists (
      select from public.messenger_messages e
      where e.queue = p_queue and e.group_key = c.group_key and e.id < c.id
        and not e.heartbeated and e.status = 'pending'
      -- One index search for each group, however many messages wait.
      offset 0
    )
  );
end
$$;
comment on function messenger.first_of_groups(text, bigint[], text[], text[]) is
  'Part of a claim, for queues whose groups run one message at a time: those of the candidates that are the first of their group, where none of it runs.';

-- Rare, and never the way of many.
create function messenger.beside_held(p_admitted bigint[], p_held bigint[])
returns bigint[]
language sql
set search_path = ''
as $$
  select coalesce(array_agg(a.id), '{}')
  from (
    select m.id, m.queue, m.group_key, row_number() over (
      partition by m.queue, m.group_key order by m.id = any (p_held) desc, m.id
    ) as place
    from public.messenger_messages m where m.id = any (p_admitted || p_held)
  ) as a
  where a.id = any (p_admitted) and a.place <= coalesce(
    (select q.group_concurrency from public.messenger_queues q where q.name = split_part(a.queue, '/', 1)), 1
  ) - (
    select count(*) from public.messenger_messages r
    where r.queue = a.queue and r.group_key = a.group_key and r.heartbeated
  )
$$;
comment on function messenger.beside_held(bigint[], bigint[]) is
  'Part of a claim: those of the admitted messages for which there is room in their groups beside the messages that the claim has already.';

-- `p_met` are messages of these groups, and maybe others, that a claim has met out of turn; the fronts of the
-- groups stay as they are, and so do those in `p_kept`, which the claim has already. The messages behind the
-- first that was met, written since, are read 2,000 at a time.
create function messenger.block_groups(
  p_queue text, p_group_keys text[], p_met bigint[], p_kept bigint[]
) returns void
language plpgsql
set search_path = ''
as $$
declare
  first_met constant bigint := (select min(m) from unnest(p_met) as m);
  behind bigint[];
begin
  behind := array(
    select m.id from unnest(p_group_keys) as g (group_key)
    cross join lateral (
      -- As in messenger.group_fronts: the order begins with the queue.
      select b.id from public.messenger_messages b
      where b.queue = any (array[p_queue]) and b.group_key = g.group_key
        and b.id >= first_met and not b.heartbeated and b.status = 'pending'
      order by b.queue, b.id limit 2000
    ) as m
    limit 2000
  );
  behind := array(
    select unnest(behind)
    except select unnest(p_kept)
    except select f.id from messenger.group_fronts(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) as f
  );
  behind := array(
    select b.id from public.messenger_messages b
    where b.id = any (behind) and not b.blocked
    for update skip locked
  );
  update public.messenger_messages m set blocked = true where m.id = any (behind);
  perform messenger.reopen_groups(
    array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
  );
end
$$;
comment on function messenger.block_groups(text, text[], bigint[], bigint[]) is
  'Part of a claim, under the groups'' locks: blocks messages of these groups from the first on that was met, some 2,000 of them, but none of those that are kept.';

-- The locks are taken in one order, and before anything else that waits, so that two calls never wait for
-- each other.
create function messenger.take_group_locks(p_queues text[], p_group_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(l.lock_key)
  from (
    select distinct g.lock_key
    from messenger.group_locks(p_queues, p_group_keys) as g
    order by 1
  ) as l;
end
$$;
comment on function messenger.take_group_locks(text[], text[]) is
  'Waits for the locks of groups, and holds them until the end of the transaction.';

-- A message that waits may be moved to another group before its group's lock is there: the groups are read
-- once more under their locks. One that runs keeps its group: see messenger.keep_group().
create function messenger.lock_groups(
  p_ids bigint[], p_running boolean default false, out queues text[], out group_keys text[]
)
language plpgsql
set search_path = ''
as $$
declare
  before text[];
begin
  loop
    select coalesce(array_agg(g.queue), '{}'), coalesce(array_agg(g.group_key), '{}')
    into queues, group_keys
    from (
      select distinct m.queue, m.group_key from public.messenger_messages m
      where m.id = any (p_ids) and m.group_key is not null
      order by 1, 2
    ) as g;
    exit when before = queues || group_keys;
    before := queues || group_keys;
    perform messenger.take_group_locks(queues, group_keys);
    exit when p_running;
  end loop;
end
$$;
comment on function messenger.lock_groups(bigint[], boolean) is
  'Takes the locks of these messages'' groups and returns the groups, each once. "running" says that all of them run.';
