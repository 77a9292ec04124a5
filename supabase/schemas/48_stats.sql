-- Stats: the state of the bus in one call, for dashboards and metrics.

-- Sums up the work of ticks that ended within a time.
create function messenger.tick_rates(p_within interval) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'seconds', extract(epoch from p_within)::integer,
    'ticks', count(*),
    'claimed', coalesce(sum((t.report ->> 'claimed')::bigint), 0),
    'handled', coalesce(sum((t.report ->> 'handled')::bigint), 0),
    'retried', coalesce(sum((t.report ->> 'retried')::bigint), 0),
    'failed', coalesce(sum((t.report ->> 'failed')::bigint), 0)
  )
  from (select * from public.messenger_ticks latest order by latest.id desc limit 10000) as t
  -- The report of a resident worker covers days.
  where t.ended_at > public.messenger_now() - p_within and t.worker is null
$$;
comment on function messenger.tick_rates(interval) is
  'The work of ticks that ended within a time: {"seconds", "ticks", "claimed", "handled", "retried", "failed"}.';

-- Queues up to a number, those that hold messages first.
create function messenger.queues_to_show(p_max_queues integer) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  used constant text[] := messenger.queues_in_use();
  others text[] := array[]::text[];
  known bigint;
begin
  if cardinality(used) < p_max_queues then
    others := array(
      select q.name from public.messenger_queues q
      where q.name <> all (used)
      order by q.name limit p_max_queues - cardinality(used)
    );
  end if;
  select count(*) into known from (select from public.messenger_queues limit 100000) as q;
  return jsonb_build_object(
    'queues', public.messenger_list_queues(
      names => used[:p_max_queues] || others, max_queues => p_max_queues
    ) -> 'queues',
    'left_out', greatest(0, known - p_max_queues),
    'left_out_in_use', greatest(0, cardinality(used) - p_max_queues)
  );
end
$$;
comment on function messenger.queues_to_show(integer) is
  'Settings and depth of queues up to a number, those that hold messages first: {"queues", "left_out", "left_out_in_use"}; the last is how many of those left out hold messages.';

create function public.messenger_stats() returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.queues_to_show(200) || jsonb_build_object(
    'now', public.messenger_now(),
    'dead_letters', jsonb_build_object(
      'total', messenger.count_failed(),
      'last_hour', messenger.count_failed(public.messenger_now() - interval '1 hour'),
      'groups', (
        select coalesce(jsonb_agg(to_jsonb(g) order by g.count desc, g.type, g.reason), '[]')
        from (
          select f.type, f.reason, count(*), min(f.failed_at) as first_at, max(f.failed_at) as last_at
          from (
            select latest.type, latest.reason, latest.failed_at
            from public.messenger_failed_messages latest
            order by latest.failed_at desc, latest.id desc
            limit 10000
          ) as f
          group by f.type, f.reason
          order by count(*) desc, f.type, f.reason
          limit 50
        ) as g
      )
    ),
    'rates', jsonb_build_array(
      messenger.rates_within(interval '5 minutes'), messenger.rates_within(interval '1 hour')
    ),
    'types', messenger.busy_types(interval '1 hour', 50),
    'schedules', (
      select jsonb_build_object(
        'enabled', count(*) filter (where s.enabled),
        'disabled', count(*) filter (where not s.enabled)
      )
      from (select enabled from public.messenger_schedules limit 100000) as s
    ),
    'ticks', jsonb_build_object(
      'last_at', (
        select t.started_at from public.messenger_ticks t where t.started_at is not null and t.worker is null
        order by t.id desc limit 1
      ),
      'awake', (select count(*) from messenger.ticks_awake()),
      'rates', jsonb_build_array(
        messenger.tick_rates(interval '5 minutes'),
        messenger.tick_rates(interval '1 hour')
      )
    )
  )
$$;
comment on function public.messenger_stats() is
  'The state of the bus in one call: {"now", "queues", "left_out", "left_out_in_use", "dead_letters", "rates", "types", "schedules", "ticks"}. 200 queues at most, those that hold messages first. Counts stop at 10,000; groups are of the latest 10,000 dead letters.';

create function public.messenger_list_ticks(
  before_id bigint default null, max_ticks integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select * from public.messenger_ticks t
    where t.id < coalesce(before_id, 9223372036854775807)
    order by t.id desc
    limit messenger.page_size(max_ticks, 'max_ticks')
  )
  select jsonb_build_object(
    'ticks', coalesce(
      jsonb_agg(to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc), '[]'
    ),
    'next', case when count(*) = max_ticks then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_ticks(bigint, integer) is
  'The latest ticks, those before an id. Returns {"ticks", "next"}; next is the id before which the next page begins.';

-- A worker lives for months, so that its id is far below those of the latest ticks: an index finds it. A tick of the
-- function lives for some minutes, so that it is among the latest.
create function public.messenger_list_alive_ticks(max_ticks integer default 200) returns jsonb
language sql stable
set search_path = ''
as $$
  with candidates as (
    select * from public.messenger_ticks w where w.worker is not null and w.ended_at is null
    union all
    select * from (
      select * from public.messenger_ticks t order by t.id desc limit 2000
    ) as latest
    where latest.worker is null and latest.ended_at is null
  ), alive as (
    select * from candidates c
    where coalesce(c.heartbeat_at, c.started_at, c.asked_at) > clock_timestamp() - interval '1 minute'
    order by c.worker is null, c.id desc
    limit messenger.page_size(max_ticks, 'max_ticks')
  )
  select jsonb_build_object(
    'ticks', coalesce(
      jsonb_agg(
        to_jsonb(a) || jsonb_build_object('id', a.id::text) order by a.worker is null, a.id desc
      ),
      '[]'
    ),
    'next', null
  )
  from alive a
$$;
comment on function public.messenger_list_alive_ticks(integer) is
  'Workers and ticks that have not ended and were asked for, or gave a sign of life, within the last minute; workers first. Returns {"ticks", "next"}; next is null.';
