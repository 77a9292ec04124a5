-- Notes on the last scan of all lanes of a queue. Where thousands of lanes are paused, their messages are in front of all
-- others, and a claim that finds no open lane has read each of them: 3 us a lane. It notes that here. For 30 s the
-- next claims and polls read only the messages that have fallen due since, and the lanes that lanes_to_scan names.
-- Lanes that are full are not among them: one whose limits open within these 30 s is named with that time, the others
-- are read by the next scan, unless their settings change or a settle call ends one of their messages.
--
-- A message that is older than the scan may become ready after it: its lane is resumed or has room again, its group
-- reaches it, it is given back, moved, or written with an older time. Each of these calls names the lane in
-- lanes_to_scan; a delete of a running message in SQL does not. A transaction
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
  'When the first of the lanes may start a message whose limits are reached for longer than a scan holds; null where there are none.';
alter table messenger.lane_scans enable row level security;

create table messenger.lanes_to_scan (
  id bigint generated always as identity primary key,
  queue text collate "C" not null,
  lane text collate "C" not null,
  opens_at timestamptz not null default '-infinity'
);
comment on table messenger.lanes_to_scan is
  'Lanes that may have due messages which are older than the last scan of all lanes.';
comment on column messenger.lanes_to_scan.id is
  'Number of the row, a new one each time that the lane is named: what a claim has read before, it does not delete. A lane may have several.';
comment on column messenger.lanes_to_scan.queue is
  'Name of the queue, without a lane.';
comment on column messenger.lanes_to_scan.lane is
  'Queue of the lane.';
comment on column messenger.lanes_to_scan.opens_at is
  'Claims read the lane from this moment on: it was full, and its limits let the next message start then.';
create index lanes_to_scan_lane_idx on messenger.lanes_to_scan (queue, lane);
comment on index messenger.lanes_to_scan_lane_idx is
  'Lanes to scan by their queue.';
create index lanes_to_scan_opens_idx on messenger.lanes_to_scan (queue, opens_at);
comment on index messenger.lanes_to_scan_opens_idx is
  'Lanes to scan by the time from which claims read them.';
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

-- Also where the last scan has just become too old: the next may be under way, and has found the lane full. The lock and
-- the new number keep a claim that has read the lane before from deleting the row: see messenger.tidy_lanes.
create function messenger.note_lane(p_lane text) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  parent constant text := split_part(p_lane, '/', 1);
begin
  if not exists (
    select from messenger.lane_scans s
    where s.queue = parent and s.due_from is not null and s.scanned_at > clock - interval '1 minute' and s.scanned_at <= clock
  ) then
    return;
  end if;
  -- An older snapshot cannot lock a row that was named again since.
  if current_setting('transaction_isolation') = 'read committed' then
    update messenger.lanes_to_scan t set id = default, opens_at = '-infinity'
    where t.id = (
      select u.id from messenger.lanes_to_scan u where u.queue = parent and u.lane = p_lane limit 1 for update skip locked
    );
    if found then
      return;
    end if;
  end if;
  insert into messenger.lanes_to_scan (queue, lane) values (parent, p_lane);
end
$$;
comment on function messenger.note_lane(text) is
  'Has the next claims read a lane, in which a message has become ready that may be older than the last scan of all lanes.';

create function messenger.note_lanes(p_lanes text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from messenger.lane_scans) then
    perform messenger.note_lane(o.lane) from (select distinct l as lane from unnest(p_lanes) as l) as o;
  end if;
end
$$;
comment on function messenger.note_lanes(text[]) is
  'Part of messenger_settle: notes the lanes in which messages have ended or were given back.';

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

create function messenger.lanes_shut(p_queue text) returns table (queue text, opens_at timestamptz)
language plpgsql
rows 100
set search_path = ''
as $$
begin
  return query
  select f.queue, greatest(f.due_at, l.opens_at)
  from messenger.full_lanes(p_queue) as l join messenger.lane_fronts(p_queue) as f on f.queue = l.queue;
end
$$;
comment on function messenger.lanes_shut(text) is
  'Part of a claim: the lanes of a queue that have ready messages and whose limits let none of them start now, each with the time at which one may.';

-- The rows are locked first, and read again under the lock: a call that gives a lane room either has committed by then,
-- or names the lane in another row.
create function messenger.tidy_lanes(p_queue text, p_lanes text[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  locked constant bigint[] := array(
    select t.id from messenger.lanes_to_scan t
    where t.queue = p_queue and t.lane = any (p_lanes) and t.opens_at <= clock
    for update skip locked
  );
begin
  if locked = '{}' then
    return;
  end if;
  delete from messenger.lanes_to_scan t
  where t.id = any (locked) and (
    messenger.is_paused(t.lane) or (messenger.due_key(t.lane, messenger.front_key(t.lane))).priority is null
  );
  update messenger.lanes_to_scan t set opens_at = f.opens_at
  from (
    select u.id, messenger.limits_open_at(messenger.settings_of(u.lane)) as opens_at
    from messenger.lanes_to_scan u where u.id = any (locked) offset 0
  ) as f
  where t.id = f.id and f.opens_at > clock;
end
$$;
comment on function messenger.tidy_lanes(text, text[]) is
  'Part of a claim: of lanes that have given it nothing, deletes the rows of lanes_to_scan that are paused or have no due message, and has the others wait until their limits open.';

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
  holds_until constant timestamptz := p_clock + interval '30 seconds';
  full_lanes text[]; full_until timestamptz[]; shut_until timestamptz;
  lanes text[]; opens_at timestamptz[];
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
  if exists (select from messenger.full_lanes(p_queue)) then
    select array_agg(s.queue), array_agg(s.opens_at), min(s.opens_at) filter (where s.opens_at > holds_until)
    into full_lanes, full_until, shut_until from messenger.lanes_shut(p_queue) as s;
  end if;
  select array_agg(l.lane), array_agg(coalesce(f.opens_at, '-infinity')),
    count(*) filter (where f.opens_at is null) <= 1000 and count(*) <= 10000
  into lanes, opens_at, helps
  from (select distinct n as lane from unnest(p_lanes) as n where strpos(n, '/') > 0) as l
  left join unnest(full_lanes, full_until) as f (lane, opens_at) on f.lane = l.lane
  where (f.opens_at > holds_until) is not true;
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
  insert into messenger.lanes_to_scan (queue, lane, opens_at)
  select p_queue, l.lane, l.opens_at from unnest(lanes, opens_at) as l (lane, opens_at) where helps;
end
$$;
comment on function messenger.note_scan(text, timestamptz, text[], bigint[], timestamptz) is
  'Part of a claim that has read every lane of a queue: notes the scan, with the lanes that have due messages and are neither paused nor full for longer than the scan holds.';

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
      select distinct n.lane from (
        select u.lane from messenger.lanes_to_scan u
        where u.queue = p_queue and u.opens_at <= clock order by u.opens_at limit 2000
      ) as n
    ) as t
  ) as d;
  return case when messages < 5000 and named <= 1000 and cardinality(lanes) <= 1000 then lanes end;
end
$$;
comment on function messenger.lanes_since_scan(text) is
  'Part of a claim: the lanes of a queue that are not paused and may have due messages, as the last scan of all lanes and what has happened since tell; null where no scan tells.';
