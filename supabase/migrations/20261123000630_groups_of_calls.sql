-- What a claim and a settle call do about the groups of their messages, many at a time.

-- `candidates` are locked by the claim, `held` are those it has already; both are ctids. The others of
-- a group that is met out of turn are blocked along with them, some thousand at a time.
create or replace function public.messenger_admit_groups(
  queue text, candidates tid[], held tid[]
) returns tid[]
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  places constant integer := (
    select q.group_concurrency from public.messenger_queues q
    where q.name = messenger_admit_groups.queue
  );
  ids constant bigint[] := array(
    select m.id from public.messenger_messages m where m.ctid = any (candidates)
  );
  held_ids constant bigint[] := array(
    select m.id from public.messenger_messages m where m.ctid = any (held)
  );
  locked text[];
  admitted bigint[];
  refused bigint[];
begin
  -- An older snapshot may show a message in front that has left its group since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are claimed in a read committed transaction only';
  end if;
  locked := array(
    select g.group_key
    from (
      select distinct m.group_key from public.messenger_messages m
      where m.ctid = any (candidates) and m.group_key is not null
    ) as g
    where pg_try_advisory_xact_lock(
      public.messenger_group_lock(messenger_admit_groups.queue, g.group_key)
    )
  );

  -- Statements of their own: their snapshots are taken under the locks.
  admitted := array(
    select free.id
    from unnest(locked) as g (group_key)
    cross join lateral (
      select places
        - (
          select count(*) from public.messenger_messages r
          where r.queue = messenger_admit_groups.queue and r.group_key = g.group_key
            and r.tracked
        )
        - (
          select count(*) from public.messenger_messages h
          where h.ctid = any (held) and h.queue = messenger_admit_groups.queue
            and h.group_key = g.group_key
        ) as number
    ) as room
    cross join lateral (
      select f.id
      from public.messenger_group_front(messenger_admit_groups.queue, g.group_key) as f
      where f.id = any (ids)
      order by f.id limit greatest(room.number, 0)
    ) as free
  );

  refused := array(
    select m.id from public.messenger_messages m
    where m.ctid = any (candidates) and m.group_key = any (locked) and m.id <> all (admitted)
  );
  if cardinality(refused) > 0 then
    perform public.messenger_block_group(messenger_admit_groups.queue, r.group_key, held_ids)
    from (
      select distinct m.group_key from public.messenger_messages m where m.id = any (refused)
    ) as r;
  end if;

  return array(
    select c.place
    from unnest(candidates) with ordinality as c (place, position)
    join public.messenger_messages m on m.ctid = c.place
    where m.group_key is null or m.id = any (admitted)
    order by c.position
  );
end
$$;
comment on function public.messenger_admit_groups(text, tid[], tid[]) is
  'Part of a claim: those of the locked messages that are in no group, or whose turn it is in theirs. Blocks the others.';

create or replace function public.messenger_block_group(
  queue text, group_key text, held bigint[] default '{}'
) returns void
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  front constant bigint[] := held || array(
    select f.id from public.messenger_group_front(
      messenger_block_group.queue, messenger_block_group.group_key
    ) f
  );
  behind bigint[];
begin
  behind := array(
    select b.id from public.messenger_messages b
    where b.group_key is not null and b.status = 'pending' and b.id <> all (front)
      and (b.queue, b.group_key, b.blocked)
        >= (messenger_block_group.queue, messenger_block_group.group_key, false)
      and (b.queue, b.group_key, b.blocked)
        <= (messenger_block_group.queue, messenger_block_group.group_key, false)
    order by b.queue, b.group_key, b.blocked, b.id limit 2000
    for update skip locked
  );
  -- By an array: a join with a subquery may be planned as a read of the whole table.
  update public.messenger_messages m set blocked = true where m.id = any (behind);
  perform public.messenger_open_group(
    messenger_block_group.queue, messenger_block_group.group_key
  );
end
$$;
comment on function public.messenger_block_group(text, text, bigint[]) is
  'Part of a claim, under the group''s lock: blocks the messages of a group behind the first ones, up to 2,000 of them, but none that the claim has already.';

-- In one order, and before anything else that waits, so that two of them never wait for each other.
create or replace function public.messenger_lock_groups(ids bigint[]) returns void
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  perform pg_advisory_xact_lock(g.lock_key)
  from (
    select distinct public.messenger_group_lock(m.queue, m.group_key) as lock_key
    from public.messenger_messages m
    where m.id = any (ids) and m.group_key is not null
    order by 1
  ) as g;
end
$$;
comment on function public.messenger_lock_groups(bigint[]) is
  'Takes the locks of these messages'' groups, for a settle call.';

create or replace function public.messenger_open_groups(ids bigint[]) returns void
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  perform public.messenger_open_group(g.queue, g.group_key)
  from (
    select distinct m.queue, m.group_key from public.messenger_messages m
    where m.id = any (ids) and m.group_key is not null
  ) as g;
end
$$;
comment on function public.messenger_open_groups(bigint[]) is
  'Part of a settle call: opens the groups of messages that were given back. An earlier one may have come while they ran.';

revoke execute on function
  public.messenger_admit_groups(text, tid[], tid[]),
  public.messenger_block_group(text, text, bigint[]),
  public.messenger_lock_groups(bigint[]),
  public.messenger_open_groups(bigint[])
from public, anon, authenticated;
grant execute on function
  public.messenger_admit_groups(text, tid[], tid[]),
  public.messenger_block_group(text, text, bigint[]),
  public.messenger_lock_groups(bigint[]),
  public.messenger_open_groups(bigint[])
to service_role;
