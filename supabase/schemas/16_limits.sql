-- Limits of a queue, and of each of its lanes, over all ticks: how many of its messages are leased at once, and how many are
-- started in a period. Nothing is counted that could leak: what runs is what holds a live lease, and
-- what was started is a grant that passes with its period.

create table messenger.start_grants (
  queue text collate "C" not null,
  starts_by timestamptz not null,
  messages integer not null,
  primary key (queue, starts_by)
);

comment on table messenger.start_grants is
  'Starts that claims have granted to queues with a rate limit, until they pass out of the period.';
comment on column messenger.start_grants.queue is
  'Queue whose rate they count against.';
comment on column messenger.start_grants.starts_by is
  'The last of them was started by this moment; they count until a period later.';
comment on column messenger.start_grants.messages is
  'How many messages were granted.';

alter table messenger.start_grants enable row level security;

create function messenger.queue_lock(p_queue text) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select pg_catalog.hashtextextended('symphony_messenger.queue', 0)
    + (pg_catalog.hashtextextended(p_queue, 0) & 1023)
$$;
comment on function messenger.queue_lock(text) is
  'The advisory lock under which claims share out the room of a queue with limits: one of 1,024, for a claim may check any number of queues.';

-- Running messages of a queue and of its lanes, or of one lane; it stops at `p_most`.
create function messenger.count_leased(p_queue text, p_most integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return (
    select count(*) from (
      select from (
        select m.leased_until from public.messenger_messages m
        where m.queue = p_queue and m.heartbeated
        union all
        select m.leased_until from public.messenger_messages m
        where m.queue > p_queue || '/' and m.queue < p_queue || '/~' and m.heartbeated
      ) as r
      where r.leased_until > clock
      limit p_most
    ) as live
  );
end
$$;
comment on function messenger.count_leased(text, integer) is
  'How many messages of a queue, with its lanes, hold a live lease, counted up to a bound.';

-- The start window of a claim is a minute at most. A grant for a later start is of a longer period that the queue had
-- before, which rounded it up by up to a hundredth: 14 minutes of a day, for which the queue would stay closed.
create function messenger.last_start(p_clock timestamptz, p_period interval) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_clock + interval '1 minute' + p_period / 100;
end
$$;
comment on function messenger.last_start(timestamptz, interval) is
  'The latest start that a claim may have granted by a moment, for a rate with this period.';

-- When the limits of one row let the next message of a queue start; null where they do already.
create function messenger.limits_open_at(p_limits public.messenger_queues) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  period constant interval := p_limits.rate_period_ms * interval '1 millisecond';
begin
  return greatest(
    -- The lease whose end makes room, counted from the last one.
    case when p_limits.concurrency is not null then (
      select l.leased_until from (
        select m.leased_until from public.messenger_messages m
        where m.queue = p_limits.name and m.heartbeated
        union all
        select m.leased_until from public.messenger_messages m
        where m.queue > p_limits.name || '/' and m.queue < p_limits.name || '/~' and m.heartbeated
      ) as l
      where l.leased_until > clock
      order by l.leased_until desc offset p_limits.concurrency - 1 limit 1
    ) end,
    -- The grant that is too many, counted from the last one.
    case when p_limits.rate_limit is not null then (
      select g.starts_by + period
      from (
        select r.starts_by, sum(r.messages) over (order by r.starts_by desc) as later
        from messenger.start_grants r
        where r.queue = p_limits.name and r.starts_by > clock - period
          and r.starts_by <= messenger.last_start(clock, period)
      ) as g
      where g.later >= p_limits.rate_limit
      order by g.starts_by desc limit 1
    ) end
  );
end
$$;
comment on function messenger.limits_open_at(public.messenger_queues) is
  'Part of messenger.queue_opens_at(): when a concurrency and a rate let the next message start; null where they do already.';

create function messenger.lanes_out_of_starts(p_queue text) returns table (queue text, opens_at timestamptz)
language plpgsql volatile
rows 100
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  parent constant public.messenger_queues := messenger.settings_of(p_queue);
begin
  return query
  select g.queue, max(g.starts_by + g.period)
  from (
    select s.queue, s.starts_by, s.period, s.rate,
      sum(s.messages) over (partition by s.queue order by s.starts_by desc) as later
    from (
      select o.queue, o.starts_by, o.messages, coalesce(q.rate_limit, parent.lane_rate_limit) as rate,
        case when q.rate_limit is null then parent.lane_rate_period_ms else q.rate_period_ms end
          * interval '1 millisecond' as period
      from messenger.start_grants o left join public.messenger_queues q on q.name = o.queue
      where o.queue > p_queue || '/' and o.queue < p_queue || '/~'
    ) as s
    where s.starts_by > clock - s.period and s.starts_by <= clock + interval '1 minute' + s.period / 100
  ) as g
  where g.later >= g.rate
  group by g.queue;
end
$$;
comment on function messenger.lanes_out_of_starts(text) is
  'Part of messenger.full_lanes(): the lanes of a queue whose rates are used up, each with the moment at which they let the next message start.';

-- All lanes together: to ask for the limits of each costs 40 us a lane, this 2. The same as limits_open_at().
create function messenger.full_lanes(p_queue text) returns table (queue text, opens_at timestamptz)
language plpgsql volatile
rows 100
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  parent constant public.messenger_queues := messenger.settings_of(p_queue);
begin
  return query
  select l.queue, max(l.opens_at)
  from (
    select r.queue, r.leased_until as opens_at
    from (
      select m.queue, m.leased_until, row_number() over (partition by m.queue order by m.leased_until desc) as nth
      from public.messenger_messages m
      where m.queue > p_queue || '/' and m.queue < p_queue || '/~' and m.heartbeated and m.leased_until > clock
    ) as r
    where r.nth = coalesce(
      (select q.concurrency from public.messenger_queues q where q.name = r.queue), parent.lane_concurrency
    )
    union all
    select o.queue, o.opens_at from messenger.lanes_out_of_starts(p_queue) as o
  ) as l
  group by l.queue;
end
$$;
comment on function messenger.full_lanes(text) is
  'The lanes of a queue whose own limits let no further message start now, each with the moment at which they do.';

create function messenger.queue_opens_at(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  if strpos(p_queue, '/') > 0 then
    return greatest(
      messenger.limits_open_at(messenger.settings_of(p_queue)),
      messenger.queue_opens_at(split_part(p_queue, '/', 1))
    );
  end if;
  return (
    select messenger.limits_open_at(q) from public.messenger_queues q
    where q.name = p_queue and (q.concurrency is not null or q.rate_limit is not null)
  );
end
$$;
comment on function messenger.queue_opens_at(text) is
  'When the limits of a queue let its next message start, at the latest; null where they do already. Of a lane, when its own and those of its queue do.';

-- The lock is held until the claim has committed, so that the next claim sees which messages this one has leased.
create function messenger.queue_room(p_queue text, p_slots integer default null)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  limits constant public.messenger_queues := messenger.settings_of(p_queue);
  room integer;
begin
  if limits.concurrency is null and limits.rate_limit is null then
    return null;
  end if;
  -- An older snapshot may not show what the last claim has leased.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a queue with limits are claimed in a read committed transaction only';
  end if;
  if not pg_try_advisory_xact_lock(messenger.queue_lock(p_queue)) then
    return 0;
  end if;
  if limits.concurrency is not null then
    room := limits.concurrency - messenger.count_leased(p_queue, limits.concurrency);
  end if;
  if limits.rate_limit is not null then
    room := least(room, p_slots, limits.rate_limit - coalesce((
      select sum(g.messages)::integer from messenger.start_grants g
      where g.queue = p_queue
        and g.starts_by > public.messenger_now() - limits.rate_period_ms * interval '1 millisecond'
        and g.starts_by <= messenger.last_start(
          public.messenger_now(), limits.rate_period_ms * interval '1 millisecond'
        )
    ), 0));
  end if;
  return greatest(room, 0);
end
$$;
comment on function messenger.queue_room(text, integer) is
  'Part of a claim: how many messages the limits of a queue, or of one lane by itself, allow it, at most `p_slots` where a rate is limited; 0 while another claim shares out the room, null where there are no limits.';

-- Messages that already run count as well. Messages that a claim takes meanwhile count from their first
-- heartbeat on.
create function messenger.count_running() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_messages m set heartbeated = true
  where m.id = any (array(select unnest(l.ids) from messenger.leases l))
    and (m.queue = new.name or m.queue > new.name || '/' and m.queue < new.name || '/~')
    and m.status = 'processing' and not m.heartbeated;
  return null;
end
$$;
comment on function messenger.count_running() is
  'Trigger: a queue was given a concurrency, for itself or for its lanes; what runs of it takes its places.';

create trigger messenger_queues_running
  after update on public.messenger_queues
  for each row when (
    old.concurrency is null and new.concurrency is not null
    or old.lane_concurrency is null and new.lane_concurrency is not null
  )
  execute function messenger.count_running();

-- A start may come `p_start_window_ms` after its claim, so a grant counts for that much longer than a
-- period. Grants are kept in hundredths of the period, rounded up: a queue has about a hundred.
create function messenger.grant_starts(
  p_queue text, p_messages integer, p_start_window_ms integer
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  limits constant public.messenger_queues := messenger.settings_of(p_queue);
  period constant interval := limits.rate_period_ms * interval '1 millisecond';
begin
  if limits.rate_limit is null or p_messages = 0 then
    return 0;
  end if;
  delete from messenger.start_grants g
  where g.queue = p_queue
    and (g.starts_by <= clock - period or g.starts_by > messenger.last_start(clock, period));
  insert into messenger.start_grants as known (queue, starts_by, messages)
  values (
    p_queue,
    date_bin(period / 100, clock + p_start_window_ms * interval '1 millisecond', 'epoch') + period / 100,
    p_messages
  )
  on conflict on constraint start_grants_pkey
  do update set messages = known.messages + excluded.messages;
  return p_messages;
end
$$;
comment on function messenger.grant_starts(text, integer, integer) is
  'Part of a claim: counts messages against the rate of their queue, and returns how many it counted; 0 if the queue has no rate.';
