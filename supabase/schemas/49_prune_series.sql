-- Pruning of time series: minutes of more than a day ago become hours, and what is older than 30 days goes.

-- One hour after the other, the oldest first. No hour begins at -infinity: messenger.forget_points() deletes such points.
create function messenger.downsample_series(p_before timestamptz, p_max_rows integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  hour timestamptz;
  number integer;
  total integer := 0;
begin
  loop
    hour := (
      select date_trunc('hour', p.at, 'UTC') from messenger.series_points p
      where p.minutes = 1 and p.at > '-infinity' and p.at < p_before order by p.at limit 1
    );
    exit when hour is null or total >= p_max_rows;
    with gone as (
      delete from messenger.series_points p
      where p.minutes = 1 and p.at >= hour and p.at < hour + interval '1 hour'
      returning p.*
    ),
    buckets as (
      select g.series_id, b.bucket, sum(b.waited) as waited, sum(b.ran) as ran
      from gone g cross join lateral unnest(g.latency, g.runs) with ordinality as b (waited, ran, bucket)
      group by g.series_id, b.bucket
    ),
    histograms as (
      select b.series_id, array_agg(b.waited::integer order by b.bucket) filter (where b.waited is not null) as latency,
        array_agg(b.ran::integer order by b.bucket) filter (where b.ran is not null) as runs
      from buckets b group by b.series_id
    ),
    hours as (
      insert into messenger.series_points as p (minutes, at, series_id, handled, retried, failed, latency, runs)
      select 60, hour, g.series_id, sum(g.handled), sum(g.retried), sum(g.failed),
        coalesce(h.latency, '{}'), coalesce(h.runs, '{}')
      from gone g left join histograms h on h.series_id = g.series_id
      group by g.series_id, h.latency, h.runs
      on conflict (series_id, at, minutes) do update
      set handled = p.handled + excluded.handled, retried = p.retried + excluded.retried,
        failed = p.failed + excluded.failed, latency = messenger.add_counts(p.latency, excluded.latency),
        runs = messenger.add_counts(p.runs, excluded.runs)
    )
    select count(*) into number from gone;
    exit when number = 0;
    total := total + number;
  end loop;
  return total;
end
$$;
comment on function messenger.downsample_series(timestamptz, integer) is
  'Part of pruning: adds up the points of minutes before a moment to points of hours, one hour after the other, until at least p_max_rows points of minutes are deleted. Returns how many.';

create function messenger.downsample_backlog(p_before timestamptz, p_max_rows integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  hour timestamptz;
  number integer;
  total integer := 0;
begin
  loop
    hour := (
      select date_trunc('hour', b.at, 'UTC') from messenger.backlog_points b
      where b.minutes = 1 and b.at > '-infinity' and b.at < p_before order by b.at limit 1
    );
    exit when hour is null or total >= p_max_rows;
    with gone as (
      delete from messenger.backlog_points b
      where b.minutes = 1 and b.at >= hour and b.at < hour + interval '1 hour'
      returning b.*
    ),
    hours as (
      insert into messenger.backlog_points as b (minutes, at, queue, due, delayed, blocked, processing, oldest_s)
      select 60, hour, g.queue, max(g.due), max(g.delayed), max(g.blocked), max(g.processing), max(g.oldest_s)
      from gone g group by g.queue
      on conflict (queue, at, minutes) do update
      set due = greatest(b.due, excluded.due), delayed = greatest(b.delayed, excluded.delayed),
        blocked = greatest(b.blocked, excluded.blocked), processing = greatest(b.processing, excluded.processing),
        oldest_s = greatest(b.oldest_s, excluded.oldest_s)
    )
    select count(*) into number from gone;
    exit when number = 0;
    total := total + number;
  end loop;
  return total;
end
$$;
comment on function messenger.downsample_backlog(timestamptz, integer) is
  'Part of pruning: makes the points of minutes before a moment points of hours with the largest backlog, one hour after the other, until at least p_max_rows points of minutes are deleted. Returns how many.';

-- The totals of a series that has no points left are added to those of other queues, so that the sum of all stays.
create function messenger.fold_series(p_before timestamptz, p_max_rows integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  old messenger.series;
  number integer := 0;
begin
  for old in
    select * from messenger.series s where s.last_at < p_before and s.queue not in ('', '(others)')
    order by s.id limit p_max_rows for update skip locked
  loop
    insert into messenger.series as s (queue, type, last_at) values ('(others)', old.type, old.last_at)
    on conflict (queue, type) do nothing;
    update messenger.series s
    set handled = s.handled + old.handled, retried = s.retried + old.retried, failed = s.failed + old.failed,
      latency = messenger.add_counts(s.latency, old.latency), latency_ms = s.latency_ms + old.latency_ms,
      runs = messenger.add_counts(s.runs, old.runs), run_ms = s.run_ms + old.run_ms
    where s.id = messenger.series_of('(others)', old.type);
    delete from messenger.series s where s.id = old.id;
    number := number + 1;
  end loop;
  return number;
end
$$;
comment on function messenger.fold_series(timestamptz, integer) is
  'Part of pruning: adds the totals of series that were last written before a moment to the series of the queue (others), and deletes them: at most p_max_rows. Returns how many.';

create function messenger.forget_points(p_relation regclass, p_before timestamptz, p_max_rows integer)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  number integer;
begin
  execute format(
    'delete from %1$s where ctid = any (array(
       select ctid from %1$s where minutes in (1, 60) and at < $1 limit $2 for update skip locked
     ))',
    p_relation
  ) using p_before, p_max_rows;
  get diagnostics number = row_count;
  return number;
end
$$;
comment on function messenger.forget_points(regclass, timestamptz, integer) is
  'Part of pruning: deletes up to p_max_rows points of a time series before a moment, and returns how many.';

create function messenger.prune_series(p_max_rows integer, p_dry_run boolean) returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A series is folded after its last points are gone.
  forgotten constant timestamptz := clock - interval '31 days';
begin
  if p_dry_run then
    return (
      select count(*) from (
        select from messenger.series_points p where p.minutes in (1, 60) and p.at < clock - interval '30 days'
        union all
        select from messenger.backlog_points b where b.minutes in (1, 60) and b.at < clock - interval '30 days'
        limit p_max_rows
      ) as old
    );
  end if;
  return messenger.downsample_series(date_trunc('hour', clock - interval '1 day', 'UTC'), p_max_rows)
    + messenger.downsample_backlog(date_trunc('hour', clock - interval '1 day', 'UTC'), p_max_rows)
    + messenger.forget_points('messenger.series_points', clock - interval '30 days', p_max_rows)
    + messenger.forget_points('messenger.backlog_points', clock - interval '30 days', p_max_rows)
    + messenger.fold_series(forgotten, 100);
end
$$;
comment on function messenger.prune_series(integer, boolean) is
  'Part of pruning: turns minutes of time series that are older than a day into hours, and deletes points older than 30 days. Returns how many rows it deleted; a dry run only counts those older than 30 days.';
