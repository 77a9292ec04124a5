-- Notes on the last scan of all lanes of a queue. Where thousands of lanes are paused, their messages are in front of all
-- others, and a claim that finds no open lane has read each of them: 3 us a lane. It notes that here. For 30 s the
-- next claims and polls read only the messages that have fallen due since, and the lanes that lanes_to_scan names.
-- Lanes whose rates are used up for longer than these 30 s are not among them, unless their settings change.
--
-- A message that is older than the scan may become ready after it: its lane is resumed, its group reaches it, it is
-- given back, moved, or written with an older time. Each of these calls names the lane in lanes_to_scan. A transaction
-- that is under way during a scan may do it unseen. So the messages of the last 5 s before a scan are read again, those
-- since the begin of the oldest transaction that has written and is under way, and every 30 s all lanes.

create table messenger.lane_scans (
  queue text collate "C" primary key,
  scanned_at timestamptz not null,
  due_from timestamptz,
  opens_at timestamptz
);
comment on table messenger.lane_scans is
  'Scans of all lanes of a queue: no lane but those that lanes_to_scan names had an open message that was due before due_from.';
comment on column messenger.lane_scans.queue is
  'Name of the queue, without a lane.';
comment on column messenger.lane_scans.scanned_at is
  'When a claim has read each lane.';
comment on column messenger.lane_scans.due_from is
  'Claims read the messages that have fallen due from this moment on; null where more than 1,000 lanes had due messages, so that the scan helps none.';
comment on column messenger.lane_scans.opens_at is
  'When the first of the lanes may start a message whose rates are used up for longer than a scan holds; null where there are none.';
alter table messenger.lane_scans enable row level security;

create table messenger.lanes_to_scan (
  id bigint generated always as identity primary key,
  queue text collate "C" not null,
  lane text collate "C" not null
);
comment on table messenger.lanes_to_scan is
  'Lanes that may have due messages which are older than the last scan of all lanes.';
comment on column messenger.lanes_to_scan.id is
  'Number of the row: a lane may have several.';
comment on column messenger.lanes_to_scan.queue is
  'Name of the queue, without a lane.';
comment on column messenger.lanes_to_scan.lane is
  'Queue of the lane.';
create index lanes_to_scan_lane_idx on messenger.lanes_to_scan (queue, lane);
comment on index messenger.lanes_to_scan_lane_idx is
  'Lanes to scan by their queue.';
alter table messenger.lanes_to_scan enable row level security;

create function messenger.has_scan(p_queue text) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return exists (
    select from messenger.lane_scans s
    where s.queue = p_queue and s.scanned_at > clock - interval '30 seconds' and s.scanned_at <= clock
  );
end
$$;
comment on function messenger.has_scan(text) is
  'Whether all lanes of a queue were scanned in the last 30 s.';

create function messenger.lanes_due_from(p_queue text) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return (
    select s.due_from from messenger.lane_scans s
    where s.queue = p_queue and s.scanned_at > clock - interval '30 seconds' and s.scanned_at <= clock
  );
end
$$;
comment on function messenger.lanes_due_from(text) is
  'From which due time on claims read the lanes of a queue; null where the last scan of all of them is too old, or found more lanes than a claim should read one by one.';

-- The lock keeps a claim that reads the lane meanwhile from deleting the row: see messenger.forget_lanes.
create function messenger.note_lane(p_lane text) returns void
language plpgsql
set search_path = ''
as $$
declare
  parent constant text := split_part(p_lane, '/', 1);
begin
  if messenger.lanes_due_from(parent) is null then
    return;
  end if;
  perform from messenger.lanes_to_scan t
  where t.queue = parent and t.lane = p_lane
  limit 1
  for share skip locked;
  if not found then
    insert into messenger.lanes_to_scan (queue, lane) values (parent, p_lane);
  end if;
end
$$;
comment on function messenger.note_lane(text) is
  'Has the next claims read a lane, in which a message has become ready that may be older than the last scan of all lanes.';

create function messenger.forget_lanes(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if cardinality(p_ids) > 0 then
    delete from messenger.lanes_to_scan t
    where t.id = any (array(
      select u.id from messenger.lanes_to_scan u where u.id = any (p_ids) for update skip locked
    ));
  end if;
end
$$;
comment on function messenger.forget_lanes(bigint[]) is
  'Deletes rows of lanes_to_scan, but those that another transaction has locked.';

-- Runs with its owner's rights, because the service role sees no transactions of other roles. It returns a moment only.
create function messenger.oldest_write_at() returns timestamptz
language plpgsql stable
security definer
set search_path = ''
as $$
begin
  return (
    select min(a.xact_start) from pg_catalog.pg_stat_activity a
    where a.datname = current_database() and a.backend_xid is not null and a.pid <> pg_backend_pid()
  );
end
$$;
comment on function messenger.oldest_write_at() is
  'When the oldest transaction began that is under way in another session and has written; null if there is none.';

-- A lane whose rate is used up for longer than a scan holds is read by no claim until the next scan.
create function messenger.lanes_shut(p_queue text, p_until timestamptz)
returns table (queue text, opens_at timestamptz)
language plpgsql
rows 100
set search_path = ''
as $$
begin
  return query
  select f.queue, greatest(f.due_at, l.opens_at)
  from messenger.lanes_out_of_starts(p_queue) as o
  join messenger.full_lanes(p_queue) as l on l.queue = o.queue
  join messenger.lane_fronts(p_queue) as f on f.queue = o.queue
  where o.opens_at > p_until;
end
$$;
comment on function messenger.lanes_shut(text, timestamptz) is
  'Part of a claim: the lanes of a queue that have ready messages and whose rates let none of them start before a moment, each with the time at which one may.';

-- Only the claim that holds the lock of the queue writes, so that none waits for another. p_noted are the rows of
-- lanes_to_scan that were there before the scan, and p_writing_since is when the oldest transaction began that had
-- written and was under way then: it may have committed by now. One that has been under way for longer than 5 minutes
-- would make the claims read all that has waited since, so it is passed over.
create function messenger.note_scan(
  p_queue text, p_clock timestamptz, p_lanes text[], p_noted bigint[], p_writing_since timestamptz
) returns void
language plpgsql
set search_path = ''
as $$
declare
  shut text[];
  shut_until timestamptz;
  lanes text[];
  helps boolean;
begin
  if current_setting('transaction_isolation') <> 'read committed'
    or not pg_try_advisory_xact_lock(messenger.queue_lock(p_queue))
  then
    return;
  end if;
  -- An operator's transaction that changes limits has locked it, and may take long.
  perform from messenger.lane_scans s where s.queue = p_queue for update skip locked;
  if not found and exists (select from messenger.lane_scans s where s.queue = p_queue) then
    return;
  end if;
  if exists (select from messenger.start_grants g where g.queue > p_queue || '/' and g.queue < p_queue || '/~') then
    select array_agg(s.queue), min(s.opens_at) into shut, shut_until
    from messenger.lanes_shut(p_queue, p_clock + interval '30 seconds') as s;
  end if;
  lanes := array(select distinct l from unnest(p_lanes) as l where l not in (select unnest(shut)));
  helps := cardinality(lanes) <= 1000;
  insert into messenger.lane_scans (queue, scanned_at, due_from, opens_at)
  values (
    p_queue, p_clock,
    case when helps then least(
      greatest(coalesce(p_writing_since, p_clock), p_clock - interval '5 minutes'), p_clock - interval '5 seconds'
    ) end, shut_until
  )
  on conflict on constraint lane_scans_pkey
  do update set scanned_at = excluded.scanned_at, due_from = excluded.due_from, opens_at = excluded.opens_at;
  perform messenger.forget_lanes(p_noted);
  insert into messenger.lanes_to_scan (queue, lane) select p_queue, l from unnest(lanes) as l where helps;
end
$$;
comment on function messenger.note_scan(text, timestamptz, text[], bigint[], timestamptz) is
  'Part of a claim that has read every lane of a queue: notes the scan, with the lanes that have due messages and are not paused.';

-- Null where they are more than a claim should read one by one; then the scan helps no longer.
create function messenger.lanes_since_scan(p_queue text) returns text[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  due_from constant timestamptz := messenger.lanes_due_from(p_queue);
  messages bigint;
  named bigint;
  lanes text[];
begin
  if due_from is null then
    return null;
  end if;
  select coalesce(sum(d.number), 0), count(*) filter (where d.number = 0), coalesce(array_agg(distinct d.queue) filter (
    where (select q.paused from public.messenger_queues q where q.name = d.queue) is not true
  ), '{}') into messages, named, lanes
  from (
    select w.queue, count(*) as number
    from (
      select m.queue from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
        and m.available_at >= due_from and m.available_at <= clock
      order by m.available_at limit 5000
    ) as w
    group by w.queue
    union all
    select t.lane, 0 from (
      select distinct u.lane from messenger.lanes_to_scan u where u.queue = p_queue limit 1001
    ) as t
  ) as d;
  return case when messages < 5000 and named <= 1000 and cardinality(lanes) <= 1000 then lanes end;
end
$$;
comment on function messenger.lanes_since_scan(text) is
  'Part of a claim: the lanes of a queue that are not paused and may have due messages, as the last scan of all lanes and what has happened since tell; null where no scan tells.';
