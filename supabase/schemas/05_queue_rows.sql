-- Rows of queues, and their messages. A row holds a queue's settings; claims find messages without it. A row
-- stays as long as its queue holds messages, so that no setting is lost unseen. A queue without settings is
-- forgotten after it has been empty for a time.

-- Whether messages wait or run in a queue or in its lanes; reads of indexes, however many messages the queue holds.
create function messenger.lanes_hold(p_queue text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from public.messenger_messages m where m.queue > p_queue || '/' and m.queue < p_queue || '/~'
      and not m.quarantined and not m.blocked and not m.heartbeated
  ) or exists (
    select from public.messenger_messages m
    where m.queue > p_queue || '/' and m.queue < p_queue || '/~' and m.heartbeated
  ) or exists (
    select from public.messenger_messages m
    where m.queue > p_queue || '/' and m.queue < p_queue || '/~' and m.blocked
  ) or exists (
    select from public.messenger_messages m where m.queue > p_queue || '/' and m.queue < p_queue || '/~'
      and m.quarantined and not m.blocked and not m.heartbeated
  );
end
$$;
comment on function messenger.lanes_hold(text) is
  'Whether messages wait or run in a lane of a queue.';

create function messenger.queue_holds(p_queue text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from public.messenger_messages m where m.queue = p_queue
      and not m.quarantined and not m.blocked and not m.heartbeated
  ) or exists (
    select from public.messenger_messages m
    where m.queue = p_queue and m.heartbeated
  ) or exists (
    select from public.messenger_messages m
    where m.queue = p_queue and m.blocked
  ) or exists (
    select from public.messenger_messages m where m.queue = p_queue
      and m.quarantined and not m.blocked and not m.heartbeated
  ) or messenger.lanes_hold(p_queue);
end
$$;
comment on function messenger.queue_holds(text) is
  'Whether messages wait or run in a queue or in its lanes. Dead letters do not count: a redrive makes the queue again.';

-- A transaction that has written a message and not committed yet is not seen by the delete of the queue's row. So each
-- minute's tick looks at queues whose row was deleted in the last hour, and makes the row again if they hold messages.
create table messenger.deleted_queues (
  id bigint generated always as identity primary key,
  name text collate "C" not null,
  deleted_at timestamptz not null default now(),
  checked_at timestamptz not null default now()
);
comment on table messenger.deleted_queues is
  'Queues whose row was deleted in the last hour. Each minute''s tick makes the row again if the queue holds messages.';
comment on column messenger.deleted_queues.id is
  'Number of the deletion.';
comment on column messenger.deleted_queues.name is
  'Name of the queue.';
comment on column messenger.deleted_queues.deleted_at is
  'When its row was deleted or got another name.';
comment on column messenger.deleted_queues.checked_at is
  'When a tick has last asked whether the queue holds messages.';
alter table messenger.deleted_queues enable row level security;

create function messenger.keep_queue() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if messenger.queue_holds(old.name) then
    raise sqlstate 'PT409' using
      message = format(
        'name: the queue %s holds messages; cancel them, or wait until they are done', old.name
      ),
      hint = 'To move those that wait: update public.messenger_messages set queue = ''...'' where queue = ''...'' and status = ''pending''.';
  end if;
  delete from messenger.start_grants g where g.queue = old.name;
  -- A lane needs no row.
  if strpos(old.name, '/') = 0 then
    insert into messenger.deleted_queues (name) values (old.name);
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function messenger.keep_queue() is
  'Trigger: a queue that holds messages is neither deleted nor renamed, because its messages would lose its settings.';

create trigger messenger_queues_kept
  before delete on public.messenger_queues
  for each row execute function messenger.keep_queue();
create trigger messenger_queues_named
  before update of name on public.messenger_queues
  for each row when (old.name <> new.name)
  execute function messenger.keep_queue();

-- After the truncate, so that one statement may truncate queues and messages together.
create function messenger.keep_queues() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.messenger_messages) then
    raise sqlstate 'PT409' using
      message = 'messenger_queues: is not truncated while queues hold messages, whose settings would be lost',
      hint = 'To empty the bus: truncate public.messenger_messages, public.messenger_queues.';
  end if;
  -- A delete and not a truncate: the statement that fired this trigger may truncate this table as well.
  delete from messenger.start_grants;
  return null;
end
$$;
comment on function messenger.keep_queues() is
  'Trigger: queues are not truncated while any of them holds messages.';

create trigger messenger_queues_truncated
  after truncate on public.messenger_queues
  for each statement execute function messenger.keep_queues();

-- A stray queue comes about when its row is deleted while another transaction writes a message.
create function messenger.stray_queues(p_max_queues integer default 100, p_max_steps integer default 10000)
returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
  strays text[] := array(
    select distinct split_part(f.queue, '/', 1) from messenger.quarantined_fronts() f
    where not exists (
      select from public.messenger_queues q where q.name = split_part(f.queue, '/', 1) offset 0
    )
    limit p_max_queues
  );
  behind text := '';
  current_name text;
begin
  for step in 1..p_max_steps loop
    exit when cardinality(strays) >= p_max_queues;
    -- Steps through each index from the first message of a queue to the first message of the next queue.
    current_name := least(
      (
        select m.queue from public.messenger_messages m
        where m.queue > behind and not m.quarantined and not m.blocked and not m.heartbeated
        order by m.queue limit 1
      ),
      (
        select m.queue from public.messenger_messages m
        where m.queue > behind and m.heartbeated order by m.queue limit 1
      ),
      (
        select m.queue from public.messenger_messages m
        where m.queue > behind and m.blocked order by m.queue limit 1
      )
    );
    exit when current_name is null;
    -- Passes over the lanes of a queue together.
    behind := greatest(
      case when strpos(current_name, '/') > 0 then split_part(current_name, '/', 1) || '/~' end collate "C", current_name
    );
    current_name := split_part(current_name, '/', 1);
    if array_position(strays, current_name) is null
      and not exists (select from public.messenger_queues q where q.name = current_name)
    then
      strays := strays || current_name;
    end if;
  end loop;
  return strays;
end
$$;
comment on function messenger.stray_queues(integer, integer) is
  'Queues that hold messages and have no row in messenger_queues, up to p_max_queues of them, among the first p_max_steps queues that hold messages; nearly always none.';

-- Those that were checked longest ago first, so that a mass of deletions keeps back no other.
create function messenger.keep_deleted_queues(p_max_queues integer default 1000) returns void
language plpgsql
set search_path = ''
set lock_timeout = '1s'
as $$
declare
  ids constant bigint[] := array(
    select d.id from messenger.deleted_queues d order by d.checked_at limit p_max_queues for update skip locked
  );
begin
  if ids = '{}' then
    return;
  end if;
  insert into public.messenger_queues (name)
  select d.name from messenger.deleted_queues d where d.id = any (ids) and messenger.queue_holds(d.name)
  order by d.name
  on conflict do nothing;
  update messenger.deleted_queues d set checked_at = now() where d.id = any (ids);
  delete from messenger.deleted_queues d where d.id = any (ids) and d.deleted_at < now() - interval '1 hour';
exception when others then
  raise warning 'queues whose rows were deleted were not looked at: %', sqlerrm;
end
$$;
comment on function messenger.keep_deleted_queues(integer) is
  'Makes the rows again of queues that hold messages and whose row was deleted within the last hour; checks up to p_max_queues of them.';

-- One step, behind the "next" of the step before. A message that is written into a queue at the moment in
-- which it is forgotten is claimed all the same, and the first step of the next time makes its row again.
create function public.messenger_tidy_queues(
  empty_older_than interval default interval '7 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  names text[];
  forgotten integer;
  fault_detail text;
begin
  perform messenger.check_age('empty_older_than', empty_older_than);
  if after is null then
    insert into public.messenger_queues (name) select unnest(messenger.stray_queues(p_max_steps => 100000))
    on conflict do nothing;
    delete from messenger.lane_scans s where s.scanned_at < public.messenger_now() - interval '1 hour';
    perform messenger.forget_lanes(array(
      select t.id from messenger.lanes_to_scan t
      where not exists (select from messenger.lane_scans s where s.queue = t.queue) limit 10000
    ));
  end if;

  names := array(
    select q.name from public.messenger_queues q
    where q.name > coalesce(after ->> 'name', '') and q.name <> 'default'
      and q.created_at < public.messenger_now() - empty_older_than
      and not q.paused and q.max_workers = 1 and q.concurrency is null
      and q.group_concurrency = 1 and q.rate_limit is null and q.rate_period_ms = 1000
      and q.weight = 1 and q.lease_ms is null and q.runs_on = 'tick'
      and q.lane_concurrency is null and q.lane_rate_limit is null and q.lane_rate_period_ms = 1000
    order by q.name limit 1000
    for update skip locked
  );
  delete from public.messenger_queues q
  where q.name = any (names) and not messenger.queue_holds(q.name);
  get diagnostics forgotten = row_count;
  perform messenger.check_deferred('messenger_tidy_queues');
  return jsonb_build_object(
    'matched', forgotten, 'done', forgotten, 'next', case
      when cardinality(names) = 1000 then jsonb_build_object('name', names[1000])
    end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_tidy_queues(interval, jsonb) is
  'Forgets queues that hold no messages, have no settings of their own and were made longer ago than an age; the next message makes such a queue again. Makes the rows of stray queues. Takes one step of up to 1,000 queues, behind "next" of the step before. Returns {"matched", "done", "next"}. pg_cron calls it hourly.';
