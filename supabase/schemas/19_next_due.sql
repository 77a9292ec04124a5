-- When the next pending message of these queues, or of all, may start; null if none waits.
--
-- In plpgsql, because planning takes 250 us and running 15: each call would plan a function in language SQL again, and
-- so would a plan made for the queues of each call.
create function messenger.next_due(p_queues text[] default null) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  -- From the first message of a priority of a queue to that of the next, as messenger.due_queues does. Not
  -- min(): without statistics that may be planned as a read of every row.
  return (
    with recursive fronts as (
      (
        select q.queue, f.priority, f.due_at
        from unnest(p_queues) as q (queue)
        cross join lateral (
          select m.priority, m.available_at as due_at from messenger.ready_messages m
          where m.queue = q.queue
          order by m.priority desc, m.available_at limit 1
        ) as f
        union all
        (
          select m.queue, m.priority, m.available_at from messenger.ready_messages m
          where p_queues is null
          order by m.queue, m.priority desc, m.available_at limit 1
        )
      )
      union all
      select f.queue, f.priority, f.due_at
      from fronts r
      cross join lateral (
        (
          select m.queue, m.priority, m.available_at as due_at from messenger.ready_messages m
          where m.queue = r.queue and m.priority < r.priority
          order by m.priority desc, m.available_at limit 1
        )
        union all
        (
          select m.queue, m.priority, m.available_at from messenger.ready_messages m
          where p_queues is null and m.queue > r.queue
          order by m.queue, m.priority desc, m.available_at limit 1
        )
        limit 1
      ) as f
    ),
    due as (
      select f.queue, f.due_at from fronts f
      union all
      select m.queue, m.available_at from messenger.quarantined_messages m
      where p_queues is null or m.queue = any (p_queues)
    ),
    next as materialized (
      select d.queue, min(d.due_at) as due_at from due d group by d.queue
    )
    select min(
      case when q.concurrency is null and q.rate_limit is null then n.due_at
        else greatest(n.due_at, messenger.queue_opens_at(q.name)) end
    )
    from next n left join public.messenger_queues q on q.name = n.queue
    where q.paused is not true and (p_queues is not null or q.runs_on is distinct from 'worker')
  );
end
$$;
comment on function messenger.next_due(text[]) is
  'When the next pending message of these queues, or of all, falls due and their limits let it start; null where none waits. Paused queues do not count, nor without names those that run in workers.';
