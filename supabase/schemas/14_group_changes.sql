-- Changes of groups: triggers that keep the order of a group right when a message leaves it, joins it or is
-- moved, and when a queue's group_concurrency is raised.

create function messenger.note_blocked_lanes(p_queue text) returns void
language plpgsql
set search_path = ''
as $$
declare
  behind record;
begin
  select p_queue || '/' as queue, '' as group_key into behind;
  for step in 1..1000 loop
    select m.queue, m.group_key into behind from public.messenger_messages m
    where (m.queue, m.group_key) > (behind.queue, behind.group_key) and m.queue < p_queue || '/~' and m.blocked
    order by m.queue, m.group_key limit 1;
    exit when behind.queue is null;
    insert into messenger.groups_to_reopen (queue, group_key) values (behind.queue, behind.group_key);
  end loop;
end
$$;
comment on function messenger.note_blocked_lanes(text) is
  'Notes up to 1,000 groups in the lanes of a queue that have blocked messages. Further groups widen when their next message is done.';

create function messenger.widen_groups() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.note_blocked_groups(new.name, '');
  perform messenger.note_blocked_lanes(new.name);
  perform messenger.reopen_noted_groups();
  return null;
end
$$;
comment on function messenger.widen_groups() is
  'Trigger: a queue''s group_concurrency was raised; more of each group may run.';

-- Triggers run in the order of their names: this one runs before the trigger that wakes a tick for due messages.
create trigger messenger_queues_groups
  after update on public.messenger_queues
  for each row when (new.group_concurrency > old.group_concurrency)
  execute function messenger.widen_groups();

create function messenger.leave_group() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  this_one constant xid := pg_current_xact_id()::xid;
  is_locked boolean;
begin
  -- An older snapshot may show a message as unblocked that a claim has blocked since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are removed in a read committed transaction only';
  end if;
  -- A claim holds the group's lock for some milliseconds. But a settle call that holds the lock may be waiting for
  -- the message that this transaction has locked. So the trigger tries for 0.2 s at most, once in a transaction.
  for try in 1..10 loop
    select pg_try_advisory_xact_lock(l.lock_key) into is_locked
    from messenger.group_locks(array[old.queue], array[old.group_key]) as l;
    exit when is_locked
      or exists (select from messenger.groups_to_reopen u where u.xmin = this_one);
    perform pg_sleep(0.02);
  end loop;
  if is_locked then
    perform messenger.reopen_groups(array[old.queue], array[old.group_key]);
  elsif not exists (
    -- Only this transaction's own note counts: another session may be deleting its note at this moment.
    select from messenger.groups_to_reopen u
    where u.queue = old.queue and u.group_key = old.group_key and u.xmin = this_one
  ) then
    insert into messenger.groups_to_reopen (queue, group_key)
    values (old.queue, old.group_key);
    perform messenger.wake();
  end if;
  return null;
end
$$;
comment on function messenger.leave_group() is
  'Trigger: a message that may have run has left its group; the next one''s turn has come.';

-- A settle call reopens the groups of all its messages in one step at its end, and a setting of its transaction turns
-- this trigger off. The trigger is for messages that are deleted in any other way.
create trigger messenger_messages_group_left
  after delete on public.messenger_messages
  for each row when (
    old.group_key is not null and not old.blocked
    and current_setting('messenger.groups', true) is distinct from 'settled'
  )
  execute function messenger.leave_group();

create trigger messenger_messages_group_changed
  after update of queue, group_key on public.messenger_messages
  for each row when (
    old.group_key is not null and not old.blocked
    and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.leave_group();

create function messenger.join_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_messages m set blocked = false where m.id = new.id;
  return null;
end
$$;
comment on function messenger.join_group() is
  'Trigger: after an update moved a message to another group, the next claim checks its place in that group.';

-- A trigger before the update would be simpler. But it makes Postgres lock each row of every update once more, also
-- of messages without a group, which costs each claim 0.3 us a message. So this trigger comes after the update.
create trigger messenger_messages_group_joined
  after update of queue, group_key on public.messenger_messages
  for each row when (
    new.blocked and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.join_group();

create function messenger.keep_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using message = format(
    'group_key: message %s runs, and keeps its queue and group until it is done', new.id
  );
end
$$;
comment on function messenger.keep_group() is
  'Trigger: refuses to move a running message to another group, because the end of the message would not unblock that group.';

create trigger messenger_messages_group_kept
  after update of queue, group_key on public.messenger_messages
  for each row when (
    old.status = 'processing' and new.status = 'processing'
    and (old.group_key is not null or new.group_key is not null)
    and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.keep_group();
