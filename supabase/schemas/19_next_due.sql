-- When the next message may start.

-- Without limits of their own, the lanes of a queue are one search. With limits, or where the operator has paused a
-- lane, each of up to 1,000 lanes is looked at, and of further lanes those whose messages have waited longest.
create function messenger.next_due_in_lanes(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  if not exists (
    select from public.messenger_queues q
    where q.name = p_queue and (q.lane_concurrency is not null or q.lane_rate_limit is not null)
  ) and not exists (
    select from public.messenger_queues q where q.name > p_queue || '/' and q.name < p_queue || '/~'
  ) then
    return (
      select m.available_at from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
      order by m.available_at limit 1
    );
  end if;
  return (
    select min(messenger.next_due(array[l.queue])) from (
      select w.queue from messenger.walk_lanes(p_queue || '/', p_queue || '/~', 1000) as w
      union
      select o.queue from messenger.oldest_lanes(p_queue, 1000) as o (queue)
    ) as l
  );
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
