-- Groups: the messages of one queue with one key run in the order of their ids. The first ones of a
-- group may run, as many as the queue's group_concurrency says (1: strict order); one that waits for its
-- retry keeps its place, and those behind it wait: they are blocked, which takes them out of the
-- claim's index, so that a long group stands in nobody's way.
--
-- Writing a message locks nothing: it comes unblocked, and the claim that meets it out of turn blocks
-- it. A claim and whatever removes a message look at a group only under its advisory lock, so that no
-- message is blocked behind one that is just leaving. A claim never waits for that lock; a removal does,
-- for the length of a claim.

create index if not exists messenger_messages_group_idx
  on public.messenger_messages (queue, group_key, blocked, id)
  where group_key is not null;
comment on index public.messenger_messages_group_idx is
  'The order within a group; holds only messages that have one.';

create index if not exists messenger_messages_group_running_idx
  on public.messenger_messages (queue, group_key)
  where group_key is not null and status = 'processing';
comment on index public.messenger_messages_group_running_idx is
  'Running messages of groups.';

create or replace function public.messenger_group_lock(queue text, group_key text) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select pg_catalog.hashtextextended(
    group_key, pg_catalog.hashtextextended(queue, pg_catalog.hashtextextended('symphony_messenger.group', 0))
  )
$$;
comment on function public.messenger_group_lock(text, text) is
  'The advisory lock of a group.';

-- The messages of a group whose turn it is, running ones among them. Reads a few rows, however long
-- the group.
create or replace function public.messenger_group_front(queue text, group_key text)
returns table (id bigint, status text, blocked boolean)
language sql volatile
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
  with places as (
    select q.group_concurrency as number from public.messenger_queues q
    where q.name = messenger_group_front.queue
  )
  select f.id, f.status, f.blocked
  from (
    (
      select m.id, m.status, m.blocked from public.messenger_messages m
      where m.queue = messenger_group_front.queue
        and m.group_key = messenger_group_front.group_key and not m.blocked
      order by m.id limit (select number from places)
    )
    union all
    (
      select m.id, m.status, m.blocked from public.messenger_messages m
      where m.queue = messenger_group_front.queue
        and m.group_key = messenger_group_front.group_key and m.blocked
      order by m.id limit (select number from places)
    )
  ) as f
  order by f.id limit (select number from places)
$$;
comment on function public.messenger_group_front(text, text) is
  'The first messages of a group, as many as may run at once.';

create or replace function public.messenger_open_group(queue text, group_key text) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_messages m set blocked = false
  where m.id in (
    select b.id from public.messenger_messages b
    where b.id in (
        select f.id from public.messenger_group_front(
          messenger_open_group.queue, messenger_open_group.group_key
        ) f
        where f.blocked
      )
    for update skip locked
  );
end
$$;
comment on function public.messenger_open_group(text, text) is
  'Unblocks the messages of a group whose turn it is. The caller holds the group''s lock.';

create or replace function public.messenger_leave_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- An older snapshot may show a message as free that a claim has blocked since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are removed in a read committed transaction only';
  end if;
  perform pg_advisory_xact_lock(public.messenger_group_lock(old.queue, old.group_key));
  perform public.messenger_open_group(old.queue, old.group_key);
  return null;
end
$$;
comment on function public.messenger_leave_group() is
  'Trigger: a message that may have run has left its group; the next one''s turn has come.';

create or replace trigger messenger_messages_group_left
  after delete on public.messenger_messages
  for each row when (old.group_key is not null and not old.blocked)
  execute function public.messenger_leave_group();

create or replace trigger messenger_messages_group_changed
  after update of queue, group_key on public.messenger_messages
  for each row when (
    old.group_key is not null and not old.blocked
    and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function public.messenger_leave_group();

create or replace function public.messenger_join_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.blocked := false;
  return new;
end
$$;
comment on function public.messenger_join_group() is
  'Trigger: a message that was moved by hand to another group has its place there looked at by the next claim.';

create or replace trigger messenger_messages_group_joined
  before update of queue, group_key on public.messenger_messages
  for each row when ((old.queue, old.group_key) is distinct from (new.queue, new.group_key))
  execute function public.messenger_join_group();

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

-- `candidates` are locked by the claim, `held` are those it has already. The others of a group that is
-- met out of turn are blocked along with them, some thousand at a time.
create or replace function public.messenger_admit_groups(
  queue text, candidates bigint[], held bigint[]
) returns bigint[]
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
  locked text[];
  admitted bigint[];
  refused bigint[];
begin
  locked := array(
    select g.group_key
    from (
      select distinct m.group_key from public.messenger_messages m
      where m.id = any (candidates) and m.group_key is not null
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
            and r.status = 'processing'
        )
        - (
          select count(*) from public.messenger_messages h
          where h.id = any (held) and h.queue = messenger_admit_groups.queue
            and h.group_key = g.group_key
        ) as number
    ) as room
    cross join lateral (
      select f.id
      from public.messenger_group_front(messenger_admit_groups.queue, g.group_key) as f
      where f.id = any (candidates)
      order by f.id limit greatest(room.number, 0)
    ) as free
  );

  refused := array(
    select m.id from public.messenger_messages m
    where m.id = any (candidates) and m.group_key = any (locked) and m.id <> all (admitted)
  );
  if cardinality(refused) > 0 then
    perform public.messenger_block_group(messenger_admit_groups.queue, r.group_key)
    from (
      select distinct m.group_key from public.messenger_messages m where m.id = any (refused)
    ) as r;
  end if;

  return array(
    select c.id
    from unnest(candidates) with ordinality as c (id, position)
    join public.messenger_messages m on m.id = c.id
    where m.group_key is null or c.id = any (admitted)
    order by c.position
  );
end
$$;
comment on function public.messenger_admit_groups(text, bigint[], bigint[]) is
  'Part of a claim: those of the locked messages that are in no group, or whose turn it is in theirs. Blocks the others.';

create or replace function public.messenger_block_group(queue text, group_key text) returns void
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  front constant bigint[] := array(
    select f.id from public.messenger_group_front(
      messenger_block_group.queue, messenger_block_group.group_key
    ) f
  );
begin
  update public.messenger_messages m set blocked = true
  where m.id in (
    select b.id from public.messenger_messages b
    where b.queue = messenger_block_group.queue and b.group_key = messenger_block_group.group_key
      and not b.blocked and b.status = 'pending' and b.id <> all (front)
    order by b.id limit 2000
    for update skip locked
  );
  perform public.messenger_open_group(
    messenger_block_group.queue, messenger_block_group.group_key
  );
end
$$;
comment on function public.messenger_block_group(text, text) is
  'Part of a claim, under the group''s lock: blocks the messages of a group behind the first ones, up to 2,000 of them.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'messenger_group_lock(text, text)', 'messenger_group_front(text, text)',
    'messenger_open_group(text, text)', 'messenger_leave_group()', 'messenger_join_group()',
    'messenger_lock_groups(bigint[])', 'messenger_admit_groups(text, bigint[], bigint[])',
    'messenger_block_group(text, text)'
  ] loop
    execute format('revoke execute on function public.%s from public, anon, authenticated', signature);
    execute format('grant execute on function public.%s to service_role', signature);
  end loop;
end
$$;
