-- Groups: the messages of one queue with one key run in the order of their ids. The first ones of a
-- group may run, as many as the queue's group_concurrency says (1: strict order); one that waits for its
-- retry keeps its place, and those behind it wait: they are blocked, which takes them out of the
-- claim's index, so that a long group does not slow down claims.
--
-- Writing a message takes no lock of its group: the message is written unblocked, and a claim that finds it out of
-- turn blocks it. Claims, and all that removes messages, read a group only under its advisory lock, so that no
-- message is blocked behind one that is just leaving. A claim never waits for that lock. A settle call and a cancel
-- wait for it before they lock a message. A user's SQL that removes or moves messages has locked them already, so
-- it waits 0.2 s at most. No session waits for the message that is to be unblocked: if another session has locked
-- that message or the group, the group is noted, and the next claim that sweeps checks the group again.

create table messenger.groups_to_reopen (
  queue text collate "C" not null,
  group_key text collate "C" not null,
  after_key text collate "C" not null default '',
  id bigint generated always as identity primary key
);

-- A group may be noted more than once. With one note for each group, two sessions that note the same groups would
-- wait for each other, in no fixed order.
create index groups_to_reopen_group_idx
  on messenger.groups_to_reopen (queue, group_key);
comment on index messenger.groups_to_reopen_group_idx is
  'The notes of a group.';

comment on table messenger.groups_to_reopen is
  'Groups that the next sweep checks: their turn came while another session had the group or its next message locked, or their queue''s group_concurrency was raised. Nearly always empty.';
comment on column messenger.groups_to_reopen.queue is
  'Queue of the group.';
comment on column messenger.groups_to_reopen.group_key is
  'Key of the group; empty for all groups of the queue that have blocked messages.';
comment on column messenger.groups_to_reopen.after_key is
  'Of a note for all groups of a queue: those behind this key are still to be looked at.';
comment on column messenger.groups_to_reopen.id is
  'Identity of the note.';

alter table messenger.groups_to_reopen enable row level security;

-- Running messages are in messenger_messages_running_idx instead: a claim moves its messages from this index
-- to that one, which costs one index entry.
create index messenger_messages_group_idx
  on public.messenger_messages (queue, group_key, id)
  where group_key is not null and not heartbeated;
comment on index public.messenger_messages_group_idx is
  'The order within a group; holds only messages that have one and wait.';

create index messenger_messages_blocked_idx
  on public.messenger_messages (queue, group_key)
  where blocked;
comment on index public.messenger_messages_blocked_idx is
  'Groups that have blocked messages.';

create function messenger.group_locks(p_queues text[], p_group_keys text[])
returns table (queue text, group_key text, lock_key bigint)
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return query
  select g.queue, g.group_key, pg_catalog.hashtextextended('symphony_messenger.group', 0)
    + (pg_catalog.hashtextextended(g.group_key, pg_catalog.hashtextextended(g.queue, 0)) & 2047)
  from unnest(p_queues, p_group_keys) as g (queue, group_key);
end
$$;
comment on function messenger.group_locks(text[], text[]) is
  'The advisory locks of groups, each one of 2,048: Postgres has room for some thousand locks, and a call may remove messages of any number of groups.';

-- The waiting messages of these groups whose turn it is: the first ones of each, as many as there is room
-- for beside those that run. `p_queues` and `p_group_keys` go together, and name each group once.
--
-- It reads a few rows of each group, however long the groups are and however many others there are: it reads the
-- index where queue and group_key are equal, in the order of the ids. There are two traps. A range of rows,
-- (queue, group_key) between ..., is bounded by its first column alone. And with two plain equalities, the planner
-- may use the primary key for the order by id, and walk through the whole table to the first match. So the order
-- begins with the queue, and the queue is compared to an array of one element: then the planner does not know that
-- all rows have the same queue.
create function messenger.group_fronts(p_queues text[], p_group_keys text[])
returns table (id bigint, blocked boolean)
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql
set search_path = ''
as $$
declare
  -- Looks up the setting once for each queue, and not for each of its groups.
  widths constant jsonb := (
    select jsonb_object_agg(q.name, q.group_concurrency) from public.messenger_queues q
    where q.name = any (array(select distinct split_part(unnest(p_queues), '/', 1)))
  );
begin
  return query
  select f.id, f.blocked
  from unnest(p_queues, p_group_keys) as g (queue, group_key)
  cross join lateral (
    select coalesce((widths -> split_part(g.queue, '/', 1))::integer, 1) - (
      select count(*) from public.messenger_messages r
      where r.queue = g.queue and r.group_key = g.group_key and r.heartbeated
    ) as places
    -- Calculated once, and not wherever it is named.
    offset 0
  ) as room
  cross join lateral (
    select m.id, m.blocked from public.messenger_messages m
    where m.queue = any (array[g.queue]) and m.group_key = g.group_key
      and not m.heartbeated and m.status = 'pending'
    order by m.queue, m.id limit greatest(room.places, 0)
  ) as f;
end
$$;
comment on function messenger.group_fronts(text[], text[]) is
  'The waiting messages of groups that may run now: the first ones of each, beside those that run.';

create function messenger.reopen_groups(p_queues text[], p_group_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  waiting bigint[];
  free bigint[];
begin
  -- Most groups have none.
  select array_agg(g.queue), array_agg(g.group_key) into p_queues, p_group_keys
  from unnest(p_queues, p_group_keys) as g (queue, group_key)
  where exists (
    select from public.messenger_messages m
    where m.queue = g.queue and m.group_key = g.group_key and m.blocked
    -- Looked up for each of the groups, however many blocked messages there are.
    offset 0
  );
  if p_queues is null then
    return;
  end if;
  waiting := array(
    select distinct f.id from messenger.group_fronts(p_queues, p_group_keys) f where f.blocked
  );
  if cardinality(waiting) = 0 then
    return;
  end if;
  free := array(
    select b.id from public.messenger_messages b where b.id = any (waiting)
    for update skip locked
  );
  update public.messenger_messages m set blocked = false where m.id = any (free);
  if cardinality(free) < cardinality(waiting) then
    insert into messenger.groups_to_reopen (queue, group_key)
    select distinct m.queue, m.group_key from public.messenger_messages m
    where m.id = any (array(select unnest(waiting) except select unnest(free)));
  end if;
end
$$;
comment on function messenger.reopen_groups(text[], text[]) is
  'Unblocks the messages of groups whose turn it is; notes the groups where another session has one of them locked. The caller holds the groups'' locks.';

-- Takes a thousand groups at a time. A note for all groups of a queue then says behind which key the next sweep
-- continues.
create function messenger.reopen_noted_groups() returns void
language plpgsql
set search_path = ''
as $$
declare
  noted record;
  queues text[];
  group_keys text[];
begin
  -- An older snapshot may not show why a group was noted. Nearly always there are no notes, and the statements below take
  -- 45 us to find that out.
  if current_setting('transaction_isolation') <> 'read committed'
    or not exists (select from messenger.groups_to_reopen)
  then
    return;
  end if;
  for noted in
    select u.id, u.queue, u.after_key from messenger.groups_to_reopen u
    where u.group_key = ''
    order by u.queue limit 1
    for update skip locked
  loop
    delete from messenger.groups_to_reopen u where u.id = noted.id;
    perform messenger.note_blocked_groups(noted.queue, noted.after_key);
  end loop;

  with found as materialized (
    select u.id, u.queue, u.group_key from messenger.groups_to_reopen u
    where u.group_key <> ''
    limit 1000
    for update skip locked
  ),
  locked as materialized (
    select f.id, l.queue, l.group_key
    from found f
    cross join lateral messenger.group_locks(array[f.queue], array[f.group_key]) as l
    where pg_try_advisory_xact_lock(l.lock_key)
  ),
  gone as (
    -- Deletes only the notes that this session has locked: another session may have locked other notes of these groups.
    delete from messenger.groups_to_reopen u
    using locked l
    where u.id = l.id
    returning u.queue, u.group_key
  )
  select array_agg(g.queue), array_agg(g.group_key) into queues, group_keys
  from (select distinct n.queue, n.group_key from gone n) as g;
  -- A separate statement, because its snapshot has to be taken under the locks.
  if queues is not null then
    perform messenger.reopen_groups(queues, group_keys);
  end if;
end
$$;
comment on function messenger.reopen_noted_groups() is
  'Part of a sweep: checks again the groups in messenger.groups_to_reopen, up to 1,000 of them.';

create function messenger.note_blocked_groups(p_queue text, p_after_key text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  current_key text := p_after_key;
begin
  for step in 1..1000 loop
    current_key := (
      select m.group_key from public.messenger_messages m
      where m.queue = p_queue and m.blocked
        and m.group_key > current_key
      order by m.queue, m.group_key limit 1
    );
    exit when current_key is null;
    insert into messenger.groups_to_reopen (queue, group_key)
    values (p_queue, current_key);
  end loop;
  if current_key is not null then
    insert into messenger.groups_to_reopen (queue, group_key, after_key)
    values (p_queue, '', current_key);
  end if;
end
$$;
comment on function messenger.note_blocked_groups(text, text) is
  'Notes up to 1,000 groups of a queue that have blocked messages, those behind a key, and how far it has come where there are more.';
