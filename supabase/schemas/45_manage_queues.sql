-- Operators' functions for queues: they show the depth of queues, and set their limits.

create function messenger.capped(p_count bigint, p_max_count integer) returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
  select jsonb_build_object('count', least(p_count, p_max_count), 'capped', p_count > p_max_count)
$$;
comment on function messenger.capped(bigint, integer) is
  'A count, taken up to one above p_max_count, as {"count", "capped"}: capped says that there are more than p_max_count.';

-- Counts stop one above the wanted number. To count a few due messages, a million messages of the future are not read.
create function messenger.depth_at_priority(
  p_queue text, p_priority smallint, p_max_due bigint, p_max_delayed bigint,
  out due bigint, out delayed bigint, out oldest timestamptz
)
language plpgsql stable
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  due := (
    select count(*) from (
      select from messenger.ready_messages m
      where m.queue = p_queue and m.priority = p_priority and m.available_at <= clock
      limit greatest(p_max_due, 0)
    ) as counted
  );
  delayed := (
    select count(*) from (
      select from messenger.ready_messages m
      where m.queue = p_queue and m.priority = p_priority and m.available_at > clock
      limit greatest(p_max_delayed, 0)
    ) as counted
  );
  oldest := (
    select m.available_at from messenger.ready_messages m
    where m.queue = p_queue and m.priority = p_priority and m.available_at <= clock
    order by m.available_at limit 1
  );
end
$$;
comment on function messenger.depth_at_priority(text, smallint, bigint, bigint) is
  'Part of messenger.queue_depth(): the due and the delayed messages of a queue at one priority, counted up to a bound each, and when the oldest due one became due.';

create function messenger.lanes_depth(
  p_queue text, p_max_due bigint, p_max_delayed bigint, out due bigint, out delayed bigint, out oldest timestamptz
)
language plpgsql stable
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  due := (
    select count(*) from (
      select from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0 and m.available_at <= clock
      limit greatest(p_max_due, 0)
    ) as counted
  );
  delayed := (
    select count(*) from (
      select from messenger.ready_messages m
      where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0 and m.available_at > clock
      limit greatest(p_max_delayed, 0)
    ) as counted
  );
  oldest := (
    select m.available_at from messenger.ready_messages m
    where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0 and m.available_at <= clock
    order by m.available_at limit 1
  );
end
$$;
comment on function messenger.lanes_depth(text, bigint, bigint) is
  'Part of messenger.queue_depth(): the due and the delayed messages in the lanes of a queue, counted up to a bound each, and when the oldest due one became due.';

-- It walks priority by priority along the index of the claim. With its true cost a page of a view over queues looks
-- into the queues of the page only.
create function messenger.queue_depth(
  p_queue text, p_max_count integer default 10000
) returns jsonb
language plpgsql stable cost 10000
set search_path = ''
as $$
declare
  current_priority smallint;
  here record;
  due bigint := 0;
  delayed bigint := 0;
  oldest timestamptz;
  grouped bigint;
  blocked bigint;
begin
  loop
    current_priority := (
      select m.priority from messenger.ready_messages m
      where m.queue = p_queue and m.priority < coalesce(current_priority, 32767)
      order by m.priority desc limit 1
    );
    exit when current_priority is null;
    here := messenger.depth_at_priority(
      p_queue, current_priority, p_max_count + 1 - due, p_max_count + 1 - delayed
    );
    due := due + here.due;
    delayed := delayed + here.delayed;
    oldest := least(oldest, here.oldest);
  end loop;

  here := messenger.lanes_depth(p_queue, p_max_count + 1 - due, p_max_count + 1 - delayed);
  due := due + here.due;
  delayed := delayed + here.delayed;
  oldest := least(oldest, here.oldest);

  select count(*), count(*) filter (where g.blocked) into grouped, blocked
  from (
    select r.blocked from (
      select m.blocked from public.messenger_messages m
      where m.queue = p_queue and m.group_key is not null
        and m.status = 'pending' and not m.heartbeated
      union all
      select m.blocked from public.messenger_messages m
      where m.queue > p_queue || '/' and m.queue < p_queue || '/~' and m.group_key is not null
        and m.status = 'pending' and not m.heartbeated
    ) as r
    limit p_max_count + 1
  ) as g;
  return jsonb_build_object(
    'due', messenger.capped(due, p_max_count),
    'delayed', messenger.capped(delayed, p_max_count),
    'blocked', messenger.capped(
      case when grouped > p_max_count then grouped else blocked end, p_max_count
    ),
    'oldest_ready_at', oldest
  );
end
$$;
comment on function messenger.queue_depth(text, integer) is
  'Messages of a queue and of its lanes that wait, without quarantined ones. Returns {"due", "delayed", "blocked", "oldest_ready_at"}; counts are {"count", "capped"}, at most p_max_count.';

create function messenger.listed_queues(p_name text, p_names text[], p_after text, p_most integer)
returns setof public.messenger_queues
language sql stable
rows 50
set search_path = ''
as $$
  with page as (
    select * from (
      (
        select * from public.messenger_queues q
        where p_name is null and p_names is null and q.name > p_after
        order by q.name limit p_most
      )
      union all
      -- Looks up each name. A condition for both cases would compare all queues with each name: 1 s for 100,000.
      select q.* from (select distinct g.name from unnest(coalesce(p_names, array[p_name])) as g (name)) as n
      cross join lateral (select * from public.messenger_queues o where o.name = n.name offset 0) as q
      where p_name is null or n.name = p_name
      union all
      -- Lanes that are named and have no row of their own.
      select l.* from unnest(p_names || p_name) as n (name)
      cross join lateral messenger.settings_of(n.name) as l
      where strpos(n.name, '/') > 0 and l.created_at is not null
        and not exists (select from public.messenger_queues o where o.name = n.name)
    ) as q
    where q.name > p_after
    order by q.name
    limit p_most
  )
  -- The row of a lane has only what is set for it alone; for the rest its queue says what holds.
  select l.* from page p cross join lateral messenger.settings_of(p.name) as l where l.created_at is not null
  union all
  select p.* from page p
  where strpos(p.name, '/') > 0
    and not exists (select from public.messenger_queues q where q.name = split_part(p.name, '/', 1))
  order by name
$$;
comment on function messenger.listed_queues(text, text[], text, integer) is
  'Part of messenger_list_queues(): a page of queues, and of lanes that are named, with the settings that hold for them.';

create function public.messenger_list_queues(
  name text default null,
  after_name text default '',
  max_queues integer default 50,
  max_count integer default 10000,
  names text[] default null
) returns jsonb
language sql stable
set search_path = ''
as $$
  with page as (
    select * from messenger.listed_queues(
      messenger_list_queues.name, names, after_name, messenger.page_size(max_queues, 'max_queues')
    )
  ),
  -- A message in a lane counts for its queue, and for the row of its lane if there is one.
  running as (
    select k.queue, count(*) from (
      select m.queue from public.messenger_messages m
      where m.status = 'processing'
        and m.id = any (array(select unnest(l.ids) from messenger.leases l))
      limit messenger.page_size(max_count, 'max_count') + 1
    ) as m
    cross join lateral (select m.queue union select split_part(m.queue, '/', 1)) as k (queue)
    group by k.queue
  ),
  -- Quarantined messages; nearly always none.
  quarantined as (
    select k.queue, count(*) from (
      select m.queue from messenger.quarantined_messages m limit messenger.page_size(max_count, 'max_count') + 1
    ) as m
    cross join lateral (select m.queue union select split_part(m.queue, '/', 1)) as k (queue)
    group by k.queue
  ),
  found as (
    select p.name, to_jsonb(p) || messenger.queue_depth(p.name, max_count)
      || jsonb_build_object(
        'processing', messenger.capped(coalesce(r.count, 0), max_count),
        'quarantined', messenger.capped(coalesce(a.count, 0), max_count)
      ) as queue
    from page p
    left join running r on r.queue = p.name
    left join quarantined a on a.queue = p.name
  )
  select jsonb_build_object(
    'queues', coalesce(jsonb_agg(f.queue order by f.name), '[]'),
    'next', case when count(*) = max_queues then max(f.name) end,
    'now', public.messenger_now()
  )
  from found f
$$;
comment on function public.messenger_list_queues(text, text, integer, integer, text[]) is
  'Queues by name, those behind after_name: settings, numbers of messages (due, delayed, blocked behind their group, quarantined, processing), and since when the oldest due one waits. Returns {"queues", "next", "now"}; counts are {"count", "capped"}, at most max_count.';

-- Steps from lane to lane through the messages that are ready, that run and that are blocked, and the lanes' own rows.
create function messenger.lane_behind(p_behind text, p_before text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return least(
    (
      select m.queue from public.messenger_messages m
      where m.queue > p_behind and m.queue < p_before and not m.quarantined and not m.blocked and not m.heartbeated
      order by m.queue limit 1
    ),
    (
      select m.queue from public.messenger_messages m
      where m.queue > p_behind and m.queue < p_before and m.heartbeated order by m.queue limit 1
    ),
    (
      select m.queue from public.messenger_messages m
      where m.queue > p_behind and m.queue < p_before and m.blocked order by m.queue limit 1
    ),
    (
      select q.name from public.messenger_queues q
      where q.name > p_behind and q.name < p_before order by q.name limit 1
    )
  );
end
$$;
comment on function messenger.lane_behind(text, text) is
  'Part of messenger_list_lanes(): the first lane between two names that holds messages or has a row.';

create function public.messenger_list_lanes(
  queue text, after_name text default '', max_lanes integer default 50, max_count integer default 10000
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  lanes text[] := array[]::text[];
  lane text := greatest(queue || '/', after_name);
begin
  if max_lanes not between 1 and 1000 then
    raise sqlstate 'PT400' using message = 'max_lanes: has to be from 1 to 1000';
  end if;
  if not exists (select from public.messenger_queues q where q.name = queue) then
    raise sqlstate 'PT404' using message = format('queue: there is no queue %s', queue);
  end if;
  while cardinality(lanes) < max_lanes loop
    lane := messenger.lane_behind(lane, queue || '/~');
    exit when lane is null;
    lanes := lanes || lane;
  end loop;
  return public.messenger_list_queues(names => lanes, max_queues => max_lanes, max_count => max_count);
end
$$;
comment on function public.messenger_list_lanes(text, text, integer, integer) is
  'The lanes of a queue that hold messages, or for which something is set, by name, those behind after_name: the settings that hold for each, and its messages, as messenger_list_queues shows queues. Lanes all of whose messages are quarantined are left out. Returns {"queues", "next", "now"}.';

create function messenger.check_queue_settings(p_settings jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  allowed constant text[] := array[
    'paused', 'max_workers', 'concurrency', 'group_concurrency', 'rate_limit', 'rate_period_ms',
    'weight', 'lease_ms', 'runs_on', 'lane_concurrency', 'lane_rate_limit', 'lane_rate_period_ms'
  ];
  field text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'settings: has to be an object';
  end if;
  select key into field from jsonb_object_keys(p_settings) as key where key <> all (allowed) limit 1;
  if field is not null then
    raise sqlstate 'PT400' using message = format(
      'settings: %s is none of %s', field, array_to_string(allowed, ', ')
    );
  end if;
end
$$;
comment on function messenger.check_queue_settings(jsonb) is
  'Part of messenger_set_queue: refuses a value that is not an object, and unknown settings.';

-- A lane has a row from the moment on at which something is set for it.
create function messenger.make_lane(p_name text) returns text
language plpgsql
set search_path = ''
as $$
begin
  if not messenger.is_queue_name(p_name) or strpos(p_name, '/') = 0 then
    return p_name;
  end if;
  insert into public.messenger_queues (name)
  select p_name from public.messenger_queues q where q.name = split_part(p_name, '/', 1)
  on conflict do nothing;
  return split_part(p_name, '/', 1);
end
$$;
comment on function messenger.make_lane(text) is
  'Part of messenger_set_queue: makes the row of a lane if there is none. Returns the name of the queue that has to be there: that of a lane''s parent, or the name itself.';

create function public.messenger_set_queue(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_queues;
  wanted public.messenger_queues;
  field text;
  missing text;
  fault_detail text;
begin
  perform messenger.check_queue_settings(settings);
  missing := messenger.make_lane(name);
  select * into before from public.messenger_queues q
  where q.name = messenger_set_queue.name for update;
  if before.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no queue %s', missing);
  end if;
  -- One by one, so that an error can name the field.
  wanted := before;
  foreach field in array array(select jsonb_object_keys(settings)) loop
    wanted := jsonb_populate_record(wanted, jsonb_build_object(field, settings -> field));
  end loop;
  field := 'settings';
  if wanted is distinct from before then
    update public.messenger_queues q
    set (
      paused, max_workers, concurrency, group_concurrency, rate_limit, rate_period_ms, weight,
      lease_ms, runs_on, lane_concurrency, lane_rate_limit, lane_rate_period_ms
    ) = (
      wanted.paused, wanted.max_workers, wanted.concurrency, wanted.group_concurrency,
      wanted.rate_limit, wanted.rate_period_ms, wanted.weight, wanted.lease_ms,
      wanted.runs_on, wanted.lane_concurrency, wanted.lane_rate_limit, wanted.lane_rate_period_ms
    )
    where q.name = messenger_set_queue.name;
    if not found then
      perform messenger.refuse_skipped('messenger_queues');
    end if;
    -- Messages that a pause or a limit held back start now, not at the next minute.
    if wanted.runs_on = 'tick' and messenger.has_due(p_queues => array[name]) then
      perform messenger.wake();
    end if;
  end if;
  perform messenger.check_deferred('messenger_set_queue');
  return jsonb_build_object('queue', to_jsonb(wanted), 'changed', wanted is distinct from before);
exception
  when invalid_text_representation or numeric_value_out_of_range or datatype_mismatch then
    raise sqlstate 'PT400' using message = format('%s: %s', field, sqlerrm);
  when not_null_violation then
    get stacked diagnostics field = column_name;
    raise sqlstate 'PT400' using message = format('%s: has to have a value', field);
  when check_violation then
    get stacked diagnostics field = constraint_name;
    raise sqlstate 'PT400' using message = messenger.not_allowed('messenger_queues', field, to_jsonb(wanted));
  when others then
    get stacked diagnostics fault_detail = pg_exception_detail;
    perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
    raise;
end
$$;
comment on function public.messenger_set_queue(text, jsonb) is
  'Changes those settings of a queue that are given, by the names of its columns, and wakes a tick if something is due then. Returns {"queue", "changed"}.';

create function public.messenger_create_queue(name text, settings jsonb default '{}')
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  if messenger.is_queue_name(name) is not true then
    raise sqlstate 'PT400' using message = format(
      'name: has to be 1 to 100 letters, digits or _ . : -, and may name a lane behind a slash (%L was given)', name
    );
  end if;
  insert into public.messenger_queues as q (name) values (name) on conflict do nothing;
  if not found then
    if not exists (select from public.messenger_queues q where q.name = messenger_create_queue.name) then
      perform messenger.refuse_skipped('messenger_queues');
    end if;
    raise sqlstate 'PT409' using message = format('name: there is a queue %s already', name);
  end if;
  answer := public.messenger_set_queue(name, settings) || '{"changed": true}';
  perform messenger.check_deferred('messenger_create_queue');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_create_queue(text, jsonb) is
  'Makes a queue before its first message comes, with settings by the names of its columns. Returns {"queue", "changed"}.';

create function public.messenger_delete_queue(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  if name = 'default' then
    raise sqlstate 'PT409' using message = 'name: the queue default stays';
  end if;
  delete from public.messenger_queues q where q.name = messenger_delete_queue.name;
  if not found then
    raise sqlstate 'PT404' using message = format('name: there is no queue %s', name);
  end if;
  perform messenger.check_deferred('messenger_delete_queue');
  return '{"changed": true}'::jsonb;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_delete_queue(text) is
  'Deletes a queue that holds no messages, with its settings. Returns {"changed"}.';
