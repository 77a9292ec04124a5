-- Limits of a queue over all ticks: how many of its messages are leased at once, and how many are
-- started in a period. Nothing is counted that could leak: what runs is what holds a live lease, and
-- what was started is a grant that passes with its period.

create table if not exists public.messenger_rate_grants (
  queue text not null,
  starts_by timestamptz not null,
  messages integer not null,
  primary key (queue, starts_by)
);

comment on table public.messenger_rate_grants is
  'Starts that claims have granted to queues with a rate limit, until they pass out of the period.';
comment on column public.messenger_rate_grants.queue is
  'Queue whose rate they count against.';
comment on column public.messenger_rate_grants.starts_by is
  'The last of them was started by this moment; they count until a period later.';
comment on column public.messenger_rate_grants.messages is
  'How many messages were granted.';

alter table public.messenger_rate_grants enable row level security;
revoke all on table public.messenger_rate_grants from anon, authenticated;
grant select, insert, update, delete on table public.messenger_rate_grants to service_role;

create or replace function public.messenger_queue_lock(queue text) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select pg_catalog.hashtextextended('symphony_messenger.queue', 0)
    + (pg_catalog.hashtextextended(queue, 0) & 1023)
$$;
comment on function public.messenger_queue_lock(text) is
  'The advisory lock under which claims share out the room of a queue with limits: one of 1,024, for a claim may look at any number of queues.';

-- When the limits let the next message of a queue start; null where they do already.
create or replace function public.messenger_queue_opens_at(queue text) returns timestamptz
language sql volatile
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
  select greatest(
    -- The lease whose end makes room, counted from the last one.
    (
      select l.leased_until from public.messenger_messages l
      where q.concurrency is not null and l.queue = q.name and l.tracked
        and l.leased_until > public.messenger_now()
      order by l.leased_until desc offset q.concurrency - 1 limit 1
    ),
    -- The grant that is too many, counted from the last one.
    (
      select g.starts_by + q.rate_period_ms * interval '1 millisecond'
      from (
        select r.starts_by, sum(r.messages) over (order by r.starts_by desc) as later
        from public.messenger_rate_grants r
        where q.rate_limit is not null and r.queue = q.name
          and r.starts_by > public.messenger_now() - q.rate_period_ms * interval '1 millisecond'
      ) as g
      where g.later >= q.rate_limit
      order by g.starts_by desc limit 1
    )
  )
  from public.messenger_queues q
  where q.name = messenger_queue_opens_at.queue
    and (q.concurrency is not null or q.rate_limit is not null)
$$;
comment on function public.messenger_queue_opens_at(text) is
  'When the limits of a queue let its next message start, at the latest; null where they do already.';

-- The lock is held until the claim has committed, so that the next one sees what this one has leased.
create or replace function public.messenger_queue_room(queue text, slots integer default null)
returns integer
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  clock constant timestamptz := public.messenger_now();
  limits public.messenger_queues;
  room integer;
begin
  select q.* into limits from public.messenger_queues q where q.name = messenger_queue_room.queue;
  if limits.concurrency is null and limits.rate_limit is null then
    return null;
  end if;
  -- An older snapshot may not show what the last claim has leased.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a queue with limits are claimed in a read committed transaction only';
  end if;
  if not pg_try_advisory_xact_lock(public.messenger_queue_lock(queue)) then
    return 0;
  end if;
  if limits.concurrency is not null then
    room := limits.concurrency - (
      select count(*)
      from (
        select from public.messenger_messages m
        where m.queue = limits.name and m.tracked and m.leased_until > clock
        limit limits.concurrency
      ) as live
    );
  end if;
  if limits.rate_limit is not null then
    room := least(room, slots, limits.rate_limit - coalesce((
      select sum(g.messages)::integer from public.messenger_rate_grants g
      where g.queue = limits.name
        and g.starts_by > clock - limits.rate_period_ms * interval '1 millisecond'
    ), 0));
  end if;
  return greatest(room, 0);
end
$$;
comment on function public.messenger_queue_room(text, integer) is
  'Part of a claim: how many messages the limits of a queue allow it, at most `slots` where a rate is limited; 0 while another claim shares out the room, null where the queue has no limits.';

-- What runs already counts as well. What a claim takes meanwhile counts from its first heartbeat on.
create or replace function public.messenger_track_queue() returns trigger
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  update public.messenger_messages m set tracked = true
  where m.id = any (array(select unnest(l.ids) from public.messenger_leases l))
    and m.queue = new.name and m.status = 'processing' and not m.tracked;
  return null;
end
$$;
comment on function public.messenger_track_queue() is
  'Trigger: a queue was given a concurrency; what runs of it takes its places.';

create or replace trigger messenger_queues_tracked
  after update on public.messenger_queues
  for each row when (old.concurrency is null and new.concurrency is not null)
  execute function public.messenger_track_queue();

-- A start may come `start_within_ms` after its claim, so a grant counts for that much longer than a
-- period. Grants are kept in hundredths of the period, rounded up: a queue has about a hundred.
create or replace function public.messenger_grant_rate(
  queue text, messages integer, start_within_ms integer
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  period interval;
begin
  select q.rate_period_ms * interval '1 millisecond' into period
  from public.messenger_queues q
  where q.name = messenger_grant_rate.queue and q.rate_limit is not null;
  if period is null or messages = 0 then
    return 0;
  end if;
  delete from public.messenger_rate_grants g
  where g.queue = messenger_grant_rate.queue and g.starts_by <= clock - period;
  insert into public.messenger_rate_grants as known (queue, starts_by, messages)
  values (
    messenger_grant_rate.queue,
    date_bin(period / 100, clock + start_within_ms * interval '1 millisecond', 'epoch') + period / 100,
    messenger_grant_rate.messages
  )
  on conflict on constraint messenger_rate_grants_pkey
  do update set messages = known.messages + excluded.messages;
  return messages;
end
$$;
comment on function public.messenger_grant_rate(text, integer, integer) is
  'Part of a claim: counts messages against the rate of their queue, and answers how many; 0 where it has none.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'messenger_queue_lock(text)', 'messenger_queue_opens_at(text)',
    'messenger_queue_room(text, integer)', 'messenger_grant_rate(text, integer, integer)',
    'messenger_track_queue()'
  ] loop
    execute format('revoke execute on function public.%s from public, anon, authenticated', signature);
    execute format('grant execute on function public.%s to service_role', signature);
  end loop;
end
$$;
