-- Queues: a row each, made by itself when the first message of a queue is written.
-- The row says that the queue exists and holds what an operator may set.

create table public.messenger_queues (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  paused boolean not null default false,
  max_workers smallint not null default 1 check (max_workers between 1 and 100),
  concurrency integer check (concurrency >= 1),
  group_concurrency smallint not null default 1 check (group_concurrency between 1 and 1000),
  rate_limit integer check (rate_limit >= 1),
  rate_period_ms integer not null default 1000 check (rate_period_ms between 1000 and 86400000),
  weight smallint not null default 1 check (weight between 1 and 1000),
  lease_ms integer check (lease_ms between 100 and 86400000),
  runs_on text not null default 'tick' check (runs_on in ('tick', 'worker')),
  created_at timestamptz not null default now()
);

comment on table public.messenger_queues is
  'The queues of the bus and their settings. A queue appears by itself with its first message.';
comment on column public.messenger_queues.name is
  'Name of the queue: letters, digits and _ . : - only.';
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
  'Its share of each claim, beside the weights of the other queues that have work.';
comment on column public.messenger_queues.lease_ms is
  'How long its leases last without a heartbeat, in ms; null: as the worker asks for.';
comment on column public.messenger_queues.runs_on is
  'Where its messages run: in ticks, and in workers that name it; or in workers only.';
comment on column public.messenger_queues.created_at is
  'When the queue was first used.';

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

create function messenger.is_swept(p_queue text, p_queues text[] default null)
returns boolean
language sql stable
set search_path = ''
as $$
  select (p_queues is null or array_position(p_queues, p_queue) is not null) and not exists (
    select from public.messenger_queues q where q.name = p_queue and q.paused
  )
$$;
comment on function messenger.is_swept(text, text[]) is
  'Whether a queue is one of these, or of all, and not paused: then a claim sweeps its leases that ran out. One without a row is swept.';

create function messenger.is_open(p_queue text, p_queues text[] default null)
returns boolean
language sql stable
set search_path = ''
as $$
  select (p_queues is null or array_position(p_queues, p_queue) is not null) and not exists (
    select from public.messenger_queues q
    where q.name = p_queue and (q.paused or p_queues is null and q.runs_on = 'worker')
  )
$$;
comment on function messenger.is_open(text, text[]) is
  'Whether a claim may start messages of a queue: it is one of these, or of all that run in ticks, and not paused. One without a row is open.';
