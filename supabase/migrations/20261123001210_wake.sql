-- Wake-up: what writes a due message asks for a tick at its commit unless one is awake that will see
-- the message, and no wake-up is lost.
--
-- The rule: who leaves a message to a tick that is awake holds the lock messenger_ticks_key() shared,
-- from before it looks for that tick until its commit. A tick goes to rest only under that lock held
-- alone, having looked for due messages after it got it. So a tick that a dispatch counted on looks
-- once more after that dispatch's commit. Nobody ever waits for the lock: a dispatch that does not
-- get it asks for a tick of its own, a tick that does not get it tries again a little later.

create or replace function public.messenger_wake() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  -- An older snapshot may show a tick as awake that is not.
  if current_setting('transaction_isolation') = 'read committed'
    and pg_try_advisory_xact_lock_shared(public.messenger_ticks_key())
  then
    -- A statement of its own: its snapshot is taken under the lock.
    if exists (select from public.messenger_ticks_awake()) then
      return null;
    end if;
  end if;
  return public.messenger_ask_tick();
end
$$;
comment on function public.messenger_wake() is
  'Asks for a tick at the commit unless one is awake that will see what this transaction writes. Answers the id of the tick it asked for.';

create or replace function public.messenger_wake_for_messages() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from written w
    where w.status = 'pending' and w.available_at <= public.messenger_now()
      and not exists (
        select from public.messenger_queues q where q.name = w.queue and q.paused
        -- Looked up, and not read in full, however many are paused.
        offset 0
      )
  ) then
    perform public.messenger_wake();
  end if;
  return null;
end
$$;
comment on function public.messenger_wake_for_messages() is
  'Trigger: wakes a tick where a message that was just written is due.';

create or replace trigger messenger_messages_wake
  after insert on public.messenger_messages
  referencing new table as written
  for each statement execute function public.messenger_wake_for_messages();

-- Changes in SQL or in the dashboard: a message whose time, queue, priority or turn was changed is due. Of a
-- settle call, whose messages were leased before the statement, this costs the condition and no more; a claim
-- changes none of these columns. One message of a transaction wakes for all of them.
create or replace function public.messenger_wake_for_change() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  this_one constant text := pg_current_xact_id()::text;
begin
  if current_setting('symphony_messenger.woken', true) = this_one
    or exists (select from public.messenger_queues q where q.name = new.queue and q.paused)
  then
    return null;
  end if;
  perform public.messenger_wake();
  perform set_config('symphony_messenger.woken', this_one, true);
  return null;
end
$$;
comment on function public.messenger_wake_for_change() is
  'Trigger: wakes a tick where a waiting message was changed and is due.';

create or replace trigger messenger_messages_wake_for_change
  after update of available_at, queue, priority, blocked on public.messenger_messages
  for each row when (
    old.status = 'pending' and new.status = 'pending' and not new.blocked
    and new.available_at <= public.messenger_now()
    and (old.available_at, old.queue, old.priority, old.blocked)
      is distinct from (new.available_at, new.queue, new.priority, new.blocked)
  )
  execute function public.messenger_wake_for_change();

create or replace function public.messenger_wake_for_queue() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if not new.paused and public.messenger_has_due(queues => array[new.name]) then
    perform public.messenger_wake();
  end if;
  return null;
end
$$;
comment on function public.messenger_wake_for_queue() is
  'Trigger: wakes a tick where a queue''s new settings let its messages start.';

create or replace trigger messenger_queues_wake
  after update on public.messenger_queues
  for each row when (old is distinct from new)
  execute function public.messenger_wake_for_queue();

revoke execute on function
  public.messenger_wake(), public.messenger_wake_for_messages(),
  public.messenger_wake_for_change(), public.messenger_wake_for_queue()
from public, anon, authenticated;
grant execute on function
  public.messenger_wake(), public.messenger_wake_for_messages(),
  public.messenger_wake_for_change(), public.messenger_wake_for_queue()
to service_role;
