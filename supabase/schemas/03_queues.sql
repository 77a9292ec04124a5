-- Queues: a row each, made by itself when the first message of a queue is written.
-- The row says that the queue exists and holds what an operator may set.
--
-- Lanes: a queue may have a lane for each tenant. The messages of the lane acme of the queue reports wait in the queue
-- reports/acme, which shares the row of reports: its lanes inherit what is set there, and its limits hold for all of
-- them together. A lane has a row of its own only where an operator has set something for it. The name before the
-- slash is written out as split_part(queue, '/', 1), because a function with a search_path costs a call each time.
--
-- Names of queues compare by their bytes (collate "C"). So the lanes of a queue lie side by side in each index that
-- begins with the queue: behind reports/ and before reports/~. Keys of groups compare so too: a function takes the
-- collation of its arguments for all of its variables, and would find no index on a key of another collation.

create table public.messenger_queues (
  name text collate "C" primary key
    check (name ~ '^[A-Za-z0-9_.:-]{1,100}(/([A-Za-z0-9_.:-]|%[0-9A-F]{2}){1,100})?$'),
  paused boolean not null default false,
  max_workers smallint not null default 1 check (max_workers between 1 and 100),
  concurrency integer check (concurrency >= 1),
  group_concurrency smallint not null default 1 check (group_concurrency between 1 and 1000),
  rate_limit integer check (rate_limit >= 1),
  rate_period_ms integer not null default 1000 check (rate_period_ms between 1000 and 86400000),
  weight smallint not null default 1 check (weight between 1 and 1000),
  lease_ms integer check (lease_ms between 100 and 86400000),
  runs_on text not null default 'tick' check (runs_on in ('tick', 'worker')),
  created_at timestamptz not null default now(),
  lane_concurrency integer check (lane_concurrency >= 1),
  lane_rate_limit integer check (lane_rate_limit >= 1),
  lane_rate_period_ms integer not null default 1000 check (lane_rate_period_ms between 1000 and 86400000),
  constraint "name: a lane takes this setting from its queue" check (
    strpos(name, '/') = 0 or max_workers = 1 and group_concurrency = 1 and lease_ms is null and runs_on = 'tick'
      and lane_concurrency is null and lane_rate_limit is null and lane_rate_period_ms = 1000
  )
);

comment on table public.messenger_queues is
  'The queues of the bus and their settings. A queue appears by itself with its first message.';
comment on column public.messenger_queues.name is
  'Name of the queue: letters, digits and _ . : - only. Behind a slash the name of a lane, in which %XX stands for any other byte.';
comment on column public.messenger_queues.paused is
  'A paused queue keeps accepting messages; none of them is claimed until it is resumed.';
comment on column public.messenger_queues.max_workers is
  'The largest number of ticks that may be awake at once while this queue has a backlog.';
comment on column public.messenger_queues.concurrency is
  'The largest number of its messages that are leased at once, over all ticks; null: no limit.';
comment on column public.messenger_queues.group_concurrency is
  'The largest number of messages of one group that run at once: the first ones of the group. 1 keeps strict order.';
comment on column public.messenger_queues.rate_limit is
  'The largest number of its messages that start in any rate_period_ms, over all ticks; null: no limit.';
comment on column public.messenger_queues.rate_period_ms is
  'The period of rate_limit, in ms.';
comment on column public.messenger_queues.weight is
  'Its share of each claim, beside the weights of the other queues that have work; of a lane: beside the other lanes of its queue.';
comment on column public.messenger_queues.lease_ms is
  'How long its leases last without a heartbeat, in ms; null: as the worker asks for.';
comment on column public.messenger_queues.runs_on is
  'Where its messages run: in ticks, and in workers that name it; or in workers only.';
comment on column public.messenger_queues.created_at is
  'When the row was made: by the queue''s first message, a worker that names it, or an operator.';
comment on column public.messenger_queues.lane_concurrency is
  'The largest number of messages of one lane that are leased at once; null: no limit. The row of a lane may have another in concurrency.';
comment on column public.messenger_queues.lane_rate_limit is
  'The largest number of messages of one lane that start in any lane_rate_period_ms; null: no limit. The row of a lane may have another in rate_limit.';
comment on column public.messenger_queues.lane_rate_period_ms is
  'The period of lane_rate_limit, in ms.';

alter table public.messenger_queues enable row level security;

-- Most queues are not paused, and have no fleet.
create index messenger_queues_paused_idx on public.messenger_queues (name) where paused;
comment on index public.messenger_queues_paused_idx is
  'Queues that are paused.';
create index messenger_queues_fleet_idx
  on public.messenger_queues (name) where max_workers > 1;
comment on index public.messenger_queues_fleet_idx is
  'Queues that call for more than one tick.';

create index messenger_queues_worker_idx on public.messenger_queues (name) where runs_on = 'worker';
comment on index public.messenger_queues_worker_idx is
  'Queues whose messages run in resident workers only.';

-- Claims pass over any number of paused queues in one read of it.
create index messenger_queues_open_idx on public.messenger_queues (name) where not paused and strpos(name, '/') = 0;
comment on index public.messenger_queues_open_idx is
  'Queues that are not paused.';

-- A claim of lanes asks whether any of them has a limit of its own, however many have rows.
create index messenger_queues_counted_idx on public.messenger_queues (name) where concurrency is not null;
comment on index public.messenger_queues_counted_idx is
  'Queues and lanes with a concurrency of their own.';
create index messenger_queues_rated_idx on public.messenger_queues (name) where rate_limit is not null;
comment on index public.messenger_queues_rated_idx is
  'Queues and lanes with a rate of their own.';

create function messenger.is_queue_name(p_name text) returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_name ~ '^[A-Za-z0-9_.:-]{1,100}(/([A-Za-z0-9_.:-]|%[0-9A-F]{2}){1,100})?$';
end
$$;
comment on function messenger.is_queue_name(text) is
  'Whether a text may name a queue, or a lane of one; null for null.';

create function messenger.lane_problem(p_queue text, p_lane text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when octet_length(p_lane) not between 1 and 100
      then format('lane: has to be 1 to 100 bytes (%s were given)', octet_length(p_lane))
    when p_lane is not null and strpos(p_queue, '/') > 0
      then format('lane: does not go with the queue %s, which names a lane already', p_queue)
  end;
end
$$;
comment on function messenger.lane_problem(text, text) is
  'The problem of a lane''s name, beginning with "lane"; null if it has none, or no lane is given.';

-- The library does the same in TypeScript.
create function messenger.lane_queue(p_queue text, p_lane text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_lane is null then
    return p_queue;
  end if;
  return p_queue || '/' || coalesce((
    select string_agg(case
      when c.symbol ~ '^[A-Za-z0-9_.:-]$' then c.symbol
      else (
        select string_agg('%' || upper(lpad(to_hex(get_byte(convert_to(c.symbol, 'UTF8'), b)), 2, '0')), '' order by b)
        from generate_series(0, octet_length(c.symbol) - 1) as b
      )
    end, '' order by c.nth)
    from regexp_split_to_table(p_lane, '') with ordinality as c (symbol, nth)
  ), '');
end
$$;
comment on function messenger.lane_queue(text, text) is
  'The queue of a lane: the queue, a slash, and the lane, in which each byte that no queue may have in its name is written as %XX. Without a lane the queue itself.';

create function messenger.is_among(p_queue text, p_queues text[]) returns boolean
language sql immutable parallel safe
set search_path = ''
as $$
  select p_queues is null or array_position(p_queues, p_queue) is not null
    or array_position(p_queues, split_part(p_queue, '/', 1)) is not null
$$;
comment on function messenger.is_among(text, text[]) is
  'Whether a queue is one of these, or a lane of one of these; null means all queues.';

create function messenger.is_swept(p_queue text, p_queues text[] default null)
returns boolean
language sql stable
set search_path = ''
as $$
  select (p_queues is null or messenger.is_among(p_queue, p_queues)) and not exists (
    select from public.messenger_queues q
    where q.name = any (array[p_queue, split_part(p_queue, '/', 1)]) and q.paused
  )
$$;
comment on function messenger.is_swept(text, text[]) is
  'Whether a queue is one of these, or of all, and not paused: then a claim sweeps its leases that ran out. One without a row is swept.';

create function messenger.is_open(p_queue text, p_queues text[] default null)
returns boolean
language sql stable
set search_path = ''
as $$
  select (p_queues is null or messenger.is_among(p_queue, p_queues)) and not exists (
    select from public.messenger_queues q
    where q.name = any (array[p_queue, split_part(p_queue, '/', 1)])
      and (q.paused or p_queues is null and q.runs_on = 'worker')
  )
$$;
comment on function messenger.is_open(text, text[]) is
  'Whether a claim may start messages of a queue: it is one of these, or of all that run in ticks, and not paused. One without a row is open.';

create function messenger.settings_of(p_queue text) returns public.messenger_queues
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
declare
  parent public.messenger_queues;
  lane public.messenger_queues;
begin
  select q.* into parent from public.messenger_queues q where q.name = split_part(p_queue, '/', 1);
  if strpos(p_queue, '/') = 0 then
    return parent;
  end if;
  select q.* into lane from public.messenger_queues q where q.name = p_queue;
  parent.name := p_queue;
  parent.paused := coalesce(parent.paused, false) or coalesce(lane.paused, false);
  parent.weight := coalesce(lane.weight, 1);
  parent.concurrency := coalesce(lane.concurrency, parent.lane_concurrency);
  parent.rate_period_ms := case when lane.rate_limit is null then parent.lane_rate_period_ms else lane.rate_period_ms end;
  parent.rate_limit := coalesce(lane.rate_limit, parent.lane_rate_limit);
  return parent;
end
$$;
comment on function messenger.settings_of(text) is
  'The settings that hold for a queue, or for one lane by itself: those of its own row, and for the rest those that its queue gives its lanes. The limits of the queue as a whole are not among those of a lane.';
