-- Ticks, known to the database: asked for, started, at rest, ended. What writes a due message counts on
-- one that is awake; see the next migration.

create table if not exists public.messenger_ticks (
  id bigint generated always as identity primary key,
  asked_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  rested_at timestamptz,
  ended_at timestamptz,
  report jsonb
);

comment on table public.messenger_ticks is
  'The latest ticks: when each was asked for, started and ended, and what it did.';
comment on column public.messenger_ticks.id is
  'Identity of the tick; a tick that was asked for gets it in its request.';
comment on column public.messenger_ticks.asked_at is
  'When it was asked for; of a tick that nobody announced, when it started.';
comment on column public.messenger_ticks.started_at is
  'When the function began to work on it; null if the request has not arrived, or was lost.';
comment on column public.messenger_ticks.heartbeat_at is
  'When it last gave a sign of life.';
comment on column public.messenger_ticks.rested_at is
  'From this moment no dispatch counts on it, though its handlers may still run. A tick that serves some queues only, or whose caller waits for it, is never counted on.';
comment on column public.messenger_ticks.ended_at is
  'When it was done; null while it runs, and for good if it was killed.';
comment on column public.messenger_ticks.report is
  'How many messages it claimed, handled, retried and failed; null if it broke off or had nothing to do.';

create index if not exists messenger_ticks_awake_idx
  on public.messenger_ticks (id) where rested_at is null;
comment on index public.messenger_ticks_awake_idx is
  'Ticks that dispatches may count on.';

alter table public.messenger_ticks enable row level security;
revoke all on table public.messenger_ticks from anon, authenticated;
grant select, insert, update, delete on table public.messenger_ticks to service_role;
revoke all on sequence public.messenger_ticks_id_seq from anon, authenticated;
grant usage, select on sequence public.messenger_ticks_id_seq to service_role;

create or replace function public.messenger_ticks_key() returns bigint
language sql immutable parallel safe
set search_path = ''
as $$ select pg_catalog.hashtextextended('symphony_messenger.ticks', 0) $$;
comment on function public.messenger_ticks_key() is
  'The advisory lock between those who count on a tick (shared) and a tick that goes to rest (alone).';

-- Its clock is the wall's, not the transaction's: it is processes that live or do not. A request
-- that is lost, or a tick that is killed, counts for some seconds more; the minute's tick makes up.
create or replace function public.messenger_ticks_awake() returns setof public.messenger_ticks
language sql stable
set search_path = ''
as $$
  select t.* from public.messenger_ticks t
  where t.rested_at is null
    and case
      when t.started_at is null then t.asked_at > clock_timestamp() - interval '5 seconds'
      else t.heartbeat_at > clock_timestamp() - interval '15 seconds'
    end
$$;
comment on function public.messenger_ticks_awake() is
  'Ticks that were just asked for, or run and look for messages.';

create or replace function public.messenger_has_due(
  within interval default interval '0', queues text[] default null
) returns boolean
language sql volatile
set search_path = ''
as $$
  -- As late as the wall's clock: a message that was committed while this transaction waited is due.
  select coalesce(
    public.messenger_next_due(messenger_has_due.queues) <= public.messenger_now() + (clock_timestamp() - now()) + messenger_has_due.within,
    false
  )
$$;
comment on function public.messenger_has_due(interval, text[]) is
  'Whether a message of a queue that is not paused is due, or falls due within a time.';

create or replace function public.messenger_fleet_size() returns integer
language sql volatile
set search_path = ''
as $$
  -- Most projects have no such queue; where there are many, those that hold messages are asked.
  select case
    when exists (select from public.messenger_queues q where q.max_workers > 1)
    then (
      select coalesce(max(q.max_workers), 1)::integer
      from (
        select d.queue from public.messenger_due_queues() d
        union
        select m.queue from public.messenger_messages m
        where m.status = 'pending' and m.alone and not m.blocked and not m.tracked
      ) as d
      join public.messenger_queues q on q.name = d.queue
      where not q.paused and q.max_workers > 1
        and public.messenger_has_due(queues => array[q.name])
    )
    else 1
  end
$$;
comment on function public.messenger_fleet_size() is
  'How many ticks the queues with due messages call for.';

-- With its owner's rights: reading Vault and posting through pg_net is more than whoever writes a
-- message should have to be granted. Only the service role may call it, and it takes no arguments.
create or replace function public.messenger_ask_tick() returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  asked bigint;
begin
  insert into public.messenger_ticks default values returning id into asked;
  perform public.messenger_post_tick(jsonb_build_object('wait', false, 'tick', asked::text));
  return asked;
exception when others then
  raise warning 'no tick was asked for, the next minute''s does the work: %', sqlerrm;
  return null;
end
$$;
comment on function public.messenger_ask_tick() is
  'Asks for one tick, at the commit. Answers its id; where Vault or pg_net fails, it warns and answers null.';

-- Registers a tick. `tick` is its id where it was asked for; it may turn out to be one too many.
-- `awake` says whether dispatches may count on it. Answers {"id", "proceed", "fleet"}: without
-- `proceed` there is nothing to do within the budget, and the tick is over.
create or replace function public.messenger_start_tick(
  tick bigint default null,
  awake boolean default false,
  queues text[] default null,
  budget_ms double precision default 0
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  lock_key constant bigint := public.messenger_ticks_key();
  started bigint;
  fleet integer;
  needed boolean := true;
begin
  if budget_ms is null or budget_ms < 0 then
    raise sqlstate 'PT400' using message = 'budget_ms: has to be zero or more';
  end if;

  if tick is null then
    insert into public.messenger_ticks (started_at, heartbeat_at, rested_at)
    values (clock_timestamp(), clock_timestamp(), case when not awake then clock_timestamp() end)
    returning id into started;
  else
    update public.messenger_ticks t set started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
    where t.id = tick and t.started_at is null
    returning t.id into started;
    -- pg_net sends a request again after a restart.
    if started is null then
      return jsonb_build_object('id', tick::text, 'proceed', false, 'fleet', 0);
    end if;
  end if;

  fleet := public.messenger_fleet_size();
  -- Who counts on this tick may count on the others instead: they cannot go to rest meanwhile.
  if tick is not null and pg_try_advisory_xact_lock_shared(lock_key) then
    needed := fleet > (
      select count(*) from public.messenger_ticks_awake() t
      where t.id <> tick and t.started_at is not null
    );
  end if;
  if needed and (not awake or pg_try_advisory_xact_lock(lock_key)) then
    needed := public.messenger_has_due(budget_ms * interval '1 millisecond', queues)
      or exists (
        select from public.messenger_leases l where l.leased_until <= public.messenger_now()
      )
      or exists (select from public.messenger_unopened_groups);
  end if;
  if not needed then
    update public.messenger_ticks t
    set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp()
    where t.id = started;
  end if;

  -- A few at a time, and more than come in: the latest 10,000 stay. In an array, for the limit of a
  -- plain subquery may hold for each row anew.
  delete from public.messenger_ticks t
  where t.id = any (array(
    select old.id from public.messenger_ticks old where old.id <= started - 10000
    order by old.id limit 10 for update skip locked
  ));
  return jsonb_build_object('id', started::text, 'proceed', needed, 'fleet', fleet);
end
$$;
comment on function public.messenger_start_tick(bigint, boolean, text[], double precision) is
  'Registers a tick that starts, and ends it at once where there is nothing to do for it. Answers {"id", "proceed", "fleet"}.';

create or replace function public.messenger_heartbeat_tick(tick bigint) returns void
language sql
set search_path = ''
as $$
  update public.messenger_ticks t set heartbeat_at = clock_timestamp() where t.id = tick
$$;
comment on function public.messenger_heartbeat_tick(bigint) is
  'A sign of life of a running tick, every few seconds.';

-- Answers {"rested", "due"}. Not rested and not due: somebody who may count on this tick has not
-- committed. With a report the tick is over as well.
create or replace function public.messenger_rest_tick(tick bigint, report jsonb default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  due boolean;
begin
  if not pg_try_advisory_xact_lock(public.messenger_ticks_key()) then
    return jsonb_build_object('rested', false, 'due', false);
  end if;
  due := public.messenger_has_due();
  if not due then
    update public.messenger_ticks t
    set rested_at = clock_timestamp(), heartbeat_at = clock_timestamp(),
      ended_at = case when messenger_rest_tick.report is not null then clock_timestamp() end,
      report = messenger_rest_tick.report
    where t.id = tick;
  end if;
  return jsonb_build_object('rested', not due, 'due', due);
end
$$;
comment on function public.messenger_rest_tick(bigint, jsonb) is
  'From now on no dispatch counts on this tick, unless a message is due or a dispatch that may count on it has not committed. Answers {"rested", "due"}; with a report the tick is over.';

-- `successor` asks for another tick where work is left, or may be: someone who counted on this one
-- has not committed.
create or replace function public.messenger_end_tick(
  tick bigint, report jsonb default null, successor boolean default true
) returns void
language plpgsql
set search_path = ''
as $$
declare
  counted_on boolean;
begin
  select t.rested_at is null into counted_on from public.messenger_ticks t where t.id = tick;
  update public.messenger_ticks t
  set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp(),
    report = messenger_end_tick.report
  where t.id = tick;
  if successor and (
    counted_on and not pg_try_advisory_xact_lock(public.messenger_ticks_key())
    or public.messenger_has_due()
  ) then
    perform public.messenger_ask_tick();
  end if;
end
$$;
comment on function public.messenger_end_tick(bigint, jsonb, boolean) is
  'Ends a tick, whatever is left to do, and asks for its successor if something is.';

create or replace function public.messenger_grow_fleet() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  -- One at a time: who does not get the lock meets one who is asking.
  if pg_try_advisory_xact_lock(public.messenger_ticks_key() + 1) then
    if (select count(*) from public.messenger_ticks_awake()) < public.messenger_fleet_size() then
      return public.messenger_ask_tick();
    end if;
  end if;
  return null;
end
$$;
comment on function public.messenger_grow_fleet() is
  'Asks for one tick more where the queues with due messages call for it. Answers its id.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'messenger_ticks_key()', 'messenger_ticks_awake()', 'messenger_has_due(interval, text[])',
    'messenger_fleet_size()', 'messenger_ask_tick()', 'messenger_heartbeat_tick(bigint)',
    'messenger_start_tick(bigint, boolean, text[], double precision)',
    'messenger_rest_tick(bigint, jsonb)', 'messenger_end_tick(bigint, jsonb, boolean)',
    'messenger_grow_fleet()'
  ] loop
    execute format('revoke execute on function public.%s from public, anon, authenticated', signature);
    execute format('grant execute on function public.%s to service_role', signature);
  end loop;
end
$$;
