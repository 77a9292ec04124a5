-- Groups: the messages of one queue with one key run in the order of their ids. The first ones of a
-- group may run, as many as the queue's group_concurrency says (1: strict order); one that waits for its
-- retry keeps its place, and those behind it wait: they are blocked, which takes them out of the
-- claim's index, so that a long group stands in nobody's way.
--
-- Writing a message locks nothing: it comes unblocked, and the claim that meets it out of turn blocks
-- it. A claim and whatever removes a message look at a group only under its advisory lock, so that no
-- message is blocked behind one that is just leaving. A claim never waits for that lock; a removal does,
-- for the length of a claim. Nobody waits for the message that is to be unblocked: where another session
-- has it locked, the group is noted, and the next claim that sweeps looks at it.

create table if not exists public.messenger_unopened_groups (
  queue text not null,
  group_key text not null,
  primary key (queue, group_key)
);

comment on table public.messenger_unopened_groups is
  'Groups that the next sweep looks at: their turn came while another session had the next message locked, or their queue''s group_concurrency was raised. Nearly always empty.';
comment on column public.messenger_unopened_groups.queue is
  'Queue of the group.';
comment on column public.messenger_unopened_groups.group_key is
  'Key of the group.';

alter table public.messenger_unopened_groups enable row level security;
revoke all on table public.messenger_unopened_groups from anon, authenticated;
grant select, insert, update, delete on table public.messenger_unopened_groups to service_role;

create index if not exists messenger_messages_group_idx
  on public.messenger_messages (queue, group_key, blocked, id)
  where group_key is not null;
comment on index public.messenger_messages_group_idx is
  'The order within a group; holds only messages that have one.';

create index if not exists messenger_messages_group_running_idx
  on public.messenger_messages (queue, group_key)
  where group_key is not null and tracked;
comment on index public.messenger_messages_group_running_idx is
  'Running messages of groups.';

create or replace function public.messenger_group_lock(queue text, group_key text) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select pg_catalog.hashtextextended('symphony_messenger.group', 0)
    + (pg_catalog.hashtextextended(group_key, pg_catalog.hashtextextended(queue, 0)) & 2047)
$$;
comment on function public.messenger_group_lock(text, text) is
  'The advisory lock of a group: one of 2,048, for Postgres has room for some thousand locks, and a call may remove messages of any number of groups.';

-- The messages of a group whose turn it is: those that run, and the first of the others where there is
-- room beside them. Reads a few rows, however long the group: a range of the group's index, in its order,
-- for where the columns are equal to something the planner may walk through all ids instead.
create or replace function public.messenger_group_front(queue text, group_key text)
returns table (id bigint, status text, blocked boolean)
-- Not in SQL, which would be planned anew by each call.
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
  free integer;
begin
  return query
  select m.id, m.status, m.blocked from public.messenger_messages m
  where m.queue = messenger_group_front.queue
    and m.group_key = messenger_group_front.group_key and m.tracked;

  get diagnostics free = row_count;
  free := coalesce(
    (
      select q.group_concurrency from public.messenger_queues q
      where q.name = messenger_group_front.queue
    ),
    1
  ) - free;
  if free <= 0 then
    return;
  end if;

  return query
  select f.id, f.status, f.blocked
  from (
    (
      select m.id, m.status, m.blocked from public.messenger_messages m
      where m.group_key is not null and m.status = 'pending'
        and (m.queue, m.group_key, m.blocked)
          >= (messenger_group_front.queue, messenger_group_front.group_key, false)
        and (m.queue, m.group_key, m.blocked)
          <= (messenger_group_front.queue, messenger_group_front.group_key, false)
      order by m.queue, m.group_key, m.blocked, m.id limit free
    )
    union all
    (
      select m.id, m.status, m.blocked from public.messenger_messages m
      where m.group_key is not null and m.status = 'pending'
        and (m.queue, m.group_key, m.blocked)
          >= (messenger_group_front.queue, messenger_group_front.group_key, true)
        and (m.queue, m.group_key, m.blocked)
          <= (messenger_group_front.queue, messenger_group_front.group_key, true)
      order by m.queue, m.group_key, m.blocked, m.id limit free
    )
  ) as f
  order by f.id limit free;
end
$$;
comment on function public.messenger_group_front(text, text) is
  'The messages of a group that run, and those that may run beside them: the first ones of the others.';

create or replace function public.messenger_open_group(queue text, group_key text) returns void
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  waiting constant bigint[] := array(
    select f.id from public.messenger_group_front(
      messenger_open_group.queue, messenger_open_group.group_key
    ) f
    where f.blocked
  );
  free bigint[];
begin
  if cardinality(waiting) = 0 then
    return;
  end if;
  free := array(
    select b.id from public.messenger_messages b where b.id = any (waiting)
    for update skip locked
  );
  update public.messenger_messages m set blocked = false where m.id = any (free);
  if cardinality(free) < cardinality(waiting) then
    insert into public.messenger_unopened_groups (queue, group_key)
    values (messenger_open_group.queue, messenger_open_group.group_key)
    on conflict do nothing;
  end if;
end
$$;
comment on function public.messenger_open_group(text, text) is
  'Unblocks the messages of a group whose turn it is; notes the group where another session has one of them locked. The caller holds the group''s lock.';

create or replace function public.messenger_open_noted_groups() returns void
language plpgsql
set search_path = ''
as $$
declare
  noted record;
begin
  -- An older snapshot may not show why a group was noted.
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  for noted in
    select u.queue, u.group_key from public.messenger_unopened_groups u
    limit 1000
    for update skip locked
  loop
    if pg_try_advisory_xact_lock(public.messenger_group_lock(noted.queue, noted.group_key)) then
      delete from public.messenger_unopened_groups u
      where u.queue = noted.queue and u.group_key = noted.group_key;
      perform public.messenger_open_group(noted.queue, noted.group_key);
    end if;
  end loop;
end
$$;
comment on function public.messenger_open_noted_groups() is
  'Part of a sweep: looks again at groups in messenger_unopened_groups, up to 1,000 of them.';

create or replace function public.messenger_widen_groups() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into public.messenger_unopened_groups (queue, group_key)
  select distinct m.queue, m.group_key from public.messenger_messages m
  where m.queue = new.name and m.group_key is not null and m.blocked
  on conflict do nothing;
  perform public.messenger_open_noted_groups();
  return null;
end
$$;
comment on function public.messenger_widen_groups() is
  'Trigger: a queue''s group_concurrency was raised; more of each group may run.';

-- By its name it comes before the trigger that wakes a tick for what is due now.
create or replace trigger messenger_queues_groups
  after update on public.messenger_queues
  for each row when (new.group_concurrency > old.group_concurrency)
  execute function public.messenger_widen_groups();

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
  update public.messenger_messages m set blocked = false where m.id = new.id;
  return null;
end
$$;
comment on function public.messenger_join_group() is
  'Trigger: a message that was moved by hand to another group has its place there looked at by the next claim.';

-- Not before the update: such a trigger on the table makes Postgres lock each row of every update once
-- more and compute its generated column anew, for messages that have no group as well.
create or replace trigger messenger_messages_group_joined
  after update of queue, group_key on public.messenger_messages
  for each row when (
    new.blocked and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function public.messenger_join_group();

revoke execute on function
  public.messenger_group_lock(text, text),
  public.messenger_group_front(text, text),
  public.messenger_open_group(text, text),
  public.messenger_open_noted_groups(),
  public.messenger_leave_group(),
  public.messenger_join_group(),
  public.messenger_widen_groups()
from public, anon, authenticated;
grant execute on function
  public.messenger_group_lock(text, text),
  public.messenger_group_front(text, text),
  public.messenger_open_group(text, text),
  public.messenger_open_noted_groups(),
  public.messenger_leave_group(),
  public.messenger_join_group(),
  public.messenger_widen_groups()
to service_role;
