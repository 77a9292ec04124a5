-- Resident workers: processes that users run themselves, and that claim from queues by name. They have rows in
-- messenger_ticks, but no dispatch counts on them: a worker waits for its messages in messenger_await_due().
--
-- A queue with runs_on = 'worker' is theirs alone: claims without names pass it over, and no dispatch to it
-- asks for a tick. Sweeps of ticks still find its leases that ran out, so that a worker which was killed keeps
-- no message.

create function public.messenger_run_on_workers(queues text[]) returns integer
language plpgsql
set search_path = ''
as $$
declare
  changed integer;
  fault_detail text;
begin
  if queues is null or 'default' = any (queues) then
    raise sqlstate 'PT400' using
      message = 'queues: has to be a list of names without default, which ticks serve';
  end if;
  if exists (select from unnest(queues) as q where messenger.is_queue_name(q) is not true) then
    raise sqlstate 'PT400' using message = format(
      'queues: have to be names of 1 to 100 letters, digits or _ . : - (%s was given)',
      (select left(coalesce(quote_literal(q), 'null'), 120) from unnest(queues) as q where messenger.is_queue_name(q) is not true limit 1)
    );
  end if;
  insert into public.messenger_queues as known (name, runs_on)
  select distinct q, 'worker' from unnest(queues) as q
  on conflict on constraint messenger_queues_pkey do update set runs_on = 'worker'
  where known.runs_on <> 'worker';
  get diagnostics changed = row_count;
  perform messenger.check_deferred('messenger_run_on_workers');
  return changed;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_run_on_workers(text[]) is
  'Makes these queues run in resident workers only, as definitions with runsOn say. Returns how many it made or changed.';

create function public.messenger_start_worker(worker text, queues text[]) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
  fault_detail text;
begin
  if worker is null or length(worker) not between 1 and 200 then
    raise sqlstate 'PT400' using message = 'worker: has to be a name of 1 to 200 characters';
  end if;
  if coalesce(cardinality(queues), 0) = 0 then
    raise sqlstate 'PT400' using message = 'queues: has to name at least one queue';
  end if;
  insert into public.messenger_ticks (started_at, heartbeat_at, rested_at, worker, queues)
  values (clock_timestamp(), clock_timestamp(), clock_timestamp(), worker, queues)
  returning id into started;
  perform messenger.check_deferred('messenger_start_worker');
  return started;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_start_worker(text, text[]) is
  'Registers a resident worker that claims from these queues. Returns its id among the ticks.';

create function public.messenger_heartbeat_worker(tick bigint, report jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  update public.messenger_ticks t
  set heartbeat_at = clock_timestamp(), report = messenger_heartbeat_worker.report
  where t.id = tick and t.ended_at is null;
  perform messenger.check_deferred('messenger_heartbeat_worker');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_heartbeat_worker(bigint, jsonb) is
  'A sign of life of a resident worker, every few seconds, with what it has done so far.';

-- Waits in the database until a message is due, so that an idle worker costs one call and one connection, and finds a
-- message within milliseconds of its commit. A poll compares snapshots: while the snapshot stays the same, no other
-- transaction has committed, and nothing but the time can make a message due. Such a poll takes 90 us, 80 of them for
-- the sleep before it; one that reads the messages takes 350. So the first polls are 5 ms apart, because after a message
-- the next one is near, later ones 20, and on a busy database 25. That is 7 ms of CPU a second where nothing else
-- commits, and 16 on a busy database, where the same was spent in polls every 25 ms that always read.
--
-- The wait does not claim as well, which would save a round trip: if the worker is killed while its call waits, the call
-- would still lease the next message, for a minute in which no worker has it.
--
-- A call holds its snapshot and its locks on the tables until it returns: vacuum cannot remove newer dead rows, and a
-- migration that alters the tables waits. So a call of a worker is shorter than a migration's lock_timeout of 5 s.
create function public.messenger_await_due(queues text[], wait_ms integer) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := clock_timestamp() + wait_ms * interval '1 millisecond';
  -- How far messenger.clock() is ahead of the wall clock.
  ahead constant interval := public.messenger_now() - now();
  pause double precision := 0.005;
  snapshot text;
  seen text;
  looked_at timestamptz;
  next_at timestamptz;
  fault_detail text;
begin
  if coalesce(cardinality(queues), 0) = 0 then
    raise sqlstate 'PT400' using message = 'queues: has to name at least one queue';
  end if;
  if wait_ms is null or wait_ms not between 0 and 5000 then
    raise sqlstate 'PT400' using message = 'wait_ms: has to be from 0 to 5000';
  end if;
  loop
    -- Taken before the messages are read: what commits in between changes the next snapshot.
    snapshot := pg_current_snapshot()::text;
    if snapshot = seen then
      pause := least(pause * 1.02, 0.02);
    else
      looked_at := clock_timestamp();
      if exists (select from messenger.event_notes) and messenger.wake_noted_waiters() > 0 then
        perform messenger.check_deferred('messenger_await_due');
        return true;
      end if;
      next_at := messenger.next_due(queues);
      if seen is not null then
        pause := least(0.5, greatest(0.025, 5 * extract(epoch from clock_timestamp() - looked_at)::double precision));
      end if;
      seen := snapshot;
    end if;
    exit when next_at <= clock_timestamp() + ahead or clock_timestamp() >= until;
    perform pg_sleep(pause);
  end loop;
  return coalesce(next_at <= clock_timestamp() + ahead, false);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_await_due(text[], integer) is
  'Waits up to wait_ms until a message of these queues is due. Returns whether one is.';
