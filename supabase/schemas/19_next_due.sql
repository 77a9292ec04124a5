-- When the next message may start.

create function messenger.lane_fronts(p_queue text, p_most integer) returns table (queue text, due_at timestamptz)
language plpgsql
rows 100
set search_path = ''
as $$
begin
  return query
  with recursive fronts (queue, priority, due_at) as (
    (
      select m.queue, m.priority, m.available_at from messenger.ready_messages m
      where m.queue > p_queue || '/' and m.queue < p_queue || '/~'
      order by m.queue, m.priority desc, m.available_at limit 1
    )
    union all
    select n.queue, n.priority, n.available_at from fronts f
    cross join lateral (
      (
        select m.queue, m.priority, m.available_at from messenger.ready_messages m
        where m.queue = f.queue and m.priority < f.priority
        order by m.priority desc, m.available_at limit 1
      )
      union all
      (
        select m.queue, m.priority, m.available_at from messenger.ready_messages m
        where m.queue > f.queue and m.queue < p_queue || '/~'
        order by m.queue, m.priority desc, m.available_at limit 1
      )
      limit 1
    ) as n
  )
  select f.queue, f.due_at from fronts f limit p_most;
end
$$;
comment on function messenger.lane_fronts(text, integer) is
  'Part of messenger.next_due(): the lanes of a queue, each with when the first message of each priority falls due, up to a number of both. One read of an index for each.';

-- Without limits or settings of their own, the lanes of a queue are one search. Else each is looked at, up to 10,000: an
-- index in the order of time would show the backlog of a paused lane first, whatever its length. Of further lanes those
-- whose messages have waited longest are looked at.
create function messenger.next_due_in_lanes(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  limited constant boolean := exists (
    select from public.messenger_queues q
    where q.name = p_queue and (q.lane_concurrency is not null or q.lane_rate_limit is not null)
  );
  front record;
  next_at timestamptz;
begin
  if not limited and not exists (
    select from public.messenger_queues q where q.name > p_queue || '/' and q.name < p_queue || '/~'
  ) then
    return (
      select m.available_at from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
      order by m.available_at limit 1
    );
  end if;
  for front in
    with fronts as materialized (select f.queue, f.due_at from messenger.lane_fronts(p_queue, 10000) as f),
    others as (
      select o.queue, public.messenger_now() as due_at from messenger.oldest_lanes(p_queue, 1000) as o (queue)
      where (select count(*) from fronts) = 10000
    )
    select w.queue, min(w.due_at) as due_at,
      limited or bool_or(l.concurrency is not null or l.rate_limit is not null) as limited
    from (select * from fronts union all select * from others) as w
    left join public.messenger_queues l on l.name = w.queue
    where l.paused is not true
    group by w.queue order by 2
  loop
    exit when front.due_at >= next_at;
    next_at := least(next_at, greatest(
      front.due_at, case when front.limited then messenger.queue_opens_at(front.queue) end
    ));
  end loop;
  return next_at;
end
$$;
comment on function messenger.next_due_in_lanes(text) is
  'Part of messenger.next_due(): when the next pending message in a lane of a queue falls due, and the lane lets it start; null where none waits.';

-- From the first message of a priority of a queue to that of the next, as messenger.queues_due does. Not min(): without
-- statistics that may be planned as a read of every row. All lanes of a queue are one step.
create function messenger.waiting_fronts(p_queues text[])
returns table (queue text, due_at timestamptz, in_lanes boolean)
language plpgsql volatile
rows 10
set search_path = ''
as $$
begin
  return query
  with recursive fronts (queue, priority, due_at, in_lanes) as (
    (
      select q.queue collate "C", f.priority, f.due_at, false
      from unnest(p_queues) as q (queue)
      cross join lateral (
        select m.priority, m.available_at as due_at from messenger.ready_messages m
        where m.queue = q.queue
        order by m.priority desc, m.available_at limit 1
      ) as f
      union all
      (
        select m.queue, m.priority, m.available_at, strpos(m.queue, '/') > 0 from messenger.ready_messages m
        where p_queues is null
        order by m.queue, m.priority desc, m.available_at limit 1
      )
    )
    union all
    select f.queue, f.priority, f.due_at, f.in_lanes
    from fronts r
    cross join lateral (
      (
        select m.queue, m.priority, m.available_at as due_at, false as in_lanes from messenger.ready_messages m
        where m.queue = r.queue and m.priority < r.priority and not r.in_lanes
        order by m.priority desc, m.available_at limit 1
      )
      union all
      (
        select m.queue, m.priority, m.available_at, strpos(m.queue, '/') > 0 from messenger.ready_messages m
        where p_queues is null
          and m.queue > case when r.in_lanes then split_part(r.queue, '/', 1) || '/~' else r.queue end
        order by m.queue, m.priority desc, m.available_at limit 1
      )
      limit 1
    ) as f
  )
  select f.queue, f.due_at, f.in_lanes from fronts f;
end
$$;
comment on function messenger.waiting_fronts(text[]) is
  'Part of messenger.next_due(): the first message of each priority of each queue; of the lanes of a queue, only that it has some.';

-- When the next pending message of these queues, or of all, may start; null if none waits.
--
-- In plpgsql, because planning takes 250 us and running 15: each call would plan a function in language SQL again, and
-- so would a plan made for the queues of each call.
create function messenger.next_due(p_queues text[] default null) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return (
    with fronts as materialized (select * from messenger.waiting_fronts(p_queues)),
    due as (
      select f.queue, f.due_at from fronts f where not f.in_lanes
      union all
      select l.queue, messenger.next_due_in_lanes(l.queue) from (
        select split_part(f.queue, '/', 1) as queue from fronts f where f.in_lanes
        union all
        select q from unnest(p_queues) as q where strpos(q, '/') = 0
      ) as l
      union all
      select m.queue, m.available_at from messenger.quarantined_messages m
      where p_queues is null or messenger.is_among(m.queue, p_queues)
    ),
    next as materialized (
      select d.queue, min(d.due_at) as due_at from due d where d.due_at is not null group by d.queue
    )
    select min(greatest(n.due_at, case
      when q.concurrency is not null or q.rate_limit is not null or strpos(n.queue, '/') > 0
        then messenger.queue_opens_at(n.queue)
    end))
    from next n left join public.messenger_queues q on q.name = split_part(n.queue, '/', 1)
    where q.paused is not true and (p_queues is not null or q.runs_on is distinct from 'worker')
      and not exists (select from public.messenger_queues l where l.name = n.queue and l.paused)
  );
end
$$;
comment on function messenger.next_due(text[]) is
  'When the next pending message of these queues, or of all, with their lanes, falls due and the limits let it start; null where none waits. Paused queues and lanes do not count, nor without names those that run in workers.';
