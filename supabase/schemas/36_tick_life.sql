-- The life of a tick: it starts, sends heartbeats, goes to rest, stands aside (claims no more) and ends.

create function messenger.register_tick(p_tick bigint, p_awake boolean) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
begin
  if p_tick is null then
    -- Where the sequence of the ids is behind, the second try gets one that is free.
    for try in 1..2 loop
      insert into public.messenger_ticks (started_at, heartbeat_at, rested_at)
      values (clock_timestamp(), clock_timestamp(), case when not p_awake then clock_timestamp() end)
      on conflict (id) do nothing
      returning id into started;
      exit when started is not null;
      perform messenger.mend_sequences();
    end loop;
  else
    update public.messenger_ticks t set started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
    where t.id = p_tick and t.started_at is null
    returning t.id into started;
  end if;
  return started;
end
$$;
comment on function messenger.register_tick(bigint, boolean) is
  'Part of messenger_start_tick: writes that a tick starts and returns its id; null where it has started before.';

-- If this tick is one too many, the dispatches that count on it have to be safe with the other awake ticks. The shared
-- lock keeps those ticks from going to rest until this transaction commits.
create function messenger.is_one_too_many(p_tick bigint, p_fleet integer) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if p_tick is null or not pg_try_advisory_xact_lock_shared(messenger.ticks_key()) then
    return false;
  end if;
  return p_fleet <= (
    select count(*) from messenger.ticks_awake() t
    where t.id <> p_tick and t.started_at is not null
  );
end
$$;
comment on function messenger.is_one_too_many(bigint, integer) is
  'Part of messenger_start_tick: whether as many ticks as the queues allow are awake beside one that was asked for.';

create function messenger.has_work(
  p_tick bigint, p_awake boolean, p_queues text[], p_budget_ms double precision, p_next_at timestamptz
) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return coalesce(
    p_next_at <= messenger.clock()
      -- For messages that fall due later one tick is enough.
      or p_awake and not messenger.has_tick_for(p_next_at, p_tick)
      or not p_awake and messenger.has_due(p_budget_ms * interval '1 millisecond', p_queues)
      or exists (
        select from messenger.leases l where l.leased_until <= public.messenger_now()
      )
      or exists (
        select from public.messenger_messages m
        where m.expires_at <= public.messenger_now() and m.status = 'pending'
          and not m.blocked and not m.heartbeated
      )
      or exists (select from messenger.groups_to_reopen)
      or exists (select from messenger.event_notes)
      or exists (select from messenger.batch_deltas)
      or exists (select from public.messenger_batches b where b.cancel_chunk is not null),
    false
  );
end
$$;
comment on function messenger.has_work(bigint, boolean, text[], double precision, timestamptz) is
  'Part of messenger_start_tick: whether a tick finds something to do within its budget, given when the next message or schedule is due.';

create function messenger.forget_ticks_before(p_tick bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Each start adds one row and deletes up to 10. The ids are read into an array, because Postgres may apply the
  -- limit of a plain subquery again for each row.
  delete from public.messenger_ticks t
  where t.id = any (array(
    select old.id from public.messenger_ticks old where old.id <= p_tick - 10000
      -- A resident worker may live longer than 10,000 ticks.
      and (
        old.worker is null or old.ended_at is not null
        or old.heartbeat_at < clock_timestamp() - interval '1 hour'
      )
    order by old.id limit 10 for update skip locked
  ));
end
$$;
comment on function messenger.forget_ticks_before(bigint) is
  'Part of messenger_start_tick: deletes records of ticks; the latest 10,000 stay.';

-- Registers a tick. `tick` is the id under which the database asked for it; enough others may be awake by now.
-- `awake` says whether dispatches may count on the tick. Returns {"id", "proceed", "fleet", "version",
-- "schedules_due"}: if `proceed` is false, nothing is due or other ticks handle it, and this tick is over.
create function messenger.refuse_queues_of_workers(p_queues text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from public.messenger_queues q
    where q.name = any (array(select split_part(n, '/', 1) from unnest(p_queues) as n)) and q.runs_on = 'worker'
  ) then
    raise sqlstate 'PT400' using message = format(
      'queues: %s runs on workers, and no tick serves it; start one: symphony-messenger worker --queues %1$s',
      (
        select string_agg(q.name, ',' order by q.name) from public.messenger_queues q
        where q.name = any (array(select split_part(n, '/', 1) from unnest(p_queues) as n)) and q.runs_on = 'worker'
      )
    );
  end if;
end
$$;
comment on function messenger.refuse_queues_of_workers(text[]) is
  'Part of messenger_start_tick: refuses a tick of queues that run on workers.';

create function public.messenger_start_tick(
  tick bigint default null,
  awake boolean default false,
  queues text[] default null,
  budget_ms double precision default 0
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
  fleet integer;
  next_schedule_at timestamptz;
  needed boolean;
  fault_detail text;
begin
  if budget_ms is null or budget_ms < 0 then
    raise sqlstate 'PT400' using message = 'budget_ms: has to be zero or more';
  end if;
  perform messenger.refuse_queues_of_workers(queues);
  started := messenger.register_tick(tick, awake);
  -- pg_net sends a request again after a restart.
  if started is null then
    return jsonb_build_object(
      'id', tick::text, 'proceed', false, 'fleet', 0, 'version', public.messenger_version()
    );
  end if;

  fleet := messenger.fleet_size();
  next_schedule_at := public.messenger_next_schedule_at();
  needed := not messenger.is_one_too_many(tick, fleet);
  if needed and (not awake or pg_try_advisory_xact_lock(messenger.ticks_key())) then
    needed := messenger.has_work(
      started, awake, queues, budget_ms, least(messenger.next_work(queues), next_schedule_at)
    );
  end if;
  if not needed then
    update public.messenger_ticks t
    set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp()
    where t.id = started;
  end if;

  perform messenger.forget_ticks_before(started);
  perform messenger.check_deferred('messenger_start_tick');
  return jsonb_strip_nulls(jsonb_build_object(
    'id', started::text, 'proceed', needed, 'fleet', fleet, 'version', public.messenger_version(),
    'schedules_due', case when next_schedule_at <= messenger.clock() then true end
  )) || messenger.declared_routing();
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_start_tick(bigint, boolean, text[], double precision) is
  'Registers a tick that starts, and ends it at once where there is nothing to do for it. Returns {"id", "proceed", "fleet", "version", "schedules_due", "routing"}; version is the schema''s.';

-- With `awake`, a tick that was at rest polls again, and dispatches count on it.
create function public.messenger_heartbeat_tick(tick bigint, awake boolean default false)
returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  update public.messenger_ticks t
  set heartbeat_at = clock_timestamp(),
    rested_at = case when not awake then t.rested_at end,
    wakes_at = case when not awake then t.wakes_at end,
    stalled = t.stalled and not awake
  where t.id = tick and t.ended_at is null;
  perform messenger.check_deferred('messenger_heartbeat_tick');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_heartbeat_tick(bigint, boolean) is
  'A sign of life of a running tick, every few seconds; with awake, one that was at rest is awake again.';

-- Waits until a message or schedule is due, 5 s at most, so that a new message is found within milliseconds at the
-- cost of one call and one connection. Only one tick waits at a time, and only one that dispatches count on. Its
-- queries take at most a twentieth of the time; it sleeps between them.
create function messenger.linger(p_tick bigint, p_linger_ms integer, p_schedules boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := clock_timestamp() + least(p_linger_ms, 5000) * interval '1 millisecond';
  looked_at timestamptz;
begin
  if not exists (select from messenger.ticks_awake() t where t.id = p_tick)
    or exists (
      select from messenger.ticks_awake() t where t.id <> p_tick and t.started_at is not null
    )
    or not pg_try_advisory_xact_lock(messenger.ticks_key() + 2)
  then
    return;
  end if;
  while clock_timestamp() < until loop
    looked_at := clock_timestamp();
    exit when least(
      messenger.next_work(),
      case when p_schedules then public.messenger_next_schedule_at() end
    ) <= messenger.clock() or exists (select from messenger.event_notes);
    -- At most half a second: what falls due meanwhile starts late.
    perform pg_sleep(least(0.5, greatest(
      0.015, 20 * extract(epoch from clock_timestamp() - looked_at)::double precision
    )));
  end loop;
end
$$;
comment on function messenger.linger(bigint, integer, boolean) is
  'Part of messenger_rest_tick: waits until something is due, for a bounded number of ms.';

-- Returns {"rested", "due", "messages_in_ms", "schedules_in_ms"}. If both "rested" and "due" are false, a dispatch
-- that may count on this tick has not committed. If "rested" is true, the times say when this tick has to poll again;
-- they are absent if another tick will. With a `report`, a tick that need not poll again ends. `schedules`: the tick
-- runs schedules too. `left_ms`: how long it will still live. `linger_ms`: how long to wait for more before it rests.
create function public.messenger_rest_tick(
  tick bigint,
  report jsonb default null,
  linger_ms integer default 0,
  left_ms double precision default 0,
  schedules boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock timestamptz;
  message_at timestamptz;
  schedule_at timestamptz;
  next_at timestamptz;
  waits boolean;
  fault_detail text;
begin
  if linger_ms > 0 then
    perform messenger.linger(tick, linger_ms, schedules);
  end if;
  -- An emit that left a note counts on this tick.
  perform messenger.wake_noted_waiters();
  if exists (select from messenger.event_notes) or not pg_try_advisory_xact_lock(messenger.ticks_key()) then
    return jsonb_build_object('rested', false, 'due', messenger.has_due());
  end if;
  message_at := messenger.next_work();
  schedule_at := case when schedules then public.messenger_next_schedule_at() end;
  next_at := least(message_at, schedule_at);
  clock := messenger.clock();
  if next_at <= clock then
    return jsonb_strip_nulls(jsonb_build_object(
      'rested', false, 'due', coalesce(message_at <= clock, false),
      'schedules_in_ms', case when schedule_at <= clock then 0 end
    ));
  end if;
  waits := coalesce(left_ms > 0 and not messenger.has_tick_for(next_at, tick), false);
  update public.messenger_ticks t
  set rested_at = clock_timestamp(), heartbeat_at = clock_timestamp(), stalled = false,
    wakes_at = case when waits then least(next_at, clock + left_ms * interval '1 millisecond') end,
    ended_at = case
      when messenger_rest_tick.report is not null and not waits then clock_timestamp()
    end,
    report = messenger_rest_tick.report
  where t.id = tick and t.ended_at is null;
  perform messenger.check_deferred('messenger_rest_tick');
  return jsonb_strip_nulls(jsonb_build_object(
    'rested', true, 'due', false,
    'messages_in_ms', case when waits then 1000 * extract(epoch from message_at - clock) end,
    'schedules_in_ms', case when waits then 1000 * extract(epoch from schedule_at - clock) end
  ));
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_rest_tick(bigint, jsonb, integer, double precision, boolean) is
  'From now on no dispatch counts on this tick, unless a message is due or a dispatch that may count on it has not committed. Returns {"rested", "due", "messages_in_ms", "schedules_in_ms"}; the times say when this tick has to poll again, and are absent if another tick will. With a report, a tick that need not poll again is over.';

-- A tick claims no more, for good or while it is `stalled` (none of its handlers has ended for a while). From now on
-- no dispatch counts on it. It asks for another tick if work remains, or if work may still appear because a dispatch
-- that counted on this tick has not committed. At most as many ticks as the fleet has may be stalled at once.
create function public.messenger_stand_aside(
  tick bigint, stalled boolean default false, schedules boolean default false
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  fleet integer;
  counted_on boolean;
  next_at timestamptz;
  fault_detail text;
begin
  if stalled is null then
    raise sqlstate 'PT400' using message = 'stalled: has to be true or false (null was given)';
  end if;
  fleet := messenger.fleet_size();
  if stalled and fleet <= (
    select count(*) from public.messenger_ticks t
    where t.stalled and t.ended_at is null and t.id <> tick
      and t.heartbeat_at > clock_timestamp() - interval '15 seconds'
  ) then
    return false;
  end if;
  select t.rested_at is null or t.wakes_at is not null into counted_on
  from public.messenger_ticks t where t.id = tick;
  update public.messenger_ticks t
  set rested_at = coalesce(t.rested_at, clock_timestamp()), wakes_at = null,
    stalled = messenger_stand_aside.stalled
  where t.id = tick and t.ended_at is null;

  if counted_on and not pg_try_advisory_xact_lock(messenger.ticks_key()) then
    perform messenger.ask_tick();
    return true;
  end if;
  next_at := least(
    messenger.next_work(), case when schedules then public.messenger_next_schedule_at() end
  );
  if next_at <= messenger.clock() and fleet > (
      select count(*) from messenger.ticks_awake() t where t.id <> tick
    )
    or not messenger.has_tick_for(next_at, tick)
    or exists (select from messenger.event_notes)
  then
    perform messenger.ask_tick();
  end if;
  perform messenger.check_deferred('messenger_stand_aside');
  return true;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_stand_aside(bigint, boolean, boolean) is
  'A tick claims no more: no dispatch counts on it, and another is asked for where something is due, or falls due before the next minute''s tick. Returns false if too many are stalled already: then it still counts.';

-- `successor` asks for another tick if work remains, or may still appear.
create function public.messenger_end_tick(
  tick bigint, report jsonb default null, successor boolean default true,
  schedules boolean default false
) returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  if successor then
    perform public.messenger_stand_aside(tick, schedules => schedules);
  end if;
  update public.messenger_ticks t
  set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp(),
    wakes_at = null, stalled = false, report = messenger_end_tick.report
  where t.id = tick;
  perform messenger.check_deferred('messenger_end_tick');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_end_tick(bigint, jsonb, boolean, boolean) is
  'Ends a tick, whatever is left to do, and asks for its successor if something is.';

create function public.messenger_grow_fleet() returns bigint
language plpgsql
set search_path = ''
as $$
declare
  tick bigint;
  fault_detail text;
begin
  -- One session at a time: if the lock is taken, another session is asking for a tick already.
  if pg_try_advisory_xact_lock(messenger.ticks_key() + 1) then
    if (select count(*) from messenger.ticks_awake()) < messenger.fleet_size() then
      tick := messenger.ask_tick();
    end if;
  end if;
  perform messenger.check_deferred('messenger_grow_fleet');
  return tick;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_grow_fleet() is
  'Asks for one more tick if the queues with due messages allow more than are awake. Returns its id, or null.';
