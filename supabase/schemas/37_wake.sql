-- Wake-up: a transaction that writes a due message asks for a tick at its commit, unless a tick is awake that will
-- see the message. No wake-up is lost.
--
-- The rule: a dispatch that leaves its message to an awake tick takes the lock messenger.ticks_key() shared before it
-- searches that tick, and holds the lock until its commit. A tick goes to rest only while it holds that lock alone,
-- and it polls for due messages after it has got the lock. So a tick that a dispatch counted on polls once more after
-- that dispatch's commit. No session ever waits for the lock: a dispatch that does not get it asks for a tick of its
-- own, and a tick that does not get it tries again a little later.
--
-- A dispatch of a message that falls due later, but before the next minute's tick, counts on a tick in the same way.
-- A tick that is awake will do, because it does not rest before some tick is known to poll again in time. A tick at
-- rest will do if it polls again before that moment (wakes_at). Else the dispatch asks for a tick, which waits for the
-- message.

-- In an older snapshot (repeatable read) a tick counts only if no transaction has changed its row since: see
-- messenger.ticks_awake(). Dispatches that overlap each ask for a tick of their own, in any isolation: one of them may
-- be rolled back, and its request with it, and none waits to see whether the other commits. One tick too many costs
-- one call: it ends at its start. 60 dispatches over four connections asked for four ticks.
--
-- A transaction asks once, however long it takes: its request is sent at its commit, and the tick then sees all that it
-- has written. A rollback to a savepoint takes the note of the request back together with the request.
create function messenger.wake(p_due_at timestamptz default null) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  before constant text[] := string_to_array(current_setting('symphony_messenger.asked', true), ' ');
  asked bigint;
begin
  if before[1] = pg_current_xact_id()::text
    and exists (select from public.messenger_ticks t where t.id = before[2]::bigint)
  then
    return null;
  end if;
  if pg_try_advisory_xact_lock_shared(messenger.ticks_key()) then
    -- A separate statement, because its snapshot has to be taken under the lock.
    if messenger.has_tick_for(coalesce(p_due_at, public.messenger_now())) then
      return null;
    end if;
  end if;
  asked := messenger.ask_tick();
  if asked is not null then
    perform set_config('symphony_messenger.asked', pg_current_xact_id()::text || ' ' || asked, true);
  end if;
  return asked;
end
$$;
comment on function messenger.wake(timestamptz) is
  'Asks for a tick at the commit unless one will see what this transaction writes when it is due: now where no time is given. Returns the id of the tick it asked for.';

create function messenger.wake_for_next() returns bigint
language plpgsql
set search_path = ''
as $$
declare
  next_at timestamptz;
begin
  -- Mostly a tick that is awake is the caller.
  if pg_try_advisory_xact_lock_shared(messenger.ticks_key())
    and exists (select from messenger.ticks_awake())
  then
    return null;
  end if;
  next_at := messenger.next_work();
  return case when next_at < messenger.next_minute() then messenger.wake(next_at) end;
end
$$;
comment on function messenger.wake_for_next() is
  'Asks for a tick at the commit unless one will see the message that falls due next. Returns the id of the tick it asked for.';

create function messenger.wake_for_messages() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  until timestamptz;
  due_at timestamptz;
begin
  if exists (select from messenger.lane_scans) then
    perform messenger.note_lane(o.queue) from (
      select distinct w.queue from written w
      where strpos(w.queue, '/') > 0 and w.available_at <= messenger.lanes_due_from(split_part(w.queue, '/', 1))
    ) as o;
  end if;
  if exists (
    select from written w
    where w.status = 'pending' and w.available_at <= public.messenger_now()
      and not exists (
        select from public.messenger_queues q
        where q.name in (w.queue, split_part(w.queue, '/', 1)) and (q.paused or q.runs_on = 'worker')
        -- Looks up the queues of these messages, however many other queues are paused.
        offset 0
      )
  ) then
    perform messenger.wake();
    return null;
  end if;
  until := messenger.next_minute();
  select min(w.available_at) into due_at
  from written w
  where w.status = 'pending' and w.available_at < until
    and not exists (
      select from public.messenger_queues q
      where q.name in (w.queue, split_part(w.queue, '/', 1)) and (q.paused or q.runs_on = 'worker') offset 0
    );
  if due_at is not null then
    perform messenger.wake(due_at);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_messages() is
  'Trigger: wakes a tick where a message that was just written is due, or falls due before the next minute''s tick.';

create trigger messenger_messages_wake
  after insert on public.messenger_messages
  referencing new table as written
  for each statement execute function messenger.wake_for_messages();

-- For changes in SQL or in the dashboard: a message whose time, queue, priority or `blocked` was changed may be due
-- now. A settle call pays only for the trigger's condition, which its leased messages do not meet, and a claim changes
-- none of these columns. One message of a transaction asks for a tick for all others that are due no earlier.
create function messenger.wake_for_change() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  woken constant text[] := string_to_array(current_setting('symphony_messenger.woken', true), ' ');
  this_one constant text := pg_current_xact_id()::text;
  due_at constant double precision := extract(epoch from new.available_at);
begin
  if strpos(new.queue, '/') > 0 then
    perform messenger.note_lane(new.queue);
  end if;
  -- This transaction has already asked for a tick for this moment or an earlier one.
  if woken[1] = this_one and woken[2]::double precision <= due_at
    or exists (
      select from public.messenger_queues q
      where q.name in (new.queue, split_part(new.queue, '/', 1)) and (q.paused or q.runs_on = 'worker')
    )
  then
    return null;
  end if;
  perform messenger.wake(new.available_at);
  perform set_config('symphony_messenger.woken', this_one || ' ' || due_at, true);
  return null;
end
$$;
comment on function messenger.wake_for_change() is
  'Trigger: wakes a tick where a waiting message was changed and is due, or falls due before the next minute''s tick.';

create trigger messenger_messages_wake_for_change
  after update of available_at, queue, priority, blocked on public.messenger_messages
  for each row when (
    old.status = 'pending' and new.status = 'pending' and not new.blocked
    and new.available_at <= public.messenger_now() + interval '65 seconds'
    and (old.available_at, old.queue, old.priority, old.blocked)
      is distinct from (new.available_at, new.queue, new.priority, new.blocked)
  )
  execute function messenger.wake_for_change();

-- For a running message that is given back in SQL or in the dashboard. Its lease is gone with it, so that the worker's
-- outcome changes nothing. A settle call gives messages back to a worker that is awake. The condition costs a claim
-- 0.2 us a message.
create trigger messenger_messages_wake_for_return
  after update of status on public.messenger_messages
  for each row when (
    old.status = 'processing' and new.status = 'pending' and not new.blocked
    and new.available_at <= public.messenger_now() + interval '65 seconds'
    and current_setting('messenger.settles', true) is distinct from 'true'
  )
  execute function messenger.wake_for_change();

-- Runs for each row: a statement may change thousands of lanes. One that holds no message has nothing to wake for, and
-- the first that has a due one asks for a tick for the others of the transaction.
create function messenger.wake_for_queue() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  woken constant text[] := string_to_array(current_setting('symphony_messenger.woken', true), ' ');
  next_at timestamptz;
begin
  if strpos(new.name, '/') > 0 then
    if new.paused then
      return null;
    end if;
    perform messenger.note_lane(new.name);
    if not exists (select from messenger.ready_messages m where m.queue = new.name)
      and not exists (select from messenger.quarantined_messages m where m.queue = new.name)
    then
      return null;
    end if;
    if woken[1] = pg_current_xact_id()::text and woken[2]::double precision <= extract(epoch from public.messenger_now()) then
      return null;
    end if;
  elsif (old.lane_concurrency, old.lane_rate_limit, old.lane_rate_period_ms)
    is distinct from (new.lane_concurrency, new.lane_rate_limit, new.lane_rate_period_ms)
  then
    delete from messenger.lane_scans s where s.queue = new.name;
  end if;
  if messenger.is_open(new.name) then
    next_at := messenger.next_due(array[new.name]);
  end if;
  if next_at < messenger.next_minute() then
    perform messenger.wake(next_at);
    perform set_config('symphony_messenger.woken', pg_current_xact_id()::text || ' ' || extract(epoch from next_at), true);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_queue() is
  'Trigger: wakes a tick where a queue''s new settings let its messages start.';

create trigger messenger_queues_wake
  after update on public.messenger_queues
  for each row when (old is distinct from new)
  execute function messenger.wake_for_queue();
create trigger messenger_queues_lane_made
  after insert on public.messenger_queues
  for each row when (strpos(new.name, '/') > 0 and not new.paused)
  execute function messenger.wake_for_queue();

-- Runs at the commit, because a schedule is saved in several steps and only its final row counts.
create function messenger.wake_for_schedule() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  next_at constant timestamptz := (
    select coalesce(nullif(s.next_run_at, 'infinity'), public.messenger_now())
    from public.messenger_schedules s
    where s.id = new.id and s.enabled and s.lease_token is null
  );
begin
  if next_at < messenger.next_minute() then
    perform messenger.wake(next_at);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_schedule() is
  'Trigger: wakes a tick where a schedule was made, changed or enabled whose next run is due, not planned yet, or comes before the next minute''s tick.';

create constraint trigger messenger_schedules_wake
  after insert on public.messenger_schedules
  deferrable initially deferred
  for each row when (new.enabled)
  execute function messenger.wake_for_schedule();

-- Does not run when the tick that holds the schedule writes its next run: that tick waits for the run, or asks for
-- another tick.
create constraint trigger messenger_schedules_wake_for_change
  after update on public.messenger_schedules
  deferrable initially deferred
  for each row when (
    new.enabled and old.lease_token is null and new.lease_token is null
    and (old.next_run_at, old.enabled) is distinct from (new.next_run_at, new.enabled)
  )
  execute function messenger.wake_for_schedule();
