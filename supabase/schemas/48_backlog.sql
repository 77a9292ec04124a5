-- The backlog, by the minute: how many messages each queue holds. pg_cron takes the sample after it has asked for the
-- tick, so that the backlog is seen while the functions are down.

create table messenger.backlog_points (
  minutes smallint not null default 1 check (minutes in (1, 60)),
  at timestamptz not null,
  queue text not null,
  due integer not null default 0,
  delayed integer not null default 0,
  blocked integer not null default 0,
  processing integer not null default 0,
  oldest_s integer not null default 0,
  primary key (queue, at, minutes)
);
comment on table messenger.backlog_points is
  'Messages that queues held: a row a minute for each queue that held some, and after a day the largest numbers of each hour. Kept for 30 days.';
comment on column messenger.backlog_points.minutes is
  'Length of the time that the row is about: 1 or 60 minutes.';
comment on column messenger.backlog_points.at is
  'Begin of the minute or the hour.';
comment on column messenger.backlog_points.queue is
  'Name of the queue; empty: all queues together.';
comment on column messenger.backlog_points.due is
  'Messages that were due; counted up to 100,000 a queue.';
comment on column messenger.backlog_points.delayed is
  'Messages that were to fall due later; counted up to 100,000 a queue.';
comment on column messenger.backlog_points.blocked is
  'Messages that waited behind an earlier message of their group; counted up to 100,000 a queue.';
comment on column messenger.backlog_points.processing is
  'Messages that were leased to a worker.';
comment on column messenger.backlog_points.oldest_s is
  'How long the oldest due message had waited, in seconds.';
create index backlog_points_at_idx on messenger.backlog_points (minutes, at);
comment on index messenger.backlog_points_at_idx is
  'Points by age, for pruning.';
alter table messenger.backlog_points enable row level security;

create function messenger.processing_by_queue(p_max_count integer) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(g.queue, g.number), '{}') from (
    select split_part(m.queue, '/', 1) as queue, count(*) as number from (
      select m.queue from public.messenger_messages m
      where m.status = 'processing' and m.id = any (array(select unnest(l.ids) from messenger.leases l))
      limit p_max_count
    ) as m
    group by 1
  ) as g
$$;
comment on function messenger.processing_by_queue(integer) is
  'Part of messenger_sample_backlog(): messages that are leased to workers, by queue without lanes, counted up to a bound.';

create function messenger.sample_queue(
  p_queue text, p_minute timestamptz, p_processing integer
) returns void
language plpgsql
set search_path = ''
as $$
declare
  depth constant jsonb := messenger.queue_depth(p_queue, 100000);
begin
  insert into messenger.backlog_points (at, queue, due, delayed, blocked, processing, oldest_s)
  values (
    p_minute, p_queue, (depth -> 'due' ->> 'count')::integer, (depth -> 'delayed' ->> 'count')::integer,
    (depth -> 'blocked' ->> 'count')::integer, p_processing,
    -- A message that is due since -infinity has no age: 0.
    least(2147483647, greatest(
      0, extract(epoch from public.messenger_now() - nullif((depth ->> 'oldest_ready_at')::timestamptz, '-infinity'))
    ))
  )
  on conflict do nothing;
end
$$;
comment on function messenger.sample_queue(text, timestamptz, integer) is
  'Part of messenger_sample_backlog(): writes how many messages a queue holds.';

-- Bounded: up to 200 queues, none of which begins after one second, and no wait for a lock longer than half a second.
-- A job that runs every few seconds samples once a minute.
create function public.messenger_sample_backlog() returns integer
language plpgsql
set search_path = ''
set lock_timeout = '500ms'
as $$
declare
  minute constant timestamptz := date_trunc('minute', public.messenger_now());
  ends_at constant timestamptz := clock_timestamp() + interval '1 second';
  used constant text[] := messenger.queues_in_use(200);
  processing jsonb;
  queue text;
  sampled integer := 0;
  fault_detail text;
begin
  perform messenger.sample_outbox();
  if used = '{}' or exists (
    select from messenger.backlog_points b where b.queue = '' and b.at = minute and b.minutes = 1
  ) then
    return 0;
  end if;
  processing := messenger.processing_by_queue(100000);
  foreach queue in array used[:200] loop
    exit when clock_timestamp() >= ends_at;
    perform messenger.sample_queue(queue, minute, coalesce((processing ->> queue)::integer, 0));
    sampled := sampled + 1;
  end loop;
  insert into messenger.backlog_points (at, queue, due, delayed, blocked, processing, oldest_s)
  select minute, '', sum(b.due), sum(b.delayed), sum(b.blocked), sum(b.processing), max(b.oldest_s)
  from messenger.backlog_points b where b.minutes = 1 and b.at = minute
  having count(*) > 0
  on conflict do nothing;
  perform messenger.check_deferred('messenger_sample_backlog');
  return sampled;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_sample_backlog() is
  'Writes how many messages each queue holds that holds some, once a minute, and returns the number of queues. Stops after a second. Measures the outbox as well.';

-- pg_cron's command for each minute: the request for a tick leaves with its own commit, whatever the sample does, and
-- the sample is made even if there is no request, as with a key that is missing in Vault. The procedure has no
-- search_path of its own, because Postgres forbids a procedure with one to commit.
create procedure public.messenger_in_turn(operations text[])
language plpgsql
as $$
declare
  operation text;
  problem text;
  advice text;
begin
  foreach operation in array operations loop
    if operation !~ '^messenger_[a-z_]+$' then
      raise sqlstate 'PT400' using
        message = pg_catalog.format('operations: has to have names of functions messenger_... (%s was given)', operation);
    end if;
    begin
      execute pg_catalog.format('select public.%I()', operation);
    exception when others then
      if problem is null then
        get stacked diagnostics problem = message_text, advice = pg_exception_hint;
      end if;
    end;
    commit;
  end loop;
  if problem is not null then
    raise exception using message = problem, hint = advice;
  end if;
end
$$;
comment on procedure public.messenger_in_turn(text[]) is
  'Calls functions of the bus that need no arguments one after the other, each in a transaction of its own. An error of one does not keep the next from running; the first error is raised at the end.';
