-- Reads of the time series: in bins, by type or by queue.

-- Each bucket has an aggregate of its own, for a row per bucket would take five times as long. A bucket that no point
-- has is null.
create function messenger.sum_series(
  p_from timestamptz, p_until timestamptz, p_step interval, p_queue text default null, p_type text default null,
  p_by text default null
) returns table (
  bin timestamptz, label text, handled bigint, retried bigint, failed bigint, latency bigint[], runs bigint[]
)
language sql stable
set search_path = ''
as $$
  select date_bin(p_step, p.at, p_from),
    case p_by when 'type' then s.type when 'queue' then s.queue when 'series' then s.id::text else '' end,
    sum(p.handled), sum(p.retried), sum(p.failed),
    array[
      sum(p.latency[1]), sum(p.latency[2]), sum(p.latency[3]), sum(p.latency[4]),
      sum(p.latency[5]), sum(p.latency[6]), sum(p.latency[7]), sum(p.latency[8]),
      sum(p.latency[9]), sum(p.latency[10]), sum(p.latency[11]), sum(p.latency[12]),
      sum(p.latency[13]), sum(p.latency[14]), sum(p.latency[15]), sum(p.latency[16]),
      sum(p.latency[17]), sum(p.latency[18]), sum(p.latency[19]), sum(p.latency[20]),
      sum(p.latency[21]), sum(p.latency[22]), sum(p.latency[23]), sum(p.latency[24]),
      sum(p.latency[25]), sum(p.latency[26]), sum(p.latency[27]), sum(p.latency[28])
    ],
    array[
      sum(p.runs[1]), sum(p.runs[2]), sum(p.runs[3]), sum(p.runs[4]),
      sum(p.runs[5]), sum(p.runs[6]), sum(p.runs[7]), sum(p.runs[8]),
      sum(p.runs[9]), sum(p.runs[10]), sum(p.runs[11]), sum(p.runs[12]),
      sum(p.runs[13]), sum(p.runs[14]), sum(p.runs[15]), sum(p.runs[16]),
      sum(p.runs[17]), sum(p.runs[18]), sum(p.runs[19]), sum(p.runs[20]),
      sum(p.runs[21]), sum(p.runs[22]), sum(p.runs[23]), sum(p.runs[24]),
      sum(p.runs[25]), sum(p.runs[26]), sum(p.runs[27]), sum(p.runs[28])
    ]
  from messenger.series s join messenger.series_points p on p.series_id = s.id
  where p.at >= p_from and p.at < p_until
    -- All together are in one series.
    and (s.type = '') = (p_queue is null and p_type is null and p_by is null)
    and (p_queue is null or s.queue = p_queue) and (p_type is null or s.type = p_type)
  group by 1, 2
$$;
comment on function messenger.sum_series(timestamptz, timestamptz, interval, text, text, text) is
  'Outcomes of messages in bins of a time, of a queue or a type if one is given, and by type, queue or series if p_by says so.';

create function messenger.times_of(p_counts bigint[]) returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
  select case when q.median is not null then jsonb_build_object(
    'p50', q.median, 'p99', messenger.quantile(p_counts, 0.99)
  ) end
  from (select messenger.quantile(p_counts, 0.5) as median) as q
$$;
comment on function messenger.times_of(bigint[]) is
  'The times in ms within which half and 99 % of a histogram''s times lie: {"p50", "p99"}; null if it is empty.';

create function messenger.backlog_in_bins(
  p_from timestamptz, p_until timestamptz, p_step interval, p_queue text
) returns table (bin timestamptz, backlog jsonb)
language sql stable
set search_path = ''
as $$
  select date_bin(p_step, b.at, p_from), jsonb_build_object(
    'due', max(b.due), 'delayed', max(b.delayed), 'blocked', max(b.blocked), 'processing', max(b.processing),
    'oldest_ready_seconds', max(b.oldest_s)
  )
  from messenger.backlog_points b
  where b.queue = coalesce(p_queue, '') and b.at >= p_from and b.at < p_until
  group by 1
$$;
comment on function messenger.backlog_in_bins(timestamptz, timestamptz, interval, text) is
  'The largest backlog in each bin of a time, of a queue or of all; bins in which no queue held messages are left out.';

-- A day and more ago there is only a point an hour.
create function messenger.series_step(p_from timestamptz, p_until timestamptz, p_seconds integer) returns interval
language plpgsql stable
set search_path = ''
as $$
declare
  is_old constant boolean := p_from < date_trunc('hour', public.messenger_now() - interval '1 day', 'UTC');
  range_s constant double precision := extract(epoch from p_until - p_from);
  step integer := coalesce(p_seconds, (
    select min(s) from unnest(array[60, 300, 900, 3600, 21600, 86400]) as s where range_s / s <= 200
  ), 86400);
begin
  if step < 60 or step > 86400 or step % 60 <> 0 then
    raise sqlstate 'PT400' using
      message = format('step: has to be whole minutes, from 1m to 1d (%ss was given)', p_seconds);
  end if;
  if is_old then
    step := 3600 * ceil(step / 3600.0)::integer;
  end if;
  if range_s / step > 1500 then
    raise sqlstate 'PT400' using message = format(
      'step: is too small for this time, which would have %s points; 1500 are the most', ceil(range_s / step)
    );
  end if;
  return step * interval '1 second';
end
$$;
comment on function messenger.series_step(timestamptz, timestamptz, integer) is
  'Part of messenger_time_series: the length of a bin. Refuses one that makes more than 1,500 bins.';

create function public.messenger_time_series(
  from_at timestamptz default null, until_at timestamptz default null, step_seconds integer default null,
  queue text default null, type text default null
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  until timestamptz := coalesce(until_at, public.messenger_now());
  begins timestamptz := coalesce(from_at, until - interval '1 hour');
  step interval;
begin
  if not (messenger.is_moment(begins) and messenger.is_moment(until)) then
    raise sqlstate 'PT400' using message = format('from, until: have to lie in the years 1 to 9999 (%s, %s)', begins, until);
  elsif not begins < until then
    raise sqlstate 'PT400' using message = format('from: has to lie before until (%s was given)', begins);
  end if;
  step := messenger.series_step(begins, until, step_seconds);
  begins := date_bin(step, begins, '2000-01-01Z');
  return jsonb_build_object(
    'from', begins, 'until', until, 'step_seconds', extract(epoch from step)::integer,
    'points', (
      select jsonb_agg(jsonb_build_object(
        'at', b.at, 'handled', coalesce(s.handled, 0), 'retried', coalesce(s.retried, 0),
        'failed', coalesce(s.failed, 0),
        'latency_ms', messenger.times_of(s.latency), 'run_ms', messenger.times_of(s.runs),
        'backlog', case when messenger_time_series.type is null then coalesce(
          q.backlog, '{"due":0,"delayed":0,"blocked":0,"processing":0,"oldest_ready_seconds":0}'
        ) end
      ) order by b.at)
      from generate_series(begins, until - interval '1 microsecond', step) as b (at)
      left join messenger.sum_series(
        begins, until, step, messenger_time_series.queue, messenger_time_series.type
      ) as s on s.bin = b.at
      left join messenger.backlog_in_bins(begins, until, step, messenger_time_series.queue) as q on q.bin = b.at
    )
  );
end
$$;
comment on function public.messenger_time_series(timestamptz, timestamptz, integer, text, text) is
  'Outcomes of messages and how large the backlog was, in bins of step_seconds: {"from", "until", "step_seconds", "points"}; each point is {"at", "handled", "retried", "failed", "latency_ms": {"p50", "p99"}, "run_ms", "backlog"}. 1,500 points at most. Where from_at lies more than a day back, bins have whole hours.';

create function messenger.rates_within(p_within interval) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'seconds', extract(epoch from p_within)::integer, 'handled', coalesce(max(s.handled), 0),
    'retried', coalesce(max(s.retried), 0), 'failed', coalesce(max(s.failed), 0),
    'latency_ms', messenger.times_of(max(s.latency)), 'run_ms', messenger.times_of(max(s.runs))
  )
  -- One bin.
  from messenger.sum_series(
    public.messenger_now() - p_within, public.messenger_now() + interval '1 minute', p_within + interval '1 day'
  ) as s
$$;
comment on function messenger.rates_within(interval) is
  'Outcomes of messages within a time: {"seconds", "handled", "retried", "failed", "latency_ms": {"p50", "p99"}, "run_ms"}.';

create function messenger.busy_types(p_within interval, p_max_types integer) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'type', b.label, 'handled', b.handled, 'retried', b.retried, 'failed', b.failed,
    'latency_ms', messenger.times_of(b.latency), 'run_ms', messenger.times_of(b.runs)
  ) order by b.total desc, b.label), '[]')
  from (
    select s.*, s.handled + s.retried + s.failed as total
    from messenger.sum_series(
      public.messenger_now() - p_within, public.messenger_now() + interval '1 minute',
      p_within + interval '1 day', p_by => 'type'
    ) as s
    order by total desc, s.label limit p_max_types
  ) as b
$$;
comment on function messenger.busy_types(interval, integer) is
  'The types of which most messages ran within a time, as {"type", "handled", "retried", "failed", "latency_ms", "run_ms"}.';

-- For counters and histograms that are scraped. Types beyond the first come together as "(others)". The first are
-- those that were counted first, and not the busiest: a type that left "(others)" would make that counter shrink, and
-- Prometheus takes a counter that shrinks for one that began again.
create function public.messenger_totals(max_types integer default 50) returns jsonb
language sql stable
set search_path = ''
as $$
  with ranked as (
    select s.type, row_number() over (order by min(s.id)) as place
    from messenger.series s where s.type not in ('', '(others)') group by s.type
  ),
  labelled as materialized (
    select s.*, case when r.place <= messenger.page_size(max_types, 'max_types') then s.type else '(others)' end as label
    from messenger.series s left join ranked r on r.type = s.type where s.type <> ''
  ),
  histograms as (
    select h.label, array_agg(h.waited order by h.bucket) as latency, array_agg(h.ran order by h.bucket) as runs
    from (
      select l.label, b.bucket, coalesce(sum(l.latency[b.bucket]), 0)::bigint as waited,
        coalesce(sum(l.runs[b.bucket]), 0)::bigint as ran
      from labelled l cross join generate_series(1, 28) as b (bucket)
      group by l.label, b.bucket
    ) as h group by h.label
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'type', t.label, 'handled', t.handled, 'retried', t.retried, 'failed', t.failed,
    'latency', h.latency, 'latency_ms', t.latency_ms, 'runs', h.runs, 'run_ms', t.run_ms
  ) order by t.label), '[]')
  from (
    select l.label, sum(l.handled) as handled, sum(l.retried) as retried, sum(l.failed) as failed,
      sum(l.latency_ms) as latency_ms, sum(l.run_ms) as run_ms
    from labelled l group by l.label
  ) as t
  join histograms h on h.label = t.label
$$;
comment on function public.messenger_totals(integer) is
  'Totals since the installation by type, for counters and histograms: [{"type", "handled", "retried", "failed", "latency", "latency_ms", "runs", "run_ms"}]. The types that were counted first, up to a number; the others are together "(others)".';

-- For a list of queues, which shows the depth of each as a line.
create function public.messenger_backlogs(queues text[]) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  step constant interval := interval '2 minutes';
  begins constant timestamptz := date_bin(step, public.messenger_now(), '2000-01-01Z') - interval '58 minutes';
begin
  if queues is null or cardinality(queues) not between 1 and 200 then
    raise sqlstate 'PT400' using
      message = format('queues: has to be 1 to 200 names (%s were given)', coalesce(cardinality(queues), 0));
  end if;
  return jsonb_build_object(
    'from', begins, 'step_seconds', extract(epoch from step)::integer,
    'queues', (
      select jsonb_agg(jsonb_build_object('name', n.name, 'due', (
        select jsonb_agg(coalesce((b.backlog -> 'due')::integer, 0) order by g.at)
        from generate_series(begins, begins + interval '58 minutes', step) as g (at)
        left join messenger.backlog_in_bins(begins, begins + interval '1 hour', step, coalesce(n.name, '')) as b
          on b.bin = g.at
      )) order by n.place)
      from unnest(messenger_backlogs.queues) with ordinality as n (name, place)
    )
  );
end
$$;
comment on function public.messenger_backlogs(text[]) is
  'Due messages of up to 200 queues within the last hour, in 30 bins of two minutes with the largest number of each: {"from", "step_seconds", "queues": [{"name", "due"}]}.';
