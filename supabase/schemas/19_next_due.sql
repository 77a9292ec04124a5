-- When the next message may start.

-- Of each lane the time of one message, in one walk through the claim's index: from the first message of a priority of a
-- lane to that of the next. Lanes that are paused are left out here: to ask for the settings of each lane costs ten times
-- as much. A subquery for each row looks it up by its name; "not exists" may be planned as a read of all paused rows.
create function messenger.lane_fronts(p_queue text) returns table (queue text, due_at timestamptz)
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
    select n.queue, n.priority, n.due_at from fronts f
    cross join lateral (
      (
        select m.queue, m.priority, m.available_at as due_at from messenger.ready_messages m
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
  select f.queue, min(f.due_at) from fronts f
  where (select q.paused from public.messenger_queues q where q.name = f.queue) is not true
  group by f.queue;
end
$$;
comment on function messenger.lane_fronts(text) is
  'All lanes of a queue that have a ready message and are not paused, each with the time at which its first one falls due.';

create function messenger.lane_starts_at(p_lane text, p_due_at timestamptz) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  settings constant public.messenger_queues := messenger.settings_of(p_lane);
begin
  if settings.paused then
    return null;
  elsif settings.concurrency is null and settings.rate_limit is null then
    return p_due_at;
  end if;
  return greatest(p_due_at, messenger.limits_open_at(settings));
end
$$;
comment on function messenger.lane_starts_at(text, timestamptz) is
  'Part of messenger.next_due(): when a message of a lane may start that falls due at a moment; null where the lane is paused.';

create function messenger.next_of_all_lanes(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return (
    select min(greatest(f.due_at, l.opens_at))
    from messenger.lane_fronts(p_queue) as f left join messenger.full_lanes(p_queue) as l on l.queue = f.queue
  );
end
$$;
comment on function messenger.next_of_all_lanes(text) is
  'Part of messenger.next_due(): as next_due_in_lanes, by a read of each lane.';

-- In the order of the due times, up to the first lane that is open: nearly always one row. Where the oldest 1,000
-- messages are of lanes that are paused or full, however deep their backlogs, each further lane is one or two reads;
-- of many lanes, whose reads would take longer, it first reads the oldest 200,000 messages.
create function messenger.next_due_in_all_lanes(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  most integer := 1000;
  lane record;
  seen text[] := array[]::text[];
  is_cut boolean := false;
  starts_at timestamptz;
begin
  loop
    for lane in
      select w.queue, w.due_at
      from (
        select m.queue, m.available_at as due_at from messenger.ready_messages m
        where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
        order by m.available_at limit most
      ) as w
      where w.queue not in (select unnest(seen))
        and (select q.paused from public.messenger_queues q where q.name = w.queue) is not true
      order by w.due_at
    loop
      if lane.due_at >= starts_at then
        return starts_at;
      end if;
      continue when lane.queue = any (seen);
      is_cut := cardinality(seen) >= 2000;
      exit when is_cut;
      seen := seen || lane.queue;
      starts_at := least(starts_at, messenger.lane_starts_at(lane.queue, lane.due_at));
    end loop;
    if not is_cut and not messenger.has_later_in_lanes(p_queue, most, 'infinity') then
      return starts_at;
    end if;
    exit when most > 1000 or not messenger.has_many_lanes(p_queue);
    most := 200000;
  end loop;
  return messenger.next_of_all_lanes(p_queue);
end
$$;
comment on function messenger.next_due_in_all_lanes(text) is
  'Part of messenger.next_due(): as next_due_in_lanes, without the help of a scan.';

-- A full lane is named with the time at which its limits open.
create function messenger.next_of_lanes_to_scan(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return least(
    (
      select min(messenger.lane_starts_at(l.lane, d.available_at))
      from (
        select distinct n.lane from (
          select t.lane from messenger.lanes_to_scan t
          where t.queue = p_queue and t.opens_at <= clock order by t.opens_at limit 2000
        ) as n
      ) as l
      cross join lateral messenger.due_key(l.lane, messenger.front_key(l.lane)) as d
      where d.priority is not null
    ),
    (
      select t.opens_at from messenger.lanes_to_scan t
      where t.queue = p_queue and t.opens_at > clock order by t.opens_at limit 1
    )
  );
end
$$;
comment on function messenger.next_of_lanes_to_scan(text) is
  'Part of messenger.next_due(): when a message may start that is due in a lane that is older than the last scan of all lanes.';

create function messenger.next_due_in_lanes(p_queue text) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  due_from constant timestamptz := messenger.lanes_due_from(p_queue);
  lane record;
  starts_at timestamptz;
begin
  if due_from is null then
    return messenger.next_due_in_all_lanes(p_queue);
  end if;
  starts_at := least(
    messenger.next_of_lanes_to_scan(p_queue), (select s.opens_at from messenger.lane_scans s where s.queue = p_queue)
  );
  for lane in
    select w.queue, min(w.available_at) as due_at
    from (
      select m.queue, m.available_at from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0 and m.available_at >= due_from
      order by m.available_at limit 5000
    ) as w
    group by w.queue order by 2
  loop
    if lane.due_at >= starts_at then
      return starts_at;
    end if;
    starts_at := least(starts_at, messenger.lane_starts_at(lane.queue, lane.due_at));
  end loop;
  if messenger.has_later_in_lanes(p_queue, 5000, 'infinity', due_from) then
    return messenger.next_due_in_all_lanes(p_queue);
  end if;
  return starts_at;
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
          and m.queue > greatest(case when r.in_lanes then split_part(r.queue, '/', 1) || '/~' end, r.queue, (
            select messenger.before_open_queue(q.name) from public.messenger_queues q
            where q.name = split_part(r.queue, '/', 1) and q.paused
          ))
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
      select m.queue, m.available_at from messenger.quarantined_fronts() m
      where p_queues is null or messenger.is_among(m.queue, p_queues)
    ),
    next as materialized (
      select d.queue, min(d.due_at) as due_at from due d where d.due_at is not null group by d.queue
    )
    select min(greatest(n.due_at, case
      when q.concurrency is not null or q.rate_limit is not null or strpos(n.queue, '/') > 0
        then messenger.queue_opens_at(n.queue)
    end))
    from next n left join lateral (
      select s.paused, s.runs_on, s.concurrency, s.rate_limit from public.messenger_queues s
      where s.name = split_part(n.queue, '/', 1) offset 0
    ) as q on true
    where q.paused is not true and (p_queues is not null or q.runs_on is distinct from 'worker')
      and (select l.paused from public.messenger_queues l where l.name = n.queue) is not true
  );
end
$$;
comment on function messenger.next_due(text[]) is
  'When the next pending message of these queues, or of all, with their lanes, falls due and the limits let it start; null where none waits. Paused queues and lanes do not count, nor without names those that run in workers.';
