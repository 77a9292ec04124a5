-- Ticks as the database knows them: asked for, started, at rest, ended. A tick that is awake polls for messages, and a
-- transaction that writes a due message may count on it; see 37_wake.sql. A tick at rest does not poll for messages
-- at present. Resident workers are listed among the ticks, always at rest.

create table public.messenger_ticks (
  id bigint generated always as identity primary key,
  asked_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  rested_at timestamptz,
  wakes_at timestamptz,
  stalled boolean not null default false,
  ended_at timestamptz,
  report jsonb,
  worker text,
  queues text[]
);

comment on table public.messenger_ticks is
  'The latest ticks: when each was asked for, started and ended, and what it did.';
comment on column public.messenger_ticks.id is
  'Identity of the tick; a tick that was asked for gets it in its request.';
comment on column public.messenger_ticks.asked_at is
  'When it was asked for; of a tick that came without a request of the database, when it started.';
comment on column public.messenger_ticks.started_at is
  'When the function began to work on it; null if the request has not arrived, or was lost.';
comment on column public.messenger_ticks.heartbeat_at is
  'When it last gave a sign of life.';
comment on column public.messenger_ticks.rested_at is
  'From this moment no dispatch counts on the tick, though its handlers may still run. No dispatch ever counts on a tick that serves some queues only, or whose caller waits for it.';
comment on column public.messenger_ticks.wakes_at is
  'A tick at rest polls again at this moment, so messages that fall due later may count on it. Null if it does not poll again.';
comment on column public.messenger_ticks.stalled is
  'All slots of the tick have been busy for a while, so that it rests until one of its handlers is done.';
comment on column public.messenger_ticks.ended_at is
  'When it was done; null while it runs, and for good if it was killed.';
comment on column public.messenger_ticks.report is
  'How many messages it claimed, handled, retried and failed; null if the tick failed or had nothing to do.';

comment on column public.messenger_ticks.worker is
  'Name of the resident worker; null where it is a tick.';
comment on column public.messenger_ticks.queues is
  'Queues that the resident worker claims from; null where it is a tick.';

create index messenger_ticks_workers_idx
  on public.messenger_ticks (id) where worker is not null and ended_at is null;
comment on index public.messenger_ticks_workers_idx is
  'Resident workers that run, or were killed.';

create index messenger_ticks_awake_idx
  on public.messenger_ticks (id) where rested_at is null;
comment on index public.messenger_ticks_awake_idx is
  'Ticks that dispatches may count on.';

create index messenger_ticks_resting_idx
  on public.messenger_ticks (id) where wakes_at is not null or stalled;
comment on index public.messenger_ticks_resting_idx is
  'Ticks at rest that poll again at a moment, or when a handler is done.';

alter table public.messenger_ticks enable row level security;

create function messenger.ticks_key() returns bigint
language sql immutable parallel safe
set search_path = ''
as $$ select pg_catalog.hashtextextended('symphony_messenger.ticks', 0) $$;
comment on function messenger.ticks_key() is
  'The advisory lock that a dispatch holds shared while it counts on a tick, and that a tick holds alone while it goes to rest.';

-- A tick is a process, so its signs of life are compared with the wall clock and not with the transaction's start. A
-- tick that was killed, or whose request was lost, still counts for some seconds; the next minute's tick then finds
-- the messages. A sign of life from the future, given before the clock was set back, counts for none. In an older snapshot a row counts only if no transaction has changed it since: then its xmax is 0.
create function messenger.ticks_awake() returns setof public.messenger_ticks
-- In plpgsql: each dispatch would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select t.* from public.messenger_ticks t
  where t.rested_at is null
    and case
      when t.started_at is null
        then t.asked_at between clock_timestamp() - interval '5 seconds' and clock_timestamp() + interval '5 seconds'
      else t.heartbeat_at
        between clock_timestamp() - interval '15 seconds' and clock_timestamp() + interval '15 seconds'
    end
    and (t.xmax = '0' or current_setting('transaction_isolation') = 'read committed');
end
$$;
comment on function messenger.ticks_awake() is
  'Ticks that were just asked for, or run and poll for messages.';

create function messenger.clock() returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return public.messenger_now() + (clock_timestamp() - now());
end
$$;
comment on function messenger.clock() is
  'The clock of the bus as it is at this moment, and not as it was when the transaction began.';

-- The tick of a minute may come up to 5 s late, because pg_cron, pg_net and the start of a function take time.
create function messenger.next_minute() returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return messenger.clock() + (
    date_trunc('minute', clock_timestamp()) + interval '65 seconds' - clock_timestamp()
  );
end
$$;
comment on function messenger.next_minute() is
  'From when on the next minute''s tick handles what falls due.';

-- Whether some tick will handle messages that fall due at a moment: a tick is awake, the next minute's tick comes
-- before that moment, or a tick at rest polls again by that moment.
create function messenger.has_tick_for(
  p_due_at timestamptz, p_by_others_than bigint default null
) returns boolean
-- In plpgsql: each dispatch would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  return exists (
      select from messenger.ticks_awake() t where t.id is distinct from p_by_others_than
    )
    or p_due_at >= messenger.next_minute()
    or exists (
      select from public.messenger_ticks t
      where t.wakes_at <= p_due_at + interval '250 milliseconds'
        and t.ended_at is null and t.id is distinct from p_by_others_than
        and t.heartbeat_at
          between clock_timestamp() - interval '15 seconds' and clock_timestamp() + interval '15 seconds'
        and (t.xmax = '0' or current_setting('transaction_isolation') = 'read committed')
    );
end
$$;
comment on function messenger.has_tick_for(timestamptz, bigint) is
  'Whether a tick will handle what falls due at a moment: the next minute''s, one that is awake, or one that waits for an earlier moment.';

-- A tick that serves some queues only publishes nothing.
create function messenger.next_work(p_queues text[] default null) returns timestamptz
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  if p_queues is not null or not exists (select from messenger.relays) then
    return messenger.next_due(p_queues);
  end if;
  return least(messenger.next_due(), messenger.outbox_due());
end
$$;
comment on function messenger.next_work(text[]) is
  'When a tick has something to do next: a message falls due, or something in the outbox; null where nothing waits.';

create function messenger.has_due(
  p_within interval default interval '0', p_queues text[] default null
) returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  -- By the wall clock, because a message may have been committed and fallen due since this transaction began.
  return coalesce(
    messenger.next_work(p_queues) <= messenger.clock() + p_within,
    false
  );
end
$$;
comment on function messenger.has_due(interval, text[]) is
  'Whether a message of a queue that is not paused, or something in the outbox, is due, or falls due within a time.';

create function messenger.fleet_size() returns integer
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  -- Most projects have no queue with more than one worker. If there is one, only queues with due messages count.
  if not exists (select from public.messenger_queues q where q.max_workers > 1) then
    return 1;
  end if;
  return (
    select coalesce(max(q.max_workers), 1)::integer
    from (
      select d.queue from messenger.queues_due() d
      union
      select split_part(f.queue, '/', 1) from messenger.quarantined_fronts() f
    ) as d
    cross join lateral (select s.* from public.messenger_queues s where s.name = d.queue offset 0) as q
    where not q.paused and q.max_workers > 1 and q.runs_on = 'tick'
      and messenger.has_due(p_queues => array[q.name])
  );
end
$$;
comment on function messenger.fleet_size() is
  'How many ticks the queues with due messages call for.';

-- Runs with its owner's rights: it reads Vault and posts through pg_net, and a role that writes messages should
-- not need grants for these. Only the service role may call it, and it takes no arguments.
create function messenger.ask_tick() returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  asked bigint;
begin
  insert into public.messenger_ticks default values returning id into asked;
  perform messenger.post_tick(jsonb_build_object('wait', false, 'tick', asked::text));
  return asked;
exception when others then
  raise warning 'no tick was asked for, the next minute''s does the work: %', sqlerrm;
  return null;
end
$$;
comment on function messenger.ask_tick() is
  'Asks for one tick, at the commit. Returns its id; if Vault or pg_net fails, it warns and returns null.';
