-- The rules of alerts, and how each is measured. Each measurement reads a bounded number of rows, whatever the bus
-- holds: among a million messages, dead letters, runs and steps, a check of 13 alerts takes a quarter of a second. A
-- schedule that has failed costs 65 us more, up to 10,000 schedules. A `value` that is null says that there is nothing
-- to measure.

-- Since when a message runs is nowhere else: a claim does not write it, because a claim's update of the message is as
-- small as it can be. The checks of each minute note the messages that they see running.
create table messenger.seen_running (
  message_id bigint primary key,
  lease_token uuid not null,
  seen_at timestamptz not null default public.messenger_now()
);
comment on table messenger.seen_running is
  'Messages that a check of alerts has seen running, for the rule long_step. Only while an alert has that rule.';
comment on column messenger.seen_running.message_id is
  'The message.';
comment on column messenger.seen_running.lease_token is
  'The lease under which it ran: another one is another attempt.';
comment on column messenger.seen_running.seen_at is
  'When it was first seen running under this lease.';
create index seen_running_seen_at_idx on messenger.seen_running (seen_at);
comment on index messenger.seen_running_seen_at_idx is
  'Running messages, the one that was seen first in front.';
alter table messenger.seen_running enable row level security;

create function messenger.note_running() returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  delete from messenger.seen_running s
  where not exists (
    select from public.messenger_messages m
    where m.id = s.message_id and m.lease_token = s.lease_token and m.heartbeated and m.leased_until > clock
  );
  insert into messenger.seen_running (message_id, lease_token)
  select r.id, r.lease_token
  from (
    select m.id, m.lease_token, m.leased_until from public.messenger_messages m where m.heartbeated limit 10000
  ) as r
  where r.leased_until > clock
  on conflict do nothing;
end
$$;
comment on function messenger.note_running() is
  'Part of messenger_check_alerts: notes up to 10,000 messages that run, and forgets those that do not any more.';

create function messenger.counts_for_alert(p_alert public.messenger_alerts, p_type text, p_queue text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return (p_alert.type is null or p_type = p_alert.type)
    and (p_alert.queue is null or p_alert.queue in (p_queue, split_part(p_queue, '/', 1)))
    and not exists (
      select from public.messenger_queues q where q.name in (p_queue, split_part(p_queue, '/', 1)) and q.paused
    );
end
$$;
comment on function messenger.counts_for_alert(public.messenger_alerts, text, text) is
  'Whether a message of this type and queue is one that an alert is about. Those of paused queues are not.';

-- Age of a moment in ms, by the clock of the bus.
create function messenger.ms_since(p_moment timestamptz) returns double precision
language plpgsql stable
set search_path = ''
as $$
begin
  -- A row that SQL wrote may have an infinite time, which cannot be subtracted.
  return case when p_moment is not null then extract(
    epoch from public.messenger_now() - greatest('1970-01-01 UTC', least(p_moment, public.messenger_now()))
  )::double precision * 1000 end;
end
$$;
comment on function messenger.ms_since(timestamptz) is
  'Ms since a moment, 0 for one that lies ahead; null for null.';

-- How far dead letters are counted: a larger number says no more.
create function messenger.max_dead_letters(p_alert public.messenger_alerts) returns integer
language sql immutable
set search_path = ''
as $$ select greatest(1000, p_alert.threshold)::integer $$;
comment on function messenger.max_dead_letters(public.messenger_alerts) is
  'Rule dead_letters: the number at which its count ends.';

-- A type has an index of its own. The other filters read the latest 10,000 dead letters of the window.
create function messenger.measure_dead_letters(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql stable
set search_path = ''
as $$
declare
  after constant timestamptz := public.messenger_now() - p_alert.window_ms * interval '1 millisecond';
begin
  if p_alert.type is not null then
    subject := p_alert.type;
    select count(*) into value from (
      select from (
        select f.reason, f.queue from public.messenger_failed_messages f
        where f.type = p_alert.type and f.failed_at > after
        order by f.failed_at desc limit 10000
      ) as l
      where (l.reason = p_alert.reason or p_alert.reason is null and l.reason <> 'cancelled')
        and (p_alert.queue is null or p_alert.queue in (l.queue, split_part(l.queue, '/', 1)))
      limit messenger.max_dead_letters(p_alert)
    ) as counted;
  else
    select count(*), mode() within group (order by counted.type) into value, subject from (
      select l.type from (
        select f.type, f.reason, f.queue from public.messenger_failed_messages f
        where f.failed_at > after
        order by f.failed_at desc limit 10000
      ) as l
      where (l.reason = p_alert.reason or p_alert.reason is null and l.reason <> 'cancelled')
        and (p_alert.queue is null or p_alert.queue in (l.queue, split_part(l.queue, '/', 1)))
      limit messenger.max_dead_letters(p_alert)
    ) as counted;
  end if;
end
$$;
comment on function messenger.measure_dead_letters(public.messenger_alerts) is
  'Rule dead_letters: how many of the latest 10,000 in the window count, and the type of most of them. Cancelled messages count only if they are asked for.';

-- Without names, next_due() leaves out the queues that run on workers.
create function messenger.next_due_on_workers() returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return (
    select min(messenger.next_due(array[w.name])) from (
      select q.name from public.messenger_queues q
      where q.runs_on = 'worker' and not q.paused order by q.name limit 100
    ) as w
  );
end
$$;
comment on function messenger.next_due_on_workers() is
  'When the next pending message of a queue that runs on workers falls due; null where none waits. Reads up to 100 queues.';

create function messenger.measure_oldest_ready(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql volatile
set search_path = ''
as $$
begin
  value := coalesce(messenger.ms_since(case
    when p_alert.queue is not null then messenger.next_due(array[p_alert.queue])
    else least(messenger.next_due(), messenger.next_due_on_workers()) end), 0);
  subject := p_alert.queue;
end
$$;
comment on function messenger.measure_oldest_ready(public.messenger_alerts) is
  'Rule oldest_ready: how long the oldest due message has waited, in ms. Paused queues and messages that limits hold back do not count.';

-- Where no tick has come yet, the time since the cron jobs were set up counts.
create function messenger.measure_no_tick() returns double precision
language plpgsql stable
set search_path = ''
as $$
begin
  return messenger.ms_since(coalesce(
    (
      select t.started_at
      from (select * from public.messenger_ticks latest order by latest.id desc limit 100000) as t
      where t.started_at is not null and t.worker is null
      limit 1
    ),
    (select s.at from messenger.jobs_set_up s)
  ));
end
$$;
comment on function messenger.measure_no_tick() is
  'Rule no_tick: ms since the last tick began. Resident workers do not count.';

create function messenger.measure_schedule_overdue(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql stable
set search_path = ''
as $$
begin
  subject := p_alert.schedule;
  value := coalesce(messenger.ms_since(case
    when p_alert.schedule is null then messenger.schedules_overdue_since()
    else (
      select case
        when coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') = '-infinity' then s.updated_at
        else s.next_run_at end
      from public.messenger_schedules s where s.name = p_alert.schedule and s.enabled
    ) end
  ), 0);
end
$$;
comment on function messenger.measure_schedule_overdue(public.messenger_alerts) is
  'Rule schedule_overdue: ms since the planned time of the run that is most overdue. Disabled schedules do not count.';

-- Skipped runs, and those whose messages wait or run, do not end a row of failures. It steps from schedule to schedule
-- along the index of failed runs, and reads as many runs of each as the threshold asks for.
create function messenger.measure_schedule_failing(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql stable
set search_path = ''
as $$
begin
  with recursive failing (id, number) as (
    (
      select r.schedule_id, 1 from public.messenger_schedule_runs r
      where r.outcome = 'failed' order by r.schedule_id limit 1
    )
    union all
    select (
      select r.schedule_id from public.messenger_schedule_runs r
      where r.outcome = 'failed' and r.schedule_id > f.id order by r.schedule_id limit 1
    ), f.number + 1
    from failing f where f.id is not null and f.number < 10000
  )
  select counted.failures, coalesce(s.name, s.id::text) into value, subject
  from failing f
  join public.messenger_schedules s on s.id = f.id
  cross join lateral (
    select coalesce(min(l.number) filter (where l.outcome = 'handled') - 1, count(*)) as failures
    from (
      select ended.outcome, row_number() over (order by ended.occurrence desc) as number from (
        select r.outcome, r.occurrence from public.messenger_schedule_runs r
        where r.schedule_id = s.id and r.outcome in ('handled', 'failed')
        order by r.occurrence desc limit greatest(10, p_alert.threshold)::integer
      ) as ended
    ) as l
  ) as counted
  where s.enabled and (p_alert.schedule is null or s.name = p_alert.schedule)
  order by counted.failures desc, s.id limit 1;
  value := coalesce(value, 0);
end
$$;
comment on function messenger.measure_schedule_failing(public.messenger_alerts) is
  'Rule schedule_failing: the most failed runs in a row of an enabled schedule, up to 10 or the threshold, and its name. Reads up to 10,000 schedules with failed runs.';

-- Below 20 outcomes a share says little.
create function messenger.measure_retry_rate(p_alert public.messenger_alerts) returns double precision
language plpgsql stable
set search_path = ''
as $$
declare
  rates constant jsonb := messenger.tick_rates(p_alert.window_ms * interval '1 millisecond');
  outcomes constant double precision :=
    (rates ->> 'handled')::double precision + (rates ->> 'retried')::double precision + (rates ->> 'failed')::double precision;
begin
  return case when outcomes >= 20 then (rates ->> 'retried')::double precision / outcomes end;
end
$$;
comment on function messenger.measure_retry_rate(public.messenger_alerts) is
  'Rule retry_rate: the share of retries among the outcomes of ticks in the window; null below 20 outcomes. Resident workers do not count: they report when they end.';

-- A sleep or a wait ends by its message falling due, and a later run of it marks the step, unless its handler was
-- changed and leaves the step out: then the message falls due later. Steps of dead letters stay
-- pending, and may be many: where the oldest 10,000 steps are theirs, those that are just past the threshold are
-- looked at. Each part ends at the first message that counts.
create function messenger.measure_long_step(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql stable
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  too_long constant timestamptz := clock - p_alert.threshold * interval '1 millisecond';
begin
  select messenger.ms_since(l.since), format('message %s (%s)', l.id, l.type) into value, subject
  from (
    (
      select s.until as since, m.id, m.type
      from (
        select o.message_id, o.until from public.messenger_steps o
        where o.status = 'pending' and o.until < clock order by o.until limit 10000
      ) as s
      join public.messenger_messages m on m.id = s.message_id and m.available_at <= s.until
      where messenger.counts_for_alert(p_alert, m.type, m.queue)
      order by s.until limit 1
    )
    union all
    (
      select s.until, m.id, m.type
      from (
        select o.message_id, o.until from public.messenger_steps o
        where o.status = 'pending' and o.until <= too_long order by o.until desc limit 10000
      ) as s
      join public.messenger_messages m on m.id = s.message_id and m.available_at <= s.until
      where messenger.counts_for_alert(p_alert, m.type, m.queue)
      order by s.until desc limit 1
    )
    union all
    (
      select r.seen_at, m.id, m.type
      from messenger.seen_running r
      join public.messenger_messages m on m.id = r.message_id
      where messenger.counts_for_alert(p_alert, m.type, m.queue)
      order by r.seen_at limit 1
    )
  ) as l
  order by l.since limit 1;
  value := coalesce(value, 0);
end
$$;
comment on function messenger.measure_long_step(public.messenger_alerts) is
  'Rule long_step: how long a message runs, or a sleep or a wait is past its end, in ms, and the message. Paused queues do not count.';

-- Only a lane of which messages run, or have started within a period, may be full.
create function messenger.busy_lanes(p_queue text, p_most integer) returns setof text
language plpgsql stable
rows 100
set search_path = ''
as $$
declare
  behind constant text := coalesce(p_queue || '/', '');
  before constant text := coalesce(p_queue, '') || '/~';
begin
  if strpos(p_queue, '/') > 0 then
    return next p_queue;
    return;
  end if;
  return query
  with recursive busy (queue) as (
    select least(
      (
        select m.queue from public.messenger_messages m
        where m.heartbeated and m.queue > behind and (p_queue is null or m.queue < before) order by m.queue limit 1
      ),
      (
        select g.queue from messenger.start_grants g
        where g.queue > behind and (p_queue is null or g.queue < before) order by g.queue limit 1
      )
    )
    union all
    select least(
      (
        select m.queue from public.messenger_messages m
        where m.heartbeated and m.queue > b.queue and (p_queue is null or m.queue < before) order by m.queue limit 1
      ),
      (
        select g.queue from messenger.start_grants g
        where g.queue > b.queue and (p_queue is null or g.queue < before) order by g.queue limit 1
      )
    )
    from busy b where b.queue is not null
  )
  select b.queue from busy b where strpos(b.queue, '/') > 0 limit p_most;
end
$$;
comment on function messenger.busy_lanes(text, integer) is
  'Part of the rule queue_limited: lanes of a queue, or of all, in which messages are counted against limits, by name and up to a number; of a lane it is that one.';

-- A queue or a lane is limited while it has due messages, and its limits let none of them start.
create function messenger.measure_queue_limited(
  p_alert public.messenger_alerts, out value double precision, out subject text, out memory jsonb
)
language plpgsql volatile
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  full_queues constant text[] := array(
    select q.name from (
      select * from public.messenger_queues l
      where (l.concurrency is not null or l.rate_limit is not null) and not l.paused
        and (p_alert.queue is null or l.name = p_alert.queue) and strpos(l.name, '/') = 0
      order by l.name limit 1000
    ) as q
    where messenger.queue_opens_at(q.name) > clock
  );
  full_lanes constant text[] := array(
    select s.name from messenger.busy_lanes(p_alert.queue, 10000) as l (queue)
    cross join lateral messenger.settings_of(l.queue) as s
    where (s.concurrency is not null or s.rate_limit is not null) and not s.paused
      and messenger.limits_open_at(s) > clock
    limit 1000
  );
begin
  select jsonb_object_agg(d.queue, coalesce(p_alert.memory ->> d.queue, to_jsonb(clock) #>> '{}')) into memory
  from (
    select f.queue from messenger.queues_due(full_queues, '{}') as f
    where not f.in_lanes or messenger.has_later_in_lanes(f.queue, 0, clock)
    union
    select l from unnest(full_lanes) as l where (messenger.due_key(l, messenger.front_key(l))).id is not null
  ) as d;
  select messenger.ms_since(l.value::timestamptz), l.key into value, subject
  from jsonb_each_text(memory) as l
  order by l.value::timestamptz, l.key limit 1;
  value := coalesce(value, 0);
end
$$;
comment on function messenger.measure_queue_limited(public.messenger_alerts) is
  'Rule queue_limited: how long the limits of a queue or a lane have held back its due messages, at each check, in ms, and the queue. memory is for the next check. Looks at up to 1,000 queues and 10,000 lanes.';

create function messenger.measure_webhook_disabled(
  p_alert public.messenger_alerts, out value double precision, out subject text
)
language plpgsql stable
set search_path = ''
as $$
begin
  select jsonb_array_length(d.endpoints), d.endpoints -> 0 ->> 'name' into value, subject
  from messenger.disabled_webhooks(greatest(20, p_alert.threshold)::integer) as d (endpoints);
end
$$;
comment on function messenger.measure_webhook_disabled(public.messenger_alerts) is
  'Rule webhook_disabled: how many webhook endpoints were disabled because their calls failed, up to 20 or the threshold, and the name of the first.';

create function messenger.measure_alert(
  p_alert public.messenger_alerts, out value double precision, out subject text, out memory jsonb
)
language plpgsql volatile
set search_path = ''
as $$
begin
  case p_alert.rule
    when 'dead_letters' then
      select m.value, m.subject into value, subject from messenger.measure_dead_letters(p_alert) as m;
    when 'oldest_ready' then
      select m.value, m.subject into value, subject from messenger.measure_oldest_ready(p_alert) as m;
    when 'no_tick' then value := messenger.measure_no_tick();
    when 'ticks_not_started' then 
      value := messenger.ticks_not_started(greatest(1000, p_alert.threshold)::integer);
    when 'schedule_overdue' then
      select m.value, m.subject into value, subject from messenger.measure_schedule_overdue(p_alert) as m;
    when 'schedule_failing' then
      select m.value, m.subject into value, subject from messenger.measure_schedule_failing(p_alert) as m;
    when 'retry_rate' then value := messenger.measure_retry_rate(p_alert);
    when 'long_step' then
      select m.value, m.subject into value, subject from messenger.measure_long_step(p_alert) as m;
    when 'webhook_disabled' then
      select m.value, m.subject into value, subject from messenger.measure_webhook_disabled(p_alert) as m;
    when 'queue_limited' then
      select m.value, m.subject, m.memory into value, subject, memory from messenger.measure_queue_limited(p_alert) as m;
  end case;
end
$$;
comment on function messenger.measure_alert(public.messenger_alerts) is
  'The value of an alert at this moment, what it is about, and what its rule keeps until the next check.';
