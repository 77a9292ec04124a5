-- Views for the table editor and the SQL editor of the dashboard, where many operators are. They run with the rights of
-- the role that reads them, and each reads a bounded number of rows, however large the tables are.

create view public.messenger_overview with (security_invoker = true) as
select
  public.messenger_now() as now,
  array_remove(array[
    case when t.last_tick_at is null or t.last_tick_at < public.messenger_now() - interval '3 minutes'
      then 'no tick has begun for 3 minutes' end,
    case when d.oldest_ready_at < public.messenger_now() - interval '5 minutes'
      then 'a message has been due for more than 5 minutes' end,
    case when s.overdue_since < public.messenger_now() - interval '5 minutes'
      then 'a schedule is overdue for more than 5 minutes' end,
    case when s.invalid > 0 then s.invalid || ' schedules are disabled because they cannot run' end,
    case when w.waiting <> '[]' then 'messages wait for a resident worker, and none runs' end
  ], null) as problems,
  b.queues_in_use, b.due, b.delayed, b.blocked, b.processing, d.oldest_ready_at,
  (messenger.count_failed() ->> 'count')::integer as dead_letters,
  (messenger.count_failed(public.messenger_now() - interval '1 hour') ->> 'count')::integer as dead_letters_last_hour,
  (r.rates ->> 'handled')::bigint as handled_last_hour,
  (r.rates ->> 'retried')::bigint as retried_last_hour,
  (r.rates ->> 'failed')::bigint as failed_last_hour,
  (r.rates -> 'latency_ms' ->> 'p50')::double precision as waited_p50_ms,
  (r.rates -> 'latency_ms' ->> 'p99')::double precision as waited_p99_ms,
  (r.rates -> 'run_ms' ->> 'p50')::double precision as run_p50_ms,
  (r.rates -> 'run_ms' ->> 'p99')::double precision as run_p99_ms,
  (select count(*) from public.messenger_queues q where q.paused) as queues_paused,
  s.enabled as schedules_enabled, s.overdue_since as schedules_overdue_since,
  t.last_tick_at, (select count(*) from messenger.ticks_awake()) as ticks_awake,
  (
    select count(*) from public.messenger_ticks k
    where k.worker is not null and k.ended_at is null and k.heartbeat_at > clock_timestamp() - interval '15 seconds'
  ) as workers
from
  (
    select count(*) as queues_in_use, coalesce(sum((u.depth -> 'due' ->> 'count')::bigint), 0) as due,
      coalesce(sum((u.depth -> 'delayed' ->> 'count')::bigint), 0) as delayed,
      coalesce(sum((u.depth -> 'blocked' ->> 'count')::bigint), 0) as blocked,
      (
        select coalesce(sum(p.value::bigint), 0)
        from jsonb_each_text(messenger.processing_by_queue(10000)) as p
      ) as processing
    -- `offset 0` keeps Postgres from calling the function for each of the columns.
    from (
      select messenger.queue_depth(i.queue) as depth from unnest(messenger.queues_in_use(200)) as i (queue) offset 0
    ) as u
  ) as b,
  (
    select case when n.due <= public.messenger_now() then n.due end as oldest_ready_at
    from (select messenger.next_due() as due) as n
  ) as d,
  (select messenger.rates_within(interval '1 hour') as rates offset 0) as r,
  (
    select count(*) filter (where l.enabled) as enabled, count(*) filter (where l.disabled_by = 'invalid') as invalid,
      messenger.schedules_overdue_since() as overdue_since
    from (select k.enabled, k.disabled_by from public.messenger_schedules k limit 100000) as l
  ) as s,
  (
    select max(l.started_at) as last_tick_at
    from (
      select k.started_at from public.messenger_ticks k
      where k.started_at is not null and k.worker is null order by k.id desc limit 1
    ) as l
  ) as t,
  (select messenger.waiting_for_workers() as waiting offset 0) as w;
comment on view public.messenger_overview is
  'The state of the bus in one row. Counts stop at 10,000 of each queue, and at 200 queues.';
comment on column public.messenger_overview.now is 'Current time of the bus, messenger_now().';
comment on column public.messenger_overview.problems is
  'Faults, each a text; empty if there is none. npx symphony-messenger doctor looks for more.';
comment on column public.messenger_overview.queues_in_use is 'Number of queues that hold messages, counted up to 200.';
comment on column public.messenger_overview.due is 'Messages whose time has come, also in paused queues.';
comment on column public.messenger_overview.delayed is 'Messages that fall due later: delayed, or waiting for a retry.';
comment on column public.messenger_overview.blocked is 'Messages that wait behind an earlier message of their group.';
comment on column public.messenger_overview.processing is 'Messages that are leased to workers.';
comment on column public.messenger_overview.oldest_ready_at is
  'Since when the oldest due message waits, paused queues aside; null if none is due.';
comment on column public.messenger_overview.dead_letters is 'Dead letters, counted up to 10,000.';
comment on column public.messenger_overview.dead_letters_last_hour is
  'Dead letters that failed in the last hour and are still there, counted up to 10,000.';
comment on column public.messenger_overview.handled_last_hour is 'Messages that were handled in the last hour.';
comment on column public.messenger_overview.retried_last_hour is 'Attempts of the last hour that failed and are followed by a retry.';
comment on column public.messenger_overview.failed_last_hour is 'Messages that became dead letters in the last hour, as workers counted them: also those that were redriven or removed since.';
comment on column public.messenger_overview.waited_p50_ms is
  'Half of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_overview.waited_p99_ms is
  '99 % of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_overview.run_p50_ms is 'Half of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_overview.run_p99_ms is '99 % of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_overview.queues_paused is 'Queues that are paused.';
comment on column public.messenger_overview.schedules_enabled is 'Schedules that are enabled.';
comment on column public.messenger_overview.schedules_overdue_since is
  'The earliest planned time of an enabled schedule that has passed; null if none has.';
comment on column public.messenger_overview.last_tick_at is 'When the latest tick began.';
comment on column public.messenger_overview.ticks_awake is 'Ticks that were just asked for, or run and poll for messages.';
comment on column public.messenger_overview.workers is 'Resident workers whose last heartbeat is less than 15 s old.';

create view public.messenger_queue_overview with (security_invoker = true) as
select
  q.name as queue, q.paused,
  (q.depth -> 'due' ->> 'count')::integer as due,
  (q.depth -> 'delayed' ->> 'count')::integer as delayed,
  (q.depth -> 'blocked' ->> 'count')::integer as blocked,
  coalesce((
    (select messenger.processing_by_queue(10000)) ->> q.name
  )::integer, 0) as processing,
  (q.depth ->> 'oldest_ready_at')::timestamptz as oldest_ready_at,
  coalesce(r.handled, 0) as handled_last_hour, coalesce(r.retried, 0) as retried_last_hour,
  coalesce(r.failed, 0) as failed_last_hour,
  messenger.quantile(r.latency, 0.5) as waited_p50_ms, messenger.quantile(r.latency, 0.99) as waited_p99_ms,
  messenger.quantile(r.runs, 0.5) as run_p50_ms, messenger.quantile(r.runs, 0.99) as run_p99_ms,
  q.runs_on, q.max_workers, q.concurrency, q.rate_limit, q.rate_period_ms, q.created_at
-- In order of the index, so that a page of the table editor looks into the queues of the page only.
from (
  select k.*, messenger.queue_depth(k.name) as depth from public.messenger_queues k order by k.name
) as q
left join messenger.sum_series(
  public.messenger_now() - interval '1 hour', public.messenger_now() + interval '1 minute', interval '1 day',
  p_by => 'queue'
) as r on r.label = q.name;
comment on view public.messenger_queue_overview is
  'The queues: how many messages each holds now, how many were handled, retried and failed in the last hour, and its settings. Counts of messages that it holds stop at 10,000.';
comment on column public.messenger_queue_overview.queue is 'Name of the queue.';
comment on column public.messenger_queue_overview.paused is
  'A paused queue keeps accepting messages; none of them is claimed.';
comment on column public.messenger_queue_overview.due is 'Messages whose time has come, also if the queue is paused.';
comment on column public.messenger_queue_overview.delayed is 'Messages that fall due later: delayed, or waiting for a retry.';
comment on column public.messenger_queue_overview.blocked is 'Messages that wait behind an earlier message of their group.';
comment on column public.messenger_queue_overview.processing is 'Messages that are leased to workers.';
comment on column public.messenger_queue_overview.oldest_ready_at is
  'Since when the oldest due message waits; null if none is due.';
comment on column public.messenger_queue_overview.handled_last_hour is 'Messages that were handled in the last hour.';
comment on column public.messenger_queue_overview.retried_last_hour is
  'Attempts of the last hour that failed and are followed by a retry.';
comment on column public.messenger_queue_overview.failed_last_hour is 'Messages that became dead letters in the last hour.';
comment on column public.messenger_queue_overview.waited_p50_ms is
  'Half of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_queue_overview.waited_p99_ms is
  '99 % of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_queue_overview.run_p50_ms is 'Half of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_queue_overview.run_p99_ms is '99 % of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_queue_overview.runs_on is 'Where its messages run. tick: in ticks, and in resident workers that name the queue; worker: in resident workers only.';
comment on column public.messenger_queue_overview.max_workers is
  'The largest number of ticks that may be awake at once while this queue has a backlog.';
comment on column public.messenger_queue_overview.concurrency is
  'The largest number of its messages that are leased at once; null: no limit.';
comment on column public.messenger_queue_overview.rate_limit is
  'The largest number of its messages that start in any rate_period_ms; null: no limit.';
comment on column public.messenger_queue_overview.rate_period_ms is 'The period of rate_limit, in ms.';
comment on column public.messenger_queue_overview.created_at is 'When the queue was made, by its first message or by an operator.';

create function messenger.latest_failures(p_max_rows integer)
returns table (
  id bigint, type text, queue text, reason text, error text, failed_at timestamptz, redriven integer
)
language sql stable
set search_path = ''
as $$
  select f.id, f.type, f.queue, f.reason, left(f.error, 500), f.failed_at, f.redriven
  from public.messenger_failed_messages f order by f.failed_at desc, f.id desc limit p_max_rows
$$;
comment on function messenger.latest_failures(integer) is
  'Part of messenger_failures: the latest dead letters, without payloads. It is a function so that planner settings hold for this query.';

create view public.messenger_failures with (security_invoker = true) as
select
  f.type, f.reason, f.error, count(*) as number, min(f.failed_at) as first_at, max(f.failed_at) as last_at,
  (array_agg(f.id order by f.failed_at desc))[1] as latest_id, array_agg(distinct f.queue) as queues,
  count(*) filter (where f.redriven > 0) as redriven
from messenger.latest_failures(10000) as f
group by f.type, f.reason, f.error
order by number desc, last_at desc;
comment on view public.messenger_failures is
  'The latest 10,000 dead letters by type, reason and error, the largest groups first.';
comment on column public.messenger_failures.type is 'Name of the message definition.';
comment on column public.messenger_failures.reason is 'Why the messages became dead letters, as in messenger_failed_messages.';
comment on column public.messenger_failures.error is 'Text of the last error, up to 500 characters.';
comment on column public.messenger_failures.number is 'Dead letters of this type, reason and error.';
comment on column public.messenger_failures.first_at is 'When the first of them failed.';
comment on column public.messenger_failures.last_at is 'When the last of them failed.';
comment on column public.messenger_failures.latest_id is 'Id of the last of them in messenger_failed_messages.';
comment on column public.messenger_failures.queues is 'Queues of these dead letters.';
comment on column public.messenger_failures.redriven is 'How many of them were redriven before and failed again.';

create view public.messenger_upcoming with (security_invoker = true) as
select
  u.occurrence_at, u.state, s.id as schedule_id, s.name as schedule, s.message_type as type, u.message_id,
  case s.schedule_type
    when 'cron' then s.cron when 'interval' then 'every ' || s.interval_ms || ' ms' else 'once'
  end as rule,
  s.timezone, s.last_run_at, s.run_count, s.max_runs, s.end_at
from public.messenger_schedules s
cross join lateral (
  select nullif(s.next_run_at, 'infinity') as occurrence_at, null::bigint as message_id,
    case when nullif(s.next_run_at, 'infinity') is null then 'unplanned'::text else 'planned'::text end as state
  where s.enabled
  union all
  select m.available_at as occurrence_at, m.id as message_id, 'dispatched'::text as state
  from public.messenger_messages m
  where m.id = s.last_message_id and m.status = 'pending'
) as u
order by u.occurrence_at nulls first, s.id;
comment on view public.messenger_upcoming is
  'Next runs of schedules, the earliest first: the next occurrence of each enabled schedule, and the message of a schedule''s latest occurrence if it still waits.';
comment on column public.messenger_upcoming.occurrence_at is
  'Planned time of the occurrence, or the time at which the waiting message is due; null if the next tick computes it.';
comment on column public.messenger_upcoming.state is
  'planned: the next occurrence. unplanned: the schedule is new or was changed, and the next tick computes the occurrence. dispatched: the message of the latest occurrence waits, such as for its jitter or its retry.';
comment on column public.messenger_upcoming.schedule_id is 'Identity of the schedule.';
comment on column public.messenger_upcoming.schedule is 'Name of the schedule; null if it has none.';
comment on column public.messenger_upcoming.type is 'Type of its messages.';
comment on column public.messenger_upcoming.message_id is 'Id of the message that waits; null for an occurrence to come.';
comment on column public.messenger_upcoming.rule is 'When the schedule runs: the cron expression, the interval, or once.';
comment on column public.messenger_upcoming.timezone is 'Time zone in which the cron expression is read.';
comment on column public.messenger_upcoming.last_run_at is 'Planned time of the latest run; null if there was none.';
comment on column public.messenger_upcoming.run_count is 'Number of runs so far.';
comment on column public.messenger_upcoming.max_runs is 'Number of runs after which the schedule is finished; null: no limit.';
comment on column public.messenger_upcoming.end_at is 'No run is planned after this time; null: no end.';

create view public.messenger_slow with (security_invoker = true) as
select
  s.type, s.queue,
  messenger.quantile(r.runs, 0.99) as run_p99_ms, messenger.quantile(r.runs, 0.5) as run_p50_ms,
  messenger.quantile(r.latency, 0.99) as waited_p99_ms, messenger.quantile(r.latency, 0.5) as waited_p50_ms,
  coalesce(r.handled + r.retried + r.failed, 0) as attempts_last_hour,
  messenger.quantile(s.runs, 0.99) as total_run_p99_ms, messenger.quantile(s.runs, 0.5) as total_run_p50_ms,
  messenger.quantile(s.latency, 0.99) as total_waited_p99_ms,
  messenger.quantile(s.latency, 0.5) as total_waited_p50_ms,
  s.handled + s.retried + s.failed as total_attempts, round(s.run_ms / 1000.0, 1) as total_run_seconds, s.last_at
from messenger.series s
left join messenger.sum_series(
  public.messenger_now() - interval '1 hour', public.messenger_now() + interval '1 minute', interval '1 day',
  p_by => 'series'
) as r on r.label = s.id::text
where s.type <> '' and s.handled + s.retried + s.failed > 0
order by run_p99_ms desc nulls last, total_run_p99_ms desc nulls last;
comment on view public.messenger_slow is
  'How long attempts run and messages wait, by type and queue, in the last hour and since the installation (total_...); the slowest of the last hour first.';
comment on column public.messenger_slow.type is 'Type of the messages; (others) for types that are counted together.';
comment on column public.messenger_slow.queue is 'Queue of the messages; (others) for queues that are counted together.';
comment on column public.messenger_slow.run_p99_ms is '99 % of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_slow.run_p50_ms is 'Half of the attempts of the last hour ran no longer than this, in ms.';
comment on column public.messenger_slow.waited_p99_ms is
  '99 % of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_slow.waited_p50_ms is
  'Half of the attempts of the last hour began within this time after their message was due, in ms.';
comment on column public.messenger_slow.attempts_last_hour is 'Attempts that ended in the last hour.';
comment on column public.messenger_slow.total_run_p99_ms is '99 % of all attempts ran no longer than this, in ms.';
comment on column public.messenger_slow.total_run_p50_ms is 'Half of all attempts ran no longer than this, in ms.';
comment on column public.messenger_slow.total_waited_p99_ms is
  '99 % of all attempts began within this time after their message was due, in ms.';
comment on column public.messenger_slow.total_waited_p50_ms is
  'Half of all attempts began within this time after their message was due, in ms.';
comment on column public.messenger_slow.total_attempts is 'Attempts that have ended since the installation.';
comment on column public.messenger_slow.total_run_seconds is 'Sum of the times that all attempts ran, in seconds.';
comment on column public.messenger_slow.last_at is 'When an attempt was last counted.';
