-- Symphony Messenger 0.1.0, written by `deno task release 0.1.0`.
-- The source is supabase/schemas: change it there, and run the task again.

-- If another session locks one of these tables, this migration fails soon. A migration that waits would
-- make all later sessions wait behind it.
set local lock_timeout = '5s';

-- ==================== 01_overview.sql

-- Symphony Messenger: the engine, in SQL. Everything that has to hold after a crash is decided here.
--
-- OBJECTS
--   message      a row of messenger_messages: it waits (pending) or runs (processing)
--   queue        messages of one name, and what an operator sets for them: pause, limits, weight
--   group        messages of one queue with one key, which run in the order of their ids
--   lease        the right of one worker to run some messages until a moment, known by its token
--   dead letter  a row of messenger_failed_messages: a message that is not tried again by itself
--   schedule     what makes messages at times; each planned time is an occurrence, and a run is its record
--   tick         one life of the Edge Function `tick`, in which a worker claims, runs and settles
--
-- VERBS
--   dispatch     writes messages in the caller's transaction (messenger_enqueue, messenger_dispatch)
--   wake         asks for a tick at the commit, unless one is awake that will see the message
--   claim        locks ready messages, leases them, counts the attempt and hands them out
--   heartbeat    extends leases, and says which are lost or cancelled
--   settle       writes outcomes under the claim's token: handled, released, snoozed, retried, dead
--   sweep        a claim that also takes messages whose lease ran out, or whose time to live is over
--   redrive      puts dead letters back into their queue
--
-- FLOW
--   dispatch -> pending -> claim -> processing -> settle -> gone           handled
--                  ^                                  |---> pending        released, snoozed, retried
--                  |                                  `---> dead letter    no retry is left, or none helps
--                  `--------- redrive ------------------------'
--   A message is ready when it is pending, neither blocked behind its group nor quarantined
--   (messenger.ready_messages). A claim takes it once it is due and its queue is open and has room. A lease that
--   ends without an outcome is a crash: the next sweep finds the message, and the worker's retry rule decides.
--
-- SCHEMAS
--   public       prefix messenger_: what operators look at in the dashboard, and what clients call
--   messenger    everything internal; the API does not expose it
--
-- ORDER OF LOCKS. A transaction that waits for locks takes them from the top to the bottom of this table, so that
-- two transactions never wait for each other. A transaction that cannot keep the order does not wait: it skips
-- locked rows, or notes them for later.
--   1  a user's quota of schedules    advisory; messenger.lock_schedule_quota
--   2  rate_limits                    rows by type and caller; messenger.count_dispatches
--   3  schedules                      rows ascending by id; claim, advance, trigger and save of schedules
--   4  the sequence of ids            advisory; messenger.mend_sequence, where the sequence is behind
--   5  idempotency_keys               rows by scope, type and key; messenger.take_keys
--   6  groups                         advisory, ascending; settle, cancel
--   7  messages                       rows ascending by id; settle, cancel
--   8  dead letters                   rows ascending by id; settle
--   9  leases                         rows; last, and never waited for
--   Never waited for: the room of a queue with limits (messenger.queue_lock) and the lock between dispatches
--   and ticks (messenger.ticks_key). Claims, sweeps, heartbeats and the reopening of groups skip locked rows.
--
-- FILES. In the order in which they are applied and may be read; each opens with what it promises.
--   This folder is the source. `deno task release` makes the migration of it.

-- Checks, before anything is created, that this database has what Symphony Messenger stands on:
-- pg_cron calls the tick, pg_net carries it to the Edge Function, Vault keeps the key.
-- Each missing part gives one clear error, and nothing of the migration remains.

do $$
begin
  if to_regprocedure('public.messenger_version()') is not null then
    raise exception 'Symphony Messenger is in this database already'
      using hint = 'An installed schema is brought up to date by the migrations of the later releases.';
  end if;

  if to_regclass('public.messenger_messages') is not null then
    raise exception 'public.messenger_messages exists and is not a table of Symphony Messenger'
      using hint = 'Symfony''s Doctrine transport uses this name too: rename or move that table first.';
  end if;

  if exists (
    select from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('messenger')
  ) then
    raise exception 'the schema messenger exists and is not Symphony Messenger''s'
      using hint = 'The bus keeps its internal tables and functions in a schema of that name: rename yours first.';
  end if;

  if exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%'
    union all
    select from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%'
  ) then
    raise exception '% exists and is not Symphony Messenger''s', (
      select min(taken.name) from (
        select 'public.' || c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%'
        union all
        select 'public.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
        from pg_catalog.pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%'
      ) as taken (name)
    ) using hint = 'The names public.messenger_... are the bus''s, which grants and revokes rights by them: rename or move yours first.';
  end if;

  if to_regnamespace('cron') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron') then
      raise exception 'pg_cron is missing: Symphony Messenger needs it to call the tick every minute'
        using hint = 'Enable it in the dashboard under Integrations > Cron, then push again.';
    end if;
    create extension if not exists pg_cron with schema pg_catalog;
    grant usage on schema cron to postgres;
    grant all privileges on all tables in schema cron to postgres;
  end if;

  if to_regnamespace('net') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'pg_net') then
      raise exception 'pg_net is missing: Symphony Messenger needs it to call the tick function'
        using hint = 'Enable it in the dashboard under Database > Extensions, then push again.';
    end if;
    create schema if not exists extensions;
    create extension if not exists pg_net with schema extensions;
  end if;

  if to_regclass('vault.decrypted_secrets') is null then
    if not exists (select from pg_catalog.pg_available_extensions where name = 'supabase_vault') then
      raise exception 'Vault is missing: Symphony Messenger keeps the key of the tick function there'
        using hint = 'Enable supabase_vault under Integrations > Vault, then push again.';
    end if;
    create extension if not exists supabase_vault with schema vault cascade;
  end if;

  if not exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
    raise exception 'the role service_role is missing: this is not a Supabase database'
      using hint = 'Use a Supabase project, `supabase start`, or the local stack of this project.';
  end if;
end
$$;

create schema messenger;
comment on schema messenger is
  'Internal tables and functions of Symphony Messenger. Not exposed by the API; what clients call and operators edit is in public, prefix messenger_.';

-- ==================== 02_clock.sql

-- The one clock of the bus. The database's time decides whether a message is due, leased or expired,
-- never a worker's time. Tests replace this function with a clock of their own.

create function public.messenger_now() returns timestamptz
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable parallel safe
set search_path = ''
as $$
begin
  return pg_catalog.now();
end
$$;

comment on function public.messenger_now() is
  'The clock of the bus: the start of the current transaction. Everything that is due, leased or expired is judged by it.';

-- ==================== 02_version.sql

-- The version of the schema. A release is known by this function's body, which survives a squash of the
-- migrations, a pull and a dump. `deno task release` writes it.

create function public.messenger_version() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select '0.1.0'::text $$;
comment on function public.messenger_version() is
  'The version of the schema, as of the release whose migration was applied last.';

-- ==================== 03_queues.sql

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

-- ==================== 04_messages.sql

-- The hot table: messages that wait or run, and nothing else. A handled message is deleted, a dead
-- one moves to messenger_failed_messages, so the table stays as small as the backlog.

-- A worker holds several messages at a time in the 256 MB that a function has. The check measures a value before
-- Postgres compresses it, and only reads the size in its header.
create function messenger.max_payload_bytes() returns bigint
language sql immutable parallel safe
set search_path = ''
as $$ select 8388608::bigint $$;
comment on function messenger.max_payload_bytes() is
  'The most bytes that a payload may have: 8 MiB, as jsonb is stored, uncompressed.';

create table public.messenger_messages (
  id bigint generated by default as identity primary key,
  type text not null check (length(type) between 1 and 200),
  payload jsonb not null default '{}',
  queue text not null default 'default',
  priority smallint not null default 0 check (priority between -1000 and 1000),
  status text not null default 'pending' check (status in ('pending', 'processing')),
  available_at timestamptz not null default now(),
  expires_at timestamptz,
  retry_count integer not null default 0,
  attempts integer not null default 0,
  snoozes integer not null default 0,
  interruptions integer not null default 0,
  created_at timestamptz not null default now(),
  group_key text check (length(group_key) between 1 and 255),
  blocked boolean not null default false,
  dedupe_key text check (length(dedupe_key) between 1 and 255),
  dedupe_until_started boolean not null default false,
  stamps jsonb,
  errors jsonb,
  quarantined boolean not null default false,
  lease_token uuid,
  leased_until timestamptz,
  heartbeated boolean not null default false check (not heartbeated or status = 'processing'),
  cancelled boolean not null default false check (not cancelled or status = 'processing'),
  check ((status = 'processing') = (lease_token is not null and leased_until is not null)),
  -- The value of messenger.max_payload_bytes(), written out to save a call for each row.
  constraint "payload: has to have at most 8388608 bytes" check (pg_column_size(payload) <= 8388608),
  constraint "stamps: has to have at most 1048576 bytes" check (pg_column_size(stamps) <= 1048576)
) with (
  -- Every row is written, updated once and deleted within seconds, so vacuum has to come early and finish fast.
  -- More than half of each page is left free for the claim's version of each row. Together with the indexes below
  -- that makes the claim's update a HOT update, which writes to no index: 1.5 us a message where entries in two
  -- indexes cost 3.6, and 240 bytes of WAL less.
  fillfactor = 42,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05,
  autovacuum_analyze_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);

comment on table public.messenger_messages is
  'Messages that wait or run. Handled ones are deleted; dead ones move to messenger_failed_messages.';
comment on column public.messenger_messages.id is
  'Identity of the message. The id stays the same through retries, the dead letter queue and a redrive.';
comment on column public.messenger_messages.type is
  'Name of the message definition that validates and handles the message.';
comment on column public.messenger_messages.payload is
  'Content for the handler, checked against the definition''s schema.';
comment on column public.messenger_messages.queue is
  'Queue the message waits in.';
comment on column public.messenger_messages.priority is
  'Higher goes first within its queue, -1000 to 1000.';
comment on column public.messenger_messages.status is
  'pending: waits, or waits for its retry. processing: leased to a worker.';
comment on column public.messenger_messages.available_at is
  'Not claimed before this moment; a delay or a backoff lies between it and created_at.';
comment on column public.messenger_messages.expires_at is
  'After this moment the message is no longer run but goes to the dead letters as expired.';
comment on column public.messenger_messages.retry_count is
  'Retries charged to the retry strategy so far: 0 before the first retry.';
comment on column public.messenger_messages.attempts is
  'How often a worker has claimed the message, counted at the claim, so that a crash counts.';
comment on column public.messenger_messages.snoozes is
  'How often its handlers have asked for a later run.';
comment on column public.messenger_messages.interruptions is
  'How often in succession its worker ended before its handlers did; a snooze or a failure sets it to 0. An interruption costs no retry. After ten the message is dead as interrupted.';
comment on column public.messenger_messages.created_at is
  'When the message was dispatched.';
comment on column public.messenger_messages.group_key is
  'Key of the ordered group the message belongs to, if any.';
comment on column public.messenger_messages.blocked is
  'Earlier messages of its group have to be done first; until then no claim reads this one.';
comment on column public.messenger_messages.dedupe_key is
  'While the message is here, a dispatch of its type with this key returns its id and writes nothing.';
comment on column public.messenger_messages.dedupe_until_started is
  'The key is freed when a worker claims the message, not when it is handled or dead.';
comment on column public.messenger_messages.stamps is
  'Data that travels with the message besides its payload: handlers done, schedule, user, redrives.';
comment on column public.messenger_messages.errors is
  'Failed attempts, oldest first: message, class, code, stack, attempt, handler, when, how long.';
comment on column public.messenger_messages.quarantined is
  'The message was in a crash: it runs with no other beside it until it is handled or found guilty.';
comment on column public.messenger_messages.lease_token is
  'Fence of the current lease: a settle call with another token changes nothing.';
comment on column public.messenger_messages.leased_until is
  'When the lease ends unless a heartbeat extends it; after that the message counts as crashed.';
comment on column public.messenger_messages.heartbeated is
  'The message runs, and is in the index of running messages instead of the claim''s index: from its first heartbeat on, or at once if its queue has a concurrency or the message is in a group.';
comment on column public.messenger_messages.cancelled is
  'Cancelled while it ran: its worker is told at the next heartbeat, and it does not come again.';

-- No index of this table names a column that the claim of a message without keys and limits changes, also not in its
-- condition: Postgres makes no HOT update if a changed column is named by any index, even by one that does not hold
-- the row. The indexes that a message does not enter cost its insert 0.3 us together, the CHECK constraints 0.3, the
-- triggers 0.1.

-- The order of a claim is the order of the index: no sort, and a drain can continue behind its last key. A generated
-- column with the priority negated would cost an insert 0.5 us; `desc` costs nothing.
-- The condition does not name status, which a claim changes. So a message that was only just claimed is still in
-- the index, and the next claim skips it for 0.1 us. The message's first heartbeat takes it out.
create index messenger_messages_claim_idx
  on public.messenger_messages (queue, priority desc, available_at, id)
  where not quarantined and not blocked and not heartbeated;
comment on index public.messenger_messages_claim_idx is
  'Order of a claim within a queue: priority, due time, id.';

create index messenger_messages_quarantined_idx
  on public.messenger_messages (available_at, id)
  where quarantined and not blocked and not heartbeated;
comment on index public.messenger_messages_quarantined_idx is
  'Messages to be run alone after a crash; nearly always empty.';

create index messenger_messages_expiry_idx
  on public.messenger_messages (expires_at)
  where expires_at is not null and not blocked and not heartbeated;
comment on index public.messenger_messages_expiry_idx is
  'Messages with a ttl by the end of it, for the sweep; it holds only messages that carry one.';

create unique index messenger_messages_dedupe_idx
  on public.messenger_messages (type, dedupe_key)
  where dedupe_key is not null;
comment on index public.messenger_messages_dedupe_idx is
  'One message for each key of a type; holds only messages that carry one.';

create index messenger_messages_running_idx
  on public.messenger_messages (queue, group_key)
  where heartbeated;
comment on index public.messenger_messages_running_idx is
  'Running messages by queue and group, for the limits of both. It has no column that a claim or a heartbeat changes.';

-- Messages that no user dispatched are not in it. A message without stamps costs no call of the operator, which is
-- strict.
create index messenger_messages_user_idx
  on public.messenger_messages ((stamps #>> '{user,id}'), id)
  where stamps #>> '{user,id}' is not null;
comment on index public.messenger_messages_user_idx is
  'Messages of users, to be listed. It names stamps, which no claim changes.';

alter table public.messenger_messages enable row level security;

-- The conditions of a claim have their names here. Postgres puts the text of a simple view in its place, so that
-- these cost nothing, and `for update` locks the row of the table. The views show ctid and xmax, the columns by
-- which a claim names a row and sees who has locked it.
create view messenger.ready_messages with (security_invoker = true) as
select m.ctid, m.xmax, m.id, m.queue, m.priority, m.available_at, m.group_key
from public.messenger_messages m
where m.status = 'pending' and not m.quarantined and not m.blocked and not m.heartbeated;
comment on view messenger.ready_messages is
  'Messages that a claim may take once they are due: pending, neither blocked behind their group nor quarantined.';
comment on column messenger.ready_messages.ctid is
  'Where the row lies.';
comment on column messenger.ready_messages.xmax is
  'The transaction that has locked the row, or the last one that had; 0 if none.';
comment on column messenger.ready_messages.id is
  'Identity of the message.';
comment on column messenger.ready_messages.queue is
  'Queue the message waits in.';
comment on column messenger.ready_messages.priority is
  'Higher goes first within its queue.';
comment on column messenger.ready_messages.available_at is
  'Not claimed before this moment.';
comment on column messenger.ready_messages.group_key is
  'Key of the ordered group the message belongs to, if any.';

create view messenger.quarantined_messages with (security_invoker = true) as
select m.ctid, m.id, m.queue, m.available_at, m.group_key
from public.messenger_messages m
where m.status = 'pending' and m.quarantined and not m.blocked and not m.heartbeated;
comment on view messenger.quarantined_messages is
  'Messages that a claim may take once they are due, one at a time, because they were in a crash: pending and not blocked behind their group.';
comment on column messenger.quarantined_messages.ctid is
  'Where the row lies.';
comment on column messenger.quarantined_messages.id is
  'Identity of the message.';
comment on column messenger.quarantined_messages.queue is
  'Queue the message waits in.';
comment on column messenger.quarantined_messages.available_at is
  'Not claimed before this moment.';
comment on column messenger.quarantined_messages.group_key is
  'Key of the ordered group the message belongs to, if any.';

-- An operator can set only what a queue has a row for, so the statement that writes a message also makes the row of
-- its queue. Claims need no such row: they find queues by their messages.
create function messenger.register_queues() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into public.messenger_queues (name)
  select w.queue from (select distinct written.queue from written) as w
  where not exists (
    select from public.messenger_queues q where q.name = w.queue
    -- Looks up the queues of these messages, and never reads the whole table of queues.
    offset 0
  )
  on conflict do nothing;
  return null;
end
$$;
comment on function messenger.register_queues() is
  'Trigger: makes the queues of the messages just written known in messenger_queues.';

create function messenger.register_queue() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into public.messenger_queues (name) values (new.queue) on conflict do nothing;
  return null;
end
$$;
comment on function messenger.register_queue() is
  'Trigger: registers the queue to which an update moved one message.';

create trigger messenger_messages_queues
  after insert on public.messenger_messages
  referencing new table as written
  for each statement execute function messenger.register_queues();

create trigger messenger_messages_queue_moved
  after update of queue on public.messenger_messages
  for each row when (old.queue is distinct from new.queue)
  execute function messenger.register_queue();

-- ==================== 05_queue_rows.sql

-- Rows of queues, and their messages. A row holds a queue's settings; claims find messages without it. A row
-- stays as long as its queue holds messages, so that no setting is lost unseen. A queue without settings is
-- forgotten after it has been empty for a time.

-- Whether messages wait or run in a queue; four reads of an index, however many messages the queue holds.
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
  );
end
$$;
comment on function messenger.queue_holds(text) is
  'Whether messages wait or run in a queue. Dead letters do not count: a redrive makes the queue again.';

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
create function messenger.stray_queues(p_max_queues integer default 100)
returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
  strays text[] := array(
    select distinct m.queue from public.messenger_messages m
    where m.quarantined and not m.blocked and not m.heartbeated
      and not exists (select from public.messenger_queues q where q.name = m.queue offset 0)
    limit p_max_queues
  );
  current_name text := '';
begin
  while cardinality(strays) < p_max_queues loop
    -- Steps through each index from the first message of a queue to the first message of the next queue.
    current_name := least(
      (
        select m.queue from public.messenger_messages m
        where m.queue > current_name and not m.quarantined and not m.blocked and not m.heartbeated
        order by m.queue limit 1
      ),
      (
        select m.queue from public.messenger_messages m
        where m.queue > current_name and m.heartbeated order by m.queue limit 1
      ),
      (
        select m.queue from public.messenger_messages m
        where m.queue > current_name and m.blocked order by m.queue limit 1
      )
    );
    exit when current_name is null;
    if array_position(strays, current_name) is null
      and not exists (select from public.messenger_queues q where q.name = current_name)
    then
      strays := strays || current_name;
    end if;
  end loop;
  return strays;
end
$$;
comment on function messenger.stray_queues(integer) is
  'Queues that hold messages and have no row in messenger_queues, up to p_max_queues of them; nearly always none.';

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
begin
  if empty_older_than is null or empty_older_than < interval '0' then
    raise sqlstate 'PT400' using message = 'empty_older_than: has to be zero or more';
  end if;
  if after is null then
    insert into public.messenger_queues (name) select unnest(messenger.stray_queues())
    on conflict do nothing;
  end if;

  names := array(
    select q.name from public.messenger_queues q
    where q.name > coalesce(after ->> 'name', '') and q.name <> 'default'
      and q.created_at < public.messenger_now() - empty_older_than
      and not q.paused and q.max_workers = 1 and q.concurrency is null
      and q.group_concurrency = 1 and q.rate_limit is null and q.rate_period_ms = 1000
      and q.weight = 1 and q.lease_ms is null and q.runs_on = 'tick'
    order by q.name limit 1000
    for update skip locked
  );
  delete from public.messenger_queues q
  where q.name = any (names) and not messenger.queue_holds(q.name);
  get diagnostics forgotten = row_count;
  return jsonb_build_object(
    'matched', forgotten, 'done', forgotten, 'next', case
      when cardinality(names) = 1000 then jsonb_build_object('name', names[1000])
    end
  );
end
$$;
comment on function public.messenger_tidy_queues(interval, jsonb) is
  'Forgets queues that hold no messages, have no settings of their own and were made longer ago than an age; the next message makes such a queue again. Makes the rows of stray queues. Takes one step of up to 1,000 queues, behind "next" of the step before. Returns {"matched", "done", "next"}. pg_cron calls it hourly.';

-- ==================== 06_leases.sql

-- Leases: a claim writes one row that lists the ids of its messages. By these rows a sweep finds messages whose
-- worker died, and other calls find messages that run. The row costs 0.3 us a message. An index over the leases of
-- messages would cost more: each claim would have to write to it, and could make no HOT update.
--
-- A lease row lists candidate ids. The message's own row decides whether the message is leased, by whom and until
-- when. A lease may list messages that are settled by now, but the lease with the token of a running message always
-- lists that message.

create table messenger.leases (
  token uuid primary key,
  leased_until timestamptz not null,
  queues text[] not null,
  ids bigint[] not null,
  open integer not null
) with (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

comment on table messenger.leases is
  'A row for each claim whose messages are not all settled, with the ids of its messages. The rows of messenger_messages say which of these messages still hold the lease.';
comment on column messenger.leases.token is
  'Fence of the claim: lease_token of its messages.';
comment on column messenger.leases.leased_until is
  'No message of this claim has a lease that ends before this moment. From this moment on a sweep reads its messages.';
comment on column messenger.leases.queues is
  'Queues of its messages, and perhaps further queues.';
comment on column messenger.leases.ids is
  'Ids of its messages, settled ones among them.';
comment on column messenger.leases.open is
  'Upper bound of the number of its messages that are not settled; the row is deleted at 0.';

-- To compress the ids would cost a claim more than the rest of the work for its lease.
alter table messenger.leases alter column ids set storage external;

create index leases_until_idx on messenger.leases (leased_until);
comment on index messenger.leases_until_idx is
  'Leases by the time at which the sweep looks at them.';

alter table messenger.leases enable row level security;

-- Two settle calls of one worker may share a lease. To never wait for each other, each call skips a lease that the
-- other has locked. A lease that was skipped keeps too high a number, and the sweep deletes it.
create function messenger.close_leases(p_tokens uuid[], p_numbers integer[])
returns void
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql
set search_path = ''
as $$
declare
  lease record;
begin
  for lease in
    select l.token, l.open - (
      select sum(s.number) from unnest(p_tokens, p_numbers) as s (token, number)
      where s.token = l.token
    ) as open
    from messenger.leases l
    where l.token = any (p_tokens)
    for update of l skip locked
  loop
    if lease.open <= 0 then
      delete from messenger.leases l where l.token = lease.token;
    else
      update messenger.leases l set open = lease.open where l.token = lease.token;
    end if;
  end loop;
end
$$;
comment on function messenger.close_leases(uuid[], integer[]) is
  'Part of a settle call: subtracts a number of messages from the lease of each token, and deletes a lease that has none left.';

-- Locks up to `p_max_messages` messages of these queues, or of all, whose lease ran out, the oldest leases first. It
-- leaves paused queues alone. It deletes each lease row that it reads, or writes into the row which messages remain
-- and when their lease ends.
create function messenger.lock_expired(
  p_queues text[] default null, p_max_messages integer default 100
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  lease record;
  expired tid[];
  locked tid[] := array[]::tid[];
  left_over record;
begin
  for lease in
    select l.token, l.ids from messenger.leases l
    where l.leased_until <= clock and exists (
      select from unnest(l.queues) as q (name)
      where messenger.is_swept(q.name, p_queues)
    )
    order by l.leased_until
    limit 1000
    for update skip locked
  loop
    expired := array(
      select m.ctid from public.messenger_messages m
      where m.id = any (lease.ids) and m.lease_token = lease.token and m.leased_until <= clock
        and messenger.is_swept(m.queue, p_queues)
      limit p_max_messages - cardinality(locked)
      for update skip locked
    );
    locked := locked || expired;

    select array_agg(m.id) as ids, array_agg(distinct m.queue) as queues,
      min(m.leased_until) as leased_until
    into left_over
    from public.messenger_messages m
    where m.id = any (lease.ids) and m.lease_token = lease.token and m.ctid <> all (expired);
    if left_over.ids is null then
      delete from messenger.leases l where l.token = lease.token;
    else
      update messenger.leases l
      set ids = left_over.ids, open = cardinality(left_over.ids), queues = left_over.queues,
        leased_until = left_over.leased_until
      where l.token = lease.token;
    end if;
    exit when cardinality(locked) >= p_max_messages;
  end loop;
  return locked;
end
$$;
comment on function messenger.lock_expired(text[], integer) is
  'Part of a claim: locks messages whose lease ran out, and returns their ctids.';

-- ==================== 07_failed_messages.sql

-- The dead letter queue: messages that will not be tried again by themselves, with every attempt's
-- error and the reason, until an operator redrives or removes them.

create table public.messenger_failed_messages (
  id bigint primary key,
  type text not null,
  payload jsonb not null,
  queue text not null,
  priority smallint not null default 0,
  status text not null default 'failed' check (status = 'failed'),
  reason text not null check (
    reason in (
      'exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'cancelled',
      'interrupted'
    )
  ),
  error text,
  errors jsonb not null default '[]',
  retry_count integer not null default 0,
  attempts integer not null default 0,
  redriven integer not null default 0,
  group_key text,
  stamps jsonb,
  created_at timestamptz not null,
  failed_at timestamptz not null default now()
);

comment on table public.messenger_failed_messages is
  'The dead letter queue. Redrive with messenger_redrive(), remove with messenger_remove_failed().';
comment on column public.messenger_failed_messages.id is
  'The id the message had while it waited and ran; a redrive keeps it.';
comment on column public.messenger_failed_messages.type is
  'Name of the message definition.';
comment on column public.messenger_failed_messages.payload is
  'Content that the handler received.';
comment on column public.messenger_failed_messages.queue is
  'Queue the message came from, and to which a redrive returns it.';
comment on column public.messenger_failed_messages.priority is
  'Priority the message had in its queue.';
comment on column public.messenger_failed_messages.status is
  'Always failed.';
comment on column public.messenger_failed_messages.reason is
  'exhausted: no retry left. unrecoverable: an error that no retry mends. crashed: its worker died each time. invalid: the payload does not fit the schema. unknown_type: no definition of that name. expired: too old to matter. cancelled: an operator or its user gave it up. interrupted: its worker ended before it was done, ten times and more.';
comment on column public.messenger_failed_messages.error is
  'Text of the last error, to read and to filter by; errors holds all of them.';
comment on column public.messenger_failed_messages.errors is
  'Failed attempts, oldest first: message, class, code, stack, attempt, handler, when, how long.';
comment on column public.messenger_failed_messages.retry_count is
  'Retries charged to the retry strategy before the end.';
comment on column public.messenger_failed_messages.attempts is
  'How often a worker had claimed the message.';
comment on column public.messenger_failed_messages.redriven is
  'How often the message had been redriven before it came here again.';
comment on column public.messenger_failed_messages.group_key is
  'Key of the ordered group the message belongs to, if any.';
comment on column public.messenger_failed_messages.stamps is
  'Data that travels with the message besides its payload: handlers done, schedule, user, redrives.';
comment on column public.messenger_failed_messages.created_at is
  'When the message was first dispatched.';
comment on column public.messenger_failed_messages.failed_at is
  'When the message was given up.';

create index messenger_failed_messages_failed_at_idx
  on public.messenger_failed_messages (failed_at, id);
comment on index public.messenger_failed_messages_failed_at_idx is
  'Dead letters by age, for lists, redrives in order, and pruning.';
create index messenger_failed_messages_type_idx
  on public.messenger_failed_messages (type, failed_at, id);
comment on index public.messenger_failed_messages_type_idx is
  'Dead letters of one type by age.';

create index messenger_failed_messages_user_idx
  on public.messenger_failed_messages ((stamps #>> '{user,id}'), id)
  where stamps #>> '{user,id}' is not null;
comment on index public.messenger_failed_messages_user_idx is
  'Dead letters of users, to be listed.';

alter table public.messenger_failed_messages enable row level security;

-- ==================== 08_ids.sql

-- Ids: a message and a dead letter never have the same id. A restore or an operator may set the sequence of ids back.
-- So each call that writes messages checks the sequence first, and moves it past the ids that are in use.

create function messenger.last_id() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  -- Subtracts, because last_value + 1 would overflow at the end of the range.
  return (
    select s.last_value - (not s.is_called)::integer from public.messenger_messages_id_seq s
  );
end
$$;
comment on function messenger.last_id() is
  'The id that the sequence of ids gave last.';

-- An operator may insert a row with a huge id. If the sequence moved past that id, later ids would exceed the 18
-- digits that the API takes, or the range of bigint. So ids above 5 * 10^17, which no sequence reaches by counting,
-- do not move the sequence, and a sequence that was set far above that is set back. The id of a handled message that
-- is still remembered counts as in use: a new message with that id would get the old one's status.
create function messenger.sequence_behind() returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql
set search_path = ''
as $$
declare
  most constant bigint := 500000000000000000;
  last constant bigint := messenger.last_id();
  ahead bigint;
begin
  if last > most + most / 2 then
    return true;
  end if;
  -- One probe of each index, for nothing is mostly there.
  if not exists (select from public.messenger_messages m where m.id > last and m.id <= most)
    and not exists (select from public.messenger_failed_messages f where f.id > last and f.id <= most)
    and not exists (select from public.messenger_handled_messages h where h.id > last and h.id <= most)
    and not exists (
      select from public.messenger_schedule_runs r
      where r.message_id > last and r.message_id <= most
    )
  then
    return false;
  end if;
  -- Other sessions may have drawn ids, and committed messages with them, since the sequence was read above. Set back
  -- by a session that took these for ids ahead of it, the sequence would give ids a second time. An id that is read
  -- before the sequence was drawn before, so only a sequence that was set back is behind it.
  ahead := greatest(
    (select max(m.id) from public.messenger_messages m where m.id > last and m.id <= most),
    (select max(f.id) from public.messenger_failed_messages f where f.id > last and f.id <= most),
    (select max(h.id) from public.messenger_handled_messages h where h.id > last and h.id <= most),
    (
      select max(r.message_id) from public.messenger_schedule_runs r
      where r.message_id > last and r.message_id <= most
    )
  );
  return coalesce(ahead > messenger.last_id(), false);
end
$$;
comment on function messenger.sequence_behind() is
  'Whether the sequence of the ids is behind messages, dead letters, handled messages or runs of schedules, as a restore leaves it, or near its end. The next dispatch mends it; for messenger_health.';

create function messenger.mend_sequence() returns void
language plpgsql
set search_path = ''
as $$
declare
  most constant bigint := 500000000000000000;
begin
  perform pg_advisory_xact_lock(pg_catalog.hashtextextended('symphony_messenger.sequence', 0));
  -- Another session may have mended the sequence while this one waited for the lock.
  if messenger.sequence_behind() then
    perform setval('public.messenger_messages_id_seq', greatest(
      1,
      (select max(m.id) from public.messenger_messages m where m.id <= most),
      (select max(f.id) from public.messenger_failed_messages f where f.id <= most),
      (select max(h.id) from public.messenger_handled_messages h where h.id <= most),
      (select max(r.message_id) from public.messenger_schedule_runs r where r.message_id <= most),
      (select max(p.message_id) from messenger.progress p where p.message_id <= most),
      (select max(k.message_id) from messenger.idempotency_keys k where k.message_id <= most)
    ));
  end if;
end
$$;
comment on function messenger.mend_sequence() is
  'Moves the sequence of ids past all ids of messages and dead letters, and those that other records still name.';

create function messenger.new_id() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.mend_sequence();
  return nextval('public.messenger_messages_id_seq');
end
$$;
comment on function messenger.new_id() is
  'A new id that neither a message nor a dead letter has, for a message whose own id is taken.';

create function messenger.free_id(p_id bigint) returns bigint
language plpgsql
set search_path = ''
as $$
begin
  if not exists (
    select from public.messenger_failed_messages f where f.id = p_id
  ) then
    return p_id;
  end if;
  return messenger.new_id();
end
$$;
comment on function messenger.free_id(bigint) is
  'The id under which a message goes to the dead letters: its own, or a new id if a dead letter has that id already.';

-- ==================== 09_payloads.sql

-- Checks of payloads that come from SQL. jsonb keeps numbers of any length, but handlers read them as doubles,
-- so a number that a double would change is refused here. Payloads that come over HTTPS or from code have been
-- checked before.

-- A double keeps every number of up to 15 digits, and jsonb's text has no exponents. So the callers first search
-- the text for 16 digits or points in a row, which costs next to nothing, and call this function only if they
-- find some.
create function messenger.check_numbers(p_payload jsonb, p_field text) returns void
language plpgsql
set search_path = ''
-- With fewer digits, the text of a double would not be its exact value.
set extra_float_digits = 1
as $$
declare
  wrong record;
begin
  with recursive parts (path, value) as (
    select p_field, p_payload
    union all
    select p.path || '.' || child.key, child.value
    from parts p cross join lateral (
      select e.key, e.value
      from jsonb_each(case when jsonb_typeof(p.value) = 'object' then p.value end) as e
      union all
      select (a.position - 1)::text, a.value
      from jsonb_array_elements(case when jsonb_typeof(p.value) = 'array' then p.value end)
        with ordinality as a (value, position)
    ) as child
  ),
  numbers as materialized (
    select p.path, (p.value #>> '{}')::numeric as number
    from parts p where jsonb_typeof(p.value) = 'number'
  )
  select n.path, n.number into wrong
  from numbers n
  where case
    when abs(n.number) > 9007199254740991
      then n.number = trunc(n.number) or abs(n.number) > 1.7976931348623157e308
        or n.number <> n.number::double precision::text::numeric
    when n.number = 0 then false
    when abs(n.number) < 2.2250738585072014e-308 then true
    else n.number <> n.number::double precision::text::numeric
  end
  limit 1;

  if found then
    raise sqlstate 'PT400' using message = format(
      '%s: has to be a number that is kept exactly (was %s); give whole numbers beyond 2^53 - 1, '
      'and more digits than a double keeps, as text',
      wrong.path, left(wrong.number::text, 60)
    );
  end if;
end
$$;
comment on function messenger.check_numbers(jsonb, text) is
  'Refuses a number in a payload that a double would change, and names its path. Called only if the payload''s text has 16 digits or points in a row.';

-- JavaScript and Postgres write moments after the year 9999 differently, and JavaScript knows no infinite moment.
create function messenger.is_moment(p_moment timestamptz) returns boolean
language sql immutable
set search_path = ''
as $$ select p_moment >= '0001-01-01 00:00Z' and p_moment < '10000-01-01 00:00Z' $$;
comment on function messenger.is_moment(timestamptz) is
  'Whether a moment is one that every part of the bus can read; null for null.';

create function messenger.reads_as_moment(p_value text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return messenger.is_moment(p_value::timestamptz);
exception
  when data_exception then return false;
end
$$;
comment on function messenger.reads_as_moment(text) is
  'Whether a text is a moment that every part of the bus can read; null for null.';

-- A field of a JSON message may hold a value of any kind. A cast to the column's type would fail without the name of
-- the field. So this function checks the value first, and returns an error text that names the field.
create function messenger.message_value(p_field text, p_value text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case p_field
    when 'type' then
      case when length(p_value) not between 1 and 200 then 'has to be a name of 1 to 200 characters' end
    when 'queue' then case
      when p_value !~ '^[A-Za-z0-9_.:-]{1,100}$' then 'has to be 1 to 100 letters, digits or _ . : -'
    end
    when 'priority' then case
      when p_value !~ '^-?\d{1,4}$' or p_value::integer not between -1000 and 1000
        then 'has to be a whole number from -1000 to 1000'
    end
    when 'available_at' then
      case when not messenger.reads_as_moment(p_value) then 'has to be a moment in the years 1 to 9999' end
    when 'dedupe' then case
      when p_value not in ('until-started', 'until-finished')
        then 'has to be until-started or until-finished'
    end
    when 'idempotency_scope' then
      case when length(p_value) > 255 then 'has to be at most 255 characters' end
    else case
      when p_field like '%_key' then
        case when length(p_value) not between 1 and 255 then 'has to be 1 to 255 characters' end
      when p_value !~ '^-?\d{1,30}(\.\d+)?$' then 'has to be a number of milliseconds'
      when p_value::numeric < 0 then 'has to be zero or more'
      when p_value::numeric = 0 and p_field <> 'delay_ms' then 'has to be more than zero'
      when p_value::numeric > 3155760000000 then 'has to be at most 100 years'
    end
  end;
end
$$;
comment on function messenger.message_value(text, text) is
  'Part of messenger_enqueue: what is wrong with the value of one field of a message, read as text; null if nothing is.';

create function messenger.message_fault(p_message jsonb) returns text
language plpgsql
set search_path = ''
as $$
declare
  known constant text[] := array[
    'type', 'payload', 'queue', 'priority', 'delay_ms', 'available_at', 'ttl_ms',
    'idempotency_key', 'idempotency_scope', 'group_key', 'stamps', 'dedupe_key', 'dedupe',
    'dedupe_window_ms'
  ];
  field text;
  wrong text;
begin
  for field in select jsonb_object_keys(p_message) loop
    if field <> all (known) then
      return format('%s: is not known; a message has %s', field, array_to_string(known, ', '));
    end if;
    continue when field in ('payload', 'stamps');
    wrong := case jsonb_typeof(p_message -> field)
      when 'string' then messenger.message_value(field, p_message ->> field)
      when 'number' then messenger.message_value(field, p_message ->> field)
      when 'null' then null
      else format('has to be text or a number (was a JSON %s)', jsonb_typeof(p_message -> field))
    end;
    if wrong is not null then
      return format('%s: %s', field, wrong);
    end if;
  end loop;
  return case
    when p_message ->> 'type' is null then 'type: is required'
    when num_nonnulls(p_message ->> 'delay_ms', p_message ->> 'available_at') = 2
      then 'delay_ms: give either delay_ms or available_at, not both'
    when (p_message ->> 'ttl_ms')::numeric <= (p_message ->> 'delay_ms')::numeric
      then 'ttl_ms: has to be longer than delay_ms'
    when public.messenger_now() + (p_message ->> 'ttl_ms')::double precision * interval '1 millisecond'
      <= (p_message ->> 'available_at')::timestamptz
      then 'ttl_ms: has to end after available_at'
    when num_nonnulls(p_message ->> 'dedupe_key', p_message ->> 'idempotency_key') = 2
      then 'dedupe_key: give either dedupe_key or idempotency_key, not both'
    when num_nonnulls(p_message ->> 'dedupe', p_message ->> 'dedupe_window_ms') = 2
      then 'dedupe: give either dedupe or dedupe_window_ms, not both'
    when p_message ->> 'dedupe_key' is null
      and num_nonnulls(p_message ->> 'dedupe', p_message ->> 'dedupe_window_ms') > 0
      then 'dedupe_key: is required for dedupe and dedupe_window_ms'
    when jsonb_typeof(p_message -> 'stamps') not in ('object', 'null')
      then 'stamps: has to be an object'
  end;
end
$$;
comment on function messenger.message_fault(jsonb) is
  'Part of messenger_enqueue: the first field of a message that is not known, has a wrong value or contradicts another, and what is wrong; null if nothing is.';

-- Checks messages that messenger_enqueue gets from SQL. Messages that the bus itself makes need no check.
create function messenger.check_messages(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  message jsonb;
  place bigint;
  wrong text;
  field text;
begin
  for message, place in
    select m.message, m.place - 1
    from jsonb_array_elements(p_messages) with ordinality as m (message, place)
  loop
    if jsonb_typeof(message) <> 'object' then
      raise sqlstate 'PT400' using message = format(
        'messages.%s: has to be an object (was a JSON %s)', place, jsonb_typeof(message)
      );
    end if;
    wrong := messenger.message_fault(message);
    if wrong is not null then
      raise sqlstate 'PT400' using message = format('messages.%s.%s', place, wrong);
    end if;
    foreach field in array array['payload', 'stamps'] loop
      if message ->> field ~ '[0-9.]{16}' then
        perform messenger.check_numbers(
          message -> field, format('messages.%s.%s', place, field)
        );
      end if;
    end loop;
  end loop;
end
$$;
comment on function messenger.check_messages(jsonb) is
  'Refuses messages with a field that is not known, has a wrong value or contradicts another, or with a number that a reader would change.';

-- ==================== 10_idempotency.sql

-- Idempotency keys, and dedupe keys with a window: a repeated dispatch returns the id of the first message
-- and writes nothing.

create table messenger.idempotency_keys (
  scope text not null default '',
  type text not null,
  key text not null check (length(key) between 1 and 255),
  message_id bigint not null,
  content_hash bigint,
  expires_at timestamptz not null,
  primary key (scope, type, key)
);

comment on table messenger.idempotency_keys is
  'Idempotency keys of the last 24 hours, and dedupe keys within their window: a repeated dispatch returns the first message''s id.';
comment on column messenger.idempotency_keys.scope is
  'Owner of the key: a user''s id, or empty for holders of a secret key and for SQL; dedupe:<type> for dedupe keys.';
comment on column messenger.idempotency_keys.type is
  'Message type: keys of two types are two keys.';
comment on column messenger.idempotency_keys.key is
  'The caller''s idempotency key or dedupe key.';
comment on column messenger.idempotency_keys.message_id is
  'The message of the first dispatch; it may be handled or dead by now.';
comment on column messenger.idempotency_keys.content_hash is
  'Hash of what was dispatched: payload, queue, priority, group, delay or due time, ttl. Other content under an idempotency key is refused. Null for dedupe keys, which stand for whatever is dispatched.';
comment on column messenger.idempotency_keys.expires_at is
  'From this moment on the key is free again.';

create index idempotency_keys_expires_at_idx
  on messenger.idempotency_keys (expires_at);
comment on index messenger.idempotency_keys_expires_at_idx is
  'Expired keys, for pruning.';

alter table messenger.idempotency_keys enable row level security;

-- ==================== 11_enqueue.sql

-- Enqueuing: one call writes any number of messages, all or none, in the caller's transaction.
--
-- Messages without a key are written as they come. Those with a key are in 11_enqueue_keyed.sql.

-- `messages` is an array of objects with the names of the columns, and `delay_ms`, `ttl_ms`,
-- `idempotency_key`, `idempotency_scope`, `dedupe`, `dedupe_window_ms`. A field that an object leaves out gets
-- the column's default. Ids ascend in the order of the array. `checked` says that fields and numbers need no
-- check, because the bus or messenger_dispatch made them.
create function public.messenger_enqueue(
  messages jsonb, checked boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if jsonb_typeof(messages) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'messages: has to be an array';
  end if;
  -- No message is too large if all of them together are not. The size of a compressed array does not tell.
  if pg_column_size(messages) > 1048576 or pg_column_compression(messages) is not null then
    perform messenger.check_sizes(messages);
  end if;
  if not checked then
    perform messenger.check_messages(messages);
  end if;
  if messenger.sequence_behind() then
    perform messenger.mend_sequence();
  end if;
  if messages @? '$[*] ? (exists(@.idempotency_key) || exists(@.dedupe_key) || exists(@.group_key))' then
    return messenger.enqueue_keyed(messages);
  end if;
  return messenger.enqueue_plain(messages);
end
$$;
comment on function public.messenger_enqueue(jsonb, boolean) is
  'Writes an array of messages, all or none, in the caller''s transaction. Returns {"ids": [...]} in their order.';

-- Reads only the fields that a message without a key can have: each further one costs time for every message.
create function messenger.enqueue_plain(p_messages jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  is_late boolean;
begin
  with written as (
    insert into public.messenger_messages
      (type, payload, queue, priority, available_at, expires_at, created_at, stamps)
    select m.type,
      -- A payload that is null stays null; one that is left out is an empty object.
      coalesce(
        m.payload, case when p_messages -> (m.position - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ),
      coalesce(m.queue, 'default'), coalesce(m.priority, 0::smallint),
      coalesce(m.available_at, clock + m.delay_ms * interval '1 millisecond', clock),
      clock + m.ttl_ms * interval '1 millisecond', clock, m.stamps
    from rows from (
      jsonb_to_recordset(p_messages) as (
        type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
        available_at timestamptz, ttl_ms double precision, stamps jsonb
      )
    ) with ordinality as m (
      type, payload, queue, priority, delay_ms, available_at, ttl_ms, stamps, position
    )
    returning id, expires_at <= available_at as is_late
  )
  select jsonb_build_object('ids', coalesce(array_agg(w.id::text), '{}')), bool_or(w.is_late)
  into answer, is_late from written w;
  if is_late then
    perform messenger.refuse_late();
  end if;
  return answer;
end
$$;
comment on function messenger.enqueue_plain(jsonb) is
  'Part of messenger_enqueue: writes messages without idempotency, dedupe and group keys.';

-- A value that a caller gives is not compressed yet, so that its header tells its size.
create function messenger.check_sizes(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  given record;
begin
  for given in
    select pg_column_size(m.message -> 'payload') as payload, pg_column_size(m.message -> 'stamps') as stamps
    from jsonb_array_elements(p_messages) as m (message)
    where jsonb_typeof(m.message) = 'object'
  loop
    if given.payload > messenger.max_payload_bytes() then
      raise sqlstate 'PT413' using message = format(
        'payload: has %s bytes; has to have at most %s',
        given.payload, messenger.max_payload_bytes()
      );
    end if;
    if given.stamps > 1048576 then
      raise sqlstate 'PT413' using message =
        format('stamps: has %s bytes; has to have at most 1048576', given.stamps);
    end if;
  end loop;
end
$$;
comment on function messenger.check_sizes(jsonb) is
  'Part of messenger_enqueue: refuses messages whose payload or stamps are larger than a worker can take, PT413.';

create function messenger.refuse_late() returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT400' using message =
    'ttl: ends before the message is due; it has to be longer than the delay, or end after available_at';
end
$$;
comment on function messenger.refuse_late() is
  'Part of messenger_enqueue: refuses a message whose time to live is over when it falls due. It would never run.';

-- The call over HTTP. PostgREST passes the whole body to a single parameter without a name. A parameter with a
-- name has to be taken out of the body first, which costs 1 us a message. PostgREST passes a set of one row on as
-- it is, and would read through a single value once more.
create function public.messenger_enqueue_body(jsonb) returns setof jsonb
language plpgsql
rows 1
set search_path = ''
as $$
declare
  -- Postgres keeps no array of 256 MiB, and time runs out before that.
  max_bytes constant integer := 67108864;
begin
  if pg_column_size($1) > max_bytes then
    raise sqlstate 'PT413' using message = format(
      'messages: have %s bytes together; a call takes at most %s, give them in several calls',
      pg_column_size($1), max_bytes
    );
  end if;
  return next public.messenger_enqueue($1, true);
end
$$;

comment on function public.messenger_enqueue_body(jsonb) is
  'messenger_enqueue for calls over HTTP: the whole body is the array of messages, of at most 64 MiB (PT413). Returns a set of one {"ids": [...]}.';

-- ==================== 11_enqueue_keyed.sql

-- Enqueuing of messages with keys: idempotency keys, dedupe keys, group keys.
--
-- An idempotency key that is taken gives the id of its message and writes nothing. Two calls with one key meet on
-- the primary key of messenger.idempotency_keys, where the second waits for the first one's commit. Other content
-- under a taken key is refused, for it would be lost. A dedupe key with a window is kept in the same table.
-- A dedupe key that holds until its message is started or finished stands on the message itself, and two calls
-- meet on that unique index.

create function messenger.enqueue_keyed(p_messages jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  repeats bigint[];
  conflict bigint;
  is_late boolean;
begin
  with numbered as materialized (select * from messenger.take_keys(p_messages, clock)),
  -- A message behind the first ones of its group in this very call needs no claim to find that out.
  behind as materialized (
    select p.id
    from (
      select n.id, n.queue, row_number() over (partition by n.queue, n.group_key order by n.id) as place
      from numbered n where n.group_key is not null and n.is_new and n.held_key is null
    ) as p
    left join public.messenger_queues q on q.name = p.queue
    where p.place > coalesce(q.group_concurrency, 1)
  ),
  written as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, blocked, stamps)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key,
      group_key is not null and id in (select b.id from behind b), stamps
    from numbered where is_new and held_key is null
  ),
  written_once as (
    insert into public.messenger_messages
      (id, type, payload, queue, priority, available_at, expires_at, created_at, group_key, stamps,
        dedupe_key, dedupe_until_started)
    select id, type, payload, queue, priority, available_at, expires_at, clock, group_key, stamps,
      held_key, until_started
    from numbered where is_new and held_key is not null order by type, held_key, id
    on conflict (type, dedupe_key) where dedupe_key is not null do nothing
    returning id
  )
  select jsonb_build_object('ids', coalesce(jsonb_agg(n.id::text order by n.place), '[]')),
    array_agg(n.place order by n.place) filter (where n.held_key is not null and o.id is null),
    min(n.place) filter (where n.is_other),
    bool_or(n.expires_at <= n.available_at) filter (where n.is_new)
  into answer, repeats, conflict, is_late
  from numbered n left join written_once o on o.id = n.id;

  if conflict is not null then
    perform messenger.refuse_other_content(conflict);
  elsif is_late then
    perform messenger.refuse_late();
  elsif repeats is not null then
    return messenger.add_holders(p_messages, answer, repeats);
  end if;
  return answer;
end
$$;
comment on function messenger.enqueue_keyed(jsonb) is
  'Part of messenger_enqueue: writes messages of which some have an idempotency, dedupe or group key.';

-- A message whose key is taken gets the id of that key's message, and is not new. All keys are taken before the
-- first message is written, in one order, so that two calls do not wait for each other.
create function messenger.take_keys(p_messages jsonb, p_now timestamptz) returns table (
  place bigint, id bigint, is_new boolean, is_other boolean, type text, payload jsonb, queue text,
  priority smallint, available_at timestamptz, expires_at timestamptz, group_key text, stamps jsonb,
  held_key text, until_started boolean
)
language plpgsql rows 100
set search_path = ''
as $$
begin
  return query
  with wanted as materialized (
    select nextval('public.messenger_messages_id_seq') as new_id, m.ordinality as place, m.type, f.*,
      coalesce(m.available_at, p_now + m.delay_ms * interval '1 millisecond', p_now) as available_at,
      p_now + m.ttl_ms * interval '1 millisecond' as expires_at, m.group_key, m.stamps,
      coalesce(m.dedupe = 'until-started', false) as until_started,
      case when m.dedupe_window_ms is null then m.dedupe_key end as held_key,
      case when m.dedupe_window_ms is null then m.idempotency_key else m.dedupe_key end as key,
      case when m.dedupe_window_ms is null then coalesce(m.idempotency_scope, '')
        else 'dedupe:' || m.type end as scope,
      coalesce(m.dedupe_window_ms, 86400000) * interval '1 millisecond' as lasts,
      case when m.dedupe_window_ms is null and m.idempotency_key is not null then
        messenger.content_hash(jsonb_build_array(
          f.payload, f.queue, f.priority, m.group_key, coalesce(m.delay_ms, 0), m.available_at, m.ttl_ms
        )) end as content_hash
    from rows from (jsonb_to_recordset(p_messages) as (
      type text, payload jsonb, queue text, priority smallint, delay_ms double precision,
      available_at timestamptz, ttl_ms double precision, idempotency_scope text, idempotency_key text,
      group_key text, stamps jsonb, dedupe_key text, dedupe text, dedupe_window_ms double precision
    )) with ordinality as m
    cross join lateral (select coalesce(m.queue, 'default') as queue, coalesce(m.priority, 0::smallint) as priority,
      -- A payload that is null stays null; one that is left out is an empty object.
      coalesce(m.payload,
        case when p_messages -> (m.ordinality - 1)::integer ? 'payload' then 'null' else '{}' end::jsonb
      ) as payload) as f
  ),
  taken as (
    insert into messenger.idempotency_keys as known (scope, type, key, message_id, content_hash, expires_at)
    select distinct on (w.scope, w.type, w.key) w.scope, w.type, w.key, w.new_id, w.content_hash, p_now + w.lasts
    from wanted w where w.key is not null order by w.scope, w.type, w.key, w.place
    on conflict on constraint idempotency_keys_pkey do update set
      message_id = case when known.expires_at <= p_now then excluded.message_id else known.message_id end,
      content_hash = case when known.expires_at <= p_now then excluded.content_hash else known.content_hash end,
      expires_at = case when known.expires_at <= p_now then excluded.expires_at else known.expires_at end
    returning known.scope, known.type, known.key, known.message_id, known.content_hash
  )
  select w.place, coalesce(t.message_id, w.new_id), coalesce(t.message_id = w.new_id, true),
    t.content_hash <> w.content_hash, w.type, w.payload, w.queue, w.priority, w.available_at, w.expires_at,
    w.group_key, w.stamps, w.held_key, w.until_started
  from wanted w left join taken t on t.key = w.key and t.type = w.type and t.scope = w.scope;
end
$$;
comment on function messenger.take_keys(jsonb, timestamptz) is
  'Part of messenger_enqueue: takes the idempotency keys of messages, and dedupe keys with a window, and gives each message its id.';

-- jsonb's own hash is equal for 1 and 1.0, as it should be. But that hash is also equal for [[1],2] and [[1,2]],
-- because it ignores where arrays and objects end. So the brackets are hashed as well.
create function messenger.content_hash(p_content jsonb) returns bigint
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return hashtextextended(
    regexp_replace(p_content::text, '[^][{},:]+', '', 'g'), jsonb_hash_extended(p_content, 0)
  );
end
$$;
comment on function messenger.content_hash(jsonb) is
  'Part of messenger_enqueue: hash of what an idempotency key stands for; equal for equal jsonb.';

create function messenger.refuse_other_content(p_place bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using
    message = 'idempotency_key: stands for a message of this type with other content, dispatched '
      'within 24 hours; repeat that one unchanged, or give another key',
    detail = p_place - 1,
    hint = 'The detail is the place of the message in the array.';
end
$$;
comment on function messenger.refuse_other_content(bigint) is
  'Part of messenger_enqueue: refuses the message at a place, from 1, whose idempotency key stands for other content.';

-- A second statement finds the messages that hold the dedupe keys: its snapshot shows what the call committed for
-- which the first statement waited. If such a message has finished or expired since, it holds no key any more, and
-- the dispatch is written after all.
create function messenger.add_holders(p_messages jsonb, p_answer jsonb, p_places bigint[]) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb := p_answer;
  place integer;
begin
  perform messenger.free_expired_keys(
    array_agg(p_messages -> (r.place - 1)::integer ->> 'type'),
    array_agg(p_messages -> (r.place - 1)::integer ->> 'dedupe_key')
  )
  from unnest(p_places) as r (place);

  for place in select unnest(p_places) - 1 loop
    answer := jsonb_set(answer, array['ids', place::text], coalesce(
      (
        select to_jsonb(m.id::text) from public.messenger_messages m
        where m.type = p_messages -> place ->> 'type' and m.dedupe_key = p_messages -> place ->> 'dedupe_key'
      ),
      public.messenger_enqueue(jsonb_build_array(p_messages -> place), true) #> '{ids,0}'
    ));
  end loop;
  return answer;
end
$$;
comment on function messenger.add_holders(jsonb, jsonb, bigint[]) is
  'Part of messenger_enqueue: puts the ids of the messages that hold a dedupe key in the places of the dispatches left out for them.';

-- A message that expired while it waited will not run, so no dispatch may be left out because of its key. The locks
-- are taken ascending by id, as everywhere.
create function messenger.free_expired_keys(p_types text[], p_dedupe_keys text[])
returns void
language sql
set search_path = ''
as $$
  update public.messenger_messages m set dedupe_key = null
  where m.id = any (array(
    select held.id
    from public.messenger_messages held
    where (held.type, held.dedupe_key) in (select * from unnest(p_types, p_dedupe_keys))
      and held.status = 'pending' and held.expires_at <= public.messenger_now()
    order by held.id
    for update
  ))
$$;
comment on function messenger.free_expired_keys(text[], text[]) is
  'Part of messenger_enqueue: takes dedupe keys from messages that have expired while they waited.';

-- ==================== 12_dispatch.sql

-- The way in for SQL: triggers, functions, the SQL editor.

-- One expression, which returns the first problem of a dispatch, or null if there is none.
create function messenger.dispatch_problem(
  p_type text, p_delay interval, p_available_at timestamptz, p_queue text, p_priority integer,
  p_idempotency_key text, p_group_key text, p_ttl interval, p_dedupe_key text, p_dedupe text,
  p_dedupe_window interval
) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  longest constant interval := interval '36525 days';
begin
  return case
    when p_type is null or length(p_type) not between 1 and 200
      then 'type: has to be a name of 1 to 200 characters'
    when p_queue is null or p_queue !~ '^[A-Za-z0-9_.:-]{1,100}$'
      then 'queue: has to be 1 to 100 letters, digits or _ . : -'
    when p_priority is null or p_priority not between -1000 and 1000
      then 'priority: has to be from -1000 to 1000'
    when p_delay < interval '0' then 'delay: has to be zero or more'
    when p_delay > longest then 'delay: has to be at most 100 years'
    when p_ttl > longest then 'ttl: has to be at most 100 years'
    when p_dedupe_window > longest then 'dedupe_window: has to be at most 100 years'
    when p_delay is not null and p_available_at is not null
      then 'delay: give either delay or available_at, not both'
    when not messenger.is_moment(p_available_at)
      then 'available_at: has to be a moment in the years 1 to 9999'
    when p_ttl <= interval '0' then 'ttl: has to be more than zero'
    when length(p_idempotency_key) not between 1 and 255
      then 'idempotency_key: has to be 1 to 255 characters'
    when length(p_group_key) not between 1 and 255 then 'group_key: has to be 1 to 255 characters'
    when length(p_dedupe_key) not between 1 and 255 then 'dedupe_key: has to be 1 to 255 characters'
    when p_dedupe_key is not null and p_idempotency_key is not null
      then 'dedupe_key: give either dedupe_key or idempotency_key, not both'
    when p_dedupe not in ('until-started', 'until-finished')
      then 'dedupe: has to be until-started or until-finished'
    when p_dedupe is not null and p_dedupe_window is not null
      then 'dedupe: give either dedupe or dedupe_window, not both'
    when p_dedupe_window <= interval '0' then 'dedupe_window: has to be more than zero'
    when p_dedupe_key is null and num_nonnulls(p_dedupe, p_dedupe_window) > 0
      then 'dedupe_key: is required for dedupe and dedupe_window'
  end;
end
$$;
comment on function messenger.dispatch_problem(
  text, interval, timestamptz, text, integer, text, text, interval, text, text, interval
) is
  'Part of messenger_dispatch: what is wrong with its arguments, beginning with the argument''s name; null where nothing is.';

create function messenger.to_ms(p_duration interval) returns double precision
language plpgsql stable
set search_path = ''
as $$
begin
  -- A month is as long as the one that begins now.
  return extract(epoch from public.messenger_now() + p_duration - public.messenger_now()) * 1000;
end
$$;
comment on function messenger.to_ms(interval) is 'How many ms a duration that begins now takes.';

create function public.messenger_dispatch(
  type text,
  payload jsonb default '{}',
  delay interval default null,
  available_at timestamptz default null,
  queue text default 'default',
  priority integer default 0,
  idempotency_key text default null,
  group_key text default null,
  ttl interval default null,
  dedupe_key text default null,
  dedupe text default null,
  dedupe_window interval default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  problem constant text := messenger.dispatch_problem(
    type, delay, available_at, queue, priority, idempotency_key, group_key, ttl, dedupe_key, dedupe,
    dedupe_window
  );
begin
  if problem is not null then
    raise sqlstate 'PT400' using message = problem;
  end if;
  if payload::text ~ '[0-9.]{16}' then
    perform messenger.check_numbers(payload, 'payload');
  end if;

  return (
    public.messenger_enqueue(
      jsonb_build_array(
        jsonb_build_object(
          'type', type, 'payload', payload, 'queue', queue, 'priority', priority,
          'available_at', available_at, 'delay_ms', messenger.to_ms(delay),
          'ttl_ms', messenger.to_ms(ttl), 'idempotency_key', idempotency_key,
          'group_key', group_key, 'dedupe_key', dedupe_key, 'dedupe', dedupe,
          'dedupe_window_ms', messenger.to_ms(dedupe_window)
        )
      ),
      checked => true
    ) -> 'ids' ->> 0
  )::bigint;
end
$$;

comment on function public.messenger_dispatch(
  text, jsonb, interval, timestamptz, text, integer, text, text, interval, text, text, interval
) is
  'Dispatches one message inside the caller''s transaction and returns its id: select messenger_dispatch(''EmailMessage'', ''{"to":"a@b.c"}'', delay => interval ''5 minutes'').';

-- ==================== 13_groups.sql

-- Groups: the messages of one queue with one key run in the order of their ids. The first ones of a
-- group may run, as many as the queue's group_concurrency says (1: strict order); one that waits for its
-- retry keeps its place, and those behind it wait: they are blocked, which takes them out of the
-- claim's index, so that a long group does not slow down claims.
--
-- Writing a message takes no lock of its group: the message is written unblocked, and a claim that finds it out of
-- turn blocks it. Claims, and all that removes messages, read a group only under its advisory lock, so that no
-- message is blocked behind one that is just leaving. A claim never waits for that lock. A settle call and a cancel
-- wait for it before they lock a message. A user's SQL that removes or moves messages has locked them already, so
-- it waits 0.2 s at most. No session waits for the message that is to be unblocked: if another session has locked
-- that message or the group, the group is noted, and the next claim that sweeps looks at the group again.

create table messenger.groups_to_reopen (
  queue text not null,
  group_key text not null,
  after_key text not null default '',
  id bigint generated always as identity primary key
);

-- A group may be noted more than once. With one note for each group, two sessions that note the same groups would
-- wait for each other, in no fixed order.
create index groups_to_reopen_group_idx
  on messenger.groups_to_reopen (queue, group_key);
comment on index messenger.groups_to_reopen_group_idx is
  'The notes of a group.';

comment on table messenger.groups_to_reopen is
  'Groups that the next sweep looks at: their turn came while another session had the group or its next message locked, or their queue''s group_concurrency was raised. Nearly always empty.';
comment on column messenger.groups_to_reopen.queue is
  'Queue of the group.';
comment on column messenger.groups_to_reopen.group_key is
  'Key of the group; empty for all groups of the queue that have blocked messages.';
comment on column messenger.groups_to_reopen.after_key is
  'Of a note for all groups of a queue: those behind this key are still to be looked at.';
comment on column messenger.groups_to_reopen.id is
  'Identity of the note.';

alter table messenger.groups_to_reopen enable row level security;

-- Running messages are in messenger_messages_running_idx instead: a claim moves its messages from this index
-- to that one, which costs one index entry.
create index messenger_messages_group_idx
  on public.messenger_messages (queue, group_key, id)
  where group_key is not null and not heartbeated;
comment on index public.messenger_messages_group_idx is
  'The order within a group; holds only messages that have one and wait.';

create index messenger_messages_blocked_idx
  on public.messenger_messages (queue, group_key)
  where blocked;
comment on index public.messenger_messages_blocked_idx is
  'Groups that have blocked messages.';

create function messenger.group_locks(p_queues text[], p_group_keys text[])
returns table (queue text, group_key text, lock_key bigint)
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return query
  select g.queue, g.group_key, pg_catalog.hashtextextended('symphony_messenger.group', 0)
    + (pg_catalog.hashtextextended(g.group_key, pg_catalog.hashtextextended(g.queue, 0)) & 2047)
  from unnest(p_queues, p_group_keys) as g (queue, group_key);
end
$$;
comment on function messenger.group_locks(text[], text[]) is
  'The advisory locks of groups, each one of 2,048: Postgres has room for some thousand locks, and a call may remove messages of any number of groups.';

-- The waiting messages of these groups whose turn it is: the first ones of each, as many as there is room
-- for beside those that run. `p_queues` and `p_group_keys` go together, and name each group once.
--
-- It reads a few rows of each group, however long the groups are and however many others there are: it reads the
-- index where queue and group_key are equal, in the order of the ids. There are two traps. A range of rows,
-- (queue, group_key) between ..., is bounded by its first column alone. And with two plain equalities, the planner
-- may use the primary key for the order by id, and walk through the whole table to the first match. So the order
-- begins with the queue, and the queue is compared to an array of one element: then the planner does not know that
-- all rows have the same queue.
create function messenger.group_fronts(p_queues text[], p_group_keys text[])
returns table (id bigint, blocked boolean)
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql
set search_path = ''
as $$
declare
  -- Looks up the setting once for each queue, and not for each of its groups.
  widths constant jsonb := (
    select jsonb_object_agg(q.name, q.group_concurrency) from public.messenger_queues q
    where q.name = any (array(select distinct unnest(p_queues)))
  );
begin
  return query
  select f.id, f.blocked
  from unnest(p_queues, p_group_keys) as g (queue, group_key)
  cross join lateral (
    select coalesce((widths -> g.queue)::integer, 1) - (
      select count(*) from public.messenger_messages r
      where r.queue = g.queue and r.group_key = g.group_key and r.heartbeated
    ) as places
    -- Calculated once, and not wherever it is named.
    offset 0
  ) as room
  cross join lateral (
    select m.id, m.blocked from public.messenger_messages m
    where m.queue = any (array[g.queue]) and m.group_key = g.group_key
      and not m.heartbeated and m.status = 'pending'
    order by m.queue, m.id limit greatest(room.places, 0)
  ) as f;
end
$$;
comment on function messenger.group_fronts(text[], text[]) is
  'The waiting messages of groups that may run now: the first ones of each, beside those that run.';

create function messenger.reopen_groups(p_queues text[], p_group_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  waiting bigint[];
  free bigint[];
begin
  -- Most groups have none.
  select array_agg(g.queue), array_agg(g.group_key) into p_queues, p_group_keys
  from unnest(p_queues, p_group_keys) as g (queue, group_key)
  where exists (
    select from public.messenger_messages m
    where m.queue = g.queue and m.group_key = g.group_key and m.blocked
    -- Looked up for each of the groups, however many blocked messages there are.
    offset 0
  );
  if p_queues is null then
    return;
  end if;
  waiting := array(
    select f.id from messenger.group_fronts(p_queues, p_group_keys) f where f.blocked
  );
  if cardinality(waiting) = 0 then
    return;
  end if;
  free := array(
    select b.id from public.messenger_messages b where b.id = any (waiting)
    for update skip locked
  );
  update public.messenger_messages m set blocked = false where m.id = any (free);
  if cardinality(free) < cardinality(waiting) then
    insert into messenger.groups_to_reopen (queue, group_key)
    select distinct m.queue, m.group_key from public.messenger_messages m
    where m.id = any (array(select unnest(waiting) except select unnest(free)));
  end if;
end
$$;
comment on function messenger.reopen_groups(text[], text[]) is
  'Unblocks the messages of groups whose turn it is; notes the groups where another session has one of them locked. The caller holds the groups'' locks.';

-- Takes a thousand groups at a time. A note for all groups of a queue then says behind which key the next sweep
-- continues.
create function messenger.reopen_noted_groups() returns void
language plpgsql
set search_path = ''
as $$
declare
  noted record;
  queues text[];
  group_keys text[];
begin
  -- An older snapshot may not show why a group was noted.
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  for noted in
    select u.id, u.queue, u.after_key from messenger.groups_to_reopen u
    where u.group_key = ''
    order by u.queue limit 1
    for update skip locked
  loop
    delete from messenger.groups_to_reopen u where u.id = noted.id;
    perform messenger.note_blocked_groups(noted.queue, noted.after_key);
  end loop;

  with found as materialized (
    select u.id, u.queue, u.group_key from messenger.groups_to_reopen u
    where u.group_key <> ''
    limit 1000
    for update skip locked
  ),
  locked as materialized (
    select f.id, l.queue, l.group_key
    from found f
    cross join lateral messenger.group_locks(array[f.queue], array[f.group_key]) as l
    where pg_try_advisory_xact_lock(l.lock_key)
  ),
  gone as (
    -- Deletes only the notes that this session has locked: another session may have locked other notes of these groups.
    delete from messenger.groups_to_reopen u
    using locked l
    where u.id = l.id
    returning u.queue, u.group_key
  )
  select array_agg(g.queue), array_agg(g.group_key) into queues, group_keys
  from (select distinct n.queue, n.group_key from gone n) as g;
  -- A separate statement, because its snapshot has to be taken under the locks.
  if queues is not null then
    perform messenger.reopen_groups(queues, group_keys);
  end if;
end
$$;
comment on function messenger.reopen_noted_groups() is
  'Part of a sweep: looks again at groups in messenger.groups_to_reopen, up to 1,000 of them.';

create function messenger.note_blocked_groups(p_queue text, p_after_key text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  current_key text := p_after_key;
begin
  for step in 1..1000 loop
    current_key := (
      select m.group_key from public.messenger_messages m
      where m.queue = p_queue and m.blocked
        and m.group_key > current_key
      order by m.queue, m.group_key limit 1
    );
    exit when current_key is null;
    insert into messenger.groups_to_reopen (queue, group_key)
    values (p_queue, current_key);
  end loop;
  if current_key is not null then
    insert into messenger.groups_to_reopen (queue, group_key, after_key)
    values (p_queue, '', current_key);
  end if;
end
$$;
comment on function messenger.note_blocked_groups(text, text) is
  'Notes up to 1,000 groups of a queue that have blocked messages, those behind a key, and how far it has come where there are more.';

-- ==================== 14_group_changes.sql

-- Changes of groups: triggers that keep the order of a group right when a message leaves it, joins it or is
-- moved, and when a queue's group_concurrency is raised.

create function messenger.widen_groups() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.note_blocked_groups(new.name, '');
  perform messenger.reopen_noted_groups();
  return null;
end
$$;
comment on function messenger.widen_groups() is
  'Trigger: a queue''s group_concurrency was raised; more of each group may run.';

-- Triggers run in the order of their names: this one runs before the trigger that wakes a tick for due messages.
create trigger messenger_queues_groups
  after update on public.messenger_queues
  for each row when (new.group_concurrency > old.group_concurrency)
  execute function messenger.widen_groups();

create function messenger.leave_group() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  this_one constant xid := pg_current_xact_id()::xid;
  is_locked boolean;
begin
  -- An older snapshot may show a message as unblocked that a claim has blocked since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are removed in a read committed transaction only';
  end if;
  -- A claim holds the group's lock for some milliseconds. But a settle call that holds the lock may be waiting for
  -- the message that this transaction has locked. So the trigger tries for 0.2 s at most, once in a transaction.
  for try in 1..10 loop
    select pg_try_advisory_xact_lock(l.lock_key) into is_locked
    from messenger.group_locks(array[old.queue], array[old.group_key]) as l;
    exit when is_locked
      or exists (select from messenger.groups_to_reopen u where u.xmin = this_one);
    perform pg_sleep(0.02);
  end loop;
  if is_locked then
    perform messenger.reopen_groups(array[old.queue], array[old.group_key]);
  elsif not exists (
    -- Only this transaction's own note counts: another session may be deleting its note at this moment.
    select from messenger.groups_to_reopen u
    where u.queue = old.queue and u.group_key = old.group_key and u.xmin = this_one
  ) then
    insert into messenger.groups_to_reopen (queue, group_key)
    values (old.queue, old.group_key);
    perform messenger.wake();
  end if;
  return null;
end
$$;
comment on function messenger.leave_group() is
  'Trigger: a message that may have run has left its group; the next one''s turn has come.';

-- A settle call reopens the groups of all its messages in one step at its end, and a setting of its transaction turns
-- this trigger off. The trigger is for messages that are deleted in any other way.
create trigger messenger_messages_group_left
  after delete on public.messenger_messages
  for each row when (
    old.group_key is not null and not old.blocked
    and coalesce(current_setting('messenger.groups', true), '') <> 'settled'
  )
  execute function messenger.leave_group();

create trigger messenger_messages_group_changed
  after update of queue, group_key on public.messenger_messages
  for each row when (
    old.group_key is not null and not old.blocked
    and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.leave_group();

create function messenger.join_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_messages m set blocked = false where m.id = new.id;
  return null;
end
$$;
comment on function messenger.join_group() is
  'Trigger: after an update moved a message to another group, the next claim checks its place in that group.';

-- A trigger before the update would be simpler. But it makes Postgres lock each row of every update once more, also
-- of messages without a group, which costs each claim 0.3 us a message. So this trigger comes after the update.
create trigger messenger_messages_group_joined
  after update of queue, group_key on public.messenger_messages
  for each row when (
    new.blocked and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.join_group();

create function messenger.keep_group() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using message = format(
    'group_key: message %s runs, and keeps its queue and group until it is done', new.id
  );
end
$$;
comment on function messenger.keep_group() is
  'Trigger: refuses to move a running message to another group, because the end of the message would not unblock that group.';

create trigger messenger_messages_group_kept
  after update of queue, group_key on public.messenger_messages
  for each row when (
    old.status = 'processing' and new.status = 'processing'
    and (old.group_key is not null or new.group_key is not null)
    and (old.queue, old.group_key) is distinct from (new.queue, new.group_key)
  )
  execute function messenger.keep_group();

-- ==================== 15_groups_of_calls.sql

-- The groups of the messages of a claim or a settle call. Each statement handles all groups of the call, and its cost
-- depends on these groups only.

-- Locks those of the given groups whose locks are free.
create function messenger.try_group_locks(p_queue text, p_group_keys text[])
returns text[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select l.group_key
    from messenger.group_locks(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) as l
    where pg_try_advisory_xact_lock(l.lock_key)
  );
end
$$;
comment on function messenger.try_group_locks(text, text[]) is
  'Part of a claim: takes the locks of these groups that are free, until the end of the transaction, and returns their groups.';

-- Under the locks of the groups. `held_ids` are the messages of these groups that the claim has already.
create function messenger.admitted_to_groups(
  p_queue text, p_ids bigint[], p_keys text[], p_group_keys text[], p_held tid[],
  out admitted bigint[], out held_ids bigint[]
)
language plpgsql
set search_path = ''
as $$
declare
  fronts bigint[];
begin
  held_ids := '{}';
  if cardinality(p_held) = 0 and coalesce((
    select q.group_concurrency from public.messenger_queues q
    where q.name = p_queue
  ), 1) = 1 then
    admitted := messenger.first_of_groups(p_queue, p_ids, p_keys, p_group_keys);
    return;
  end if;
  fronts := array(
    select f.id from messenger.group_fronts(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) f
  );
  admitted := array(select unnest(p_ids) intersect select unnest(fronts));
  held_ids := array(
    select h.id from (
      select m.id, m.group_key from public.messenger_messages m
      where m.ctid = any (p_held) and m.queue = p_queue
    ) as h
    join unnest(p_group_keys) as g (group_key) using (group_key)
  );
  -- A message has appeared in front of one that this claim holds already. It waits until the held one is done.
  if exists (select unnest(held_ids) except select unnest(fronts)) then
    admitted := messenger.beside_held(admitted, held_ids);
  end if;
end
$$;
comment on function messenger.admitted_to_groups(text, bigint[], text[], text[], tid[]) is
  'Part of a claim: those of the candidates whose turn it is in their groups, and which messages of these groups the claim has already.';

create function messenger.refused_groups(
  p_ids bigint[], p_keys text[], p_group_keys text[], p_admitted bigint[]
) returns text[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select distinct c.key
    from unnest(p_ids, p_keys) as c (id, key)
    join unnest(p_group_keys) as g (key) on g.key = c.key
    left join unnest(p_admitted) as a (id) on a.id = c.id
    where a.id is null
  );
end
$$;
comment on function messenger.refused_groups(bigint[], text[], text[], bigint[]) is
  'Part of a claim: the groups, locked by it, that have a candidate whose turn it is not.';

-- `p_candidates` are locked by the claim, `p_held` are the messages that it has already; both are ctids. Where
-- the claim meets a group out of turn, it blocks the other messages of the group too, some thousand at a time.
create function messenger.admit_groups(
  p_queue text, p_candidates tid[], p_held tid[]
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  -- The candidates in the order of their ctids, and the groups whose locks are free.
  places tid[];
  ids bigint[];
  keys text[];
  group_keys text[];
  turn record;
  refused text[];
begin
  -- An older snapshot may show a message in front that has left its group since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a group are claimed in a read committed transaction only';
  end if;
  select array_agg(m.ctid), array_agg(m.id), array_agg(m.group_key) into places, ids, keys
  from public.messenger_messages m where m.ctid = any (p_candidates);
  group_keys := array(select distinct k from unnest(keys) as k where k is not null);
  group_keys := messenger.try_group_locks(p_queue, group_keys);

  -- Separate statements, because their snapshots have to be taken under the locks.
  turn := messenger.admitted_to_groups(p_queue, ids, keys, group_keys, p_held);
  if cardinality(turn.admitted) = cardinality(p_candidates) then
    return p_candidates;
  end if;
  refused := messenger.refused_groups(ids, keys, group_keys, turn.admitted);
  if cardinality(refused) > 0 then
    perform messenger.block_groups(p_queue, refused, ids, turn.held_ids);
  end if;
  return array(
    select c.place
    from unnest(p_candidates) with ordinality as c (place, position)
    join unnest(places, ids, keys) as m (place, id, key) on m.place = c.place
    left join unnest(turn.admitted) as a (id) on a.id = m.id
    where m.key is null or a.id is not null
    order by c.position
  );
end
$$;
comment on function messenger.admit_groups(text, tid[], tid[]) is
  'Part of a claim: those of the locked messages that are in no group, or whose turn it is in theirs. Blocks the others.';

-- In strict order a candidate may start if no message of its group runs or comes before it. This check costs half as
-- much as reading the fronts of the groups, and one search for the running messages of all groups costs half as much
-- as one search for each group.
create function messenger.first_of_groups(
  p_queue text, p_ids bigint[], p_keys text[], p_group_keys text[]
) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  running text[] := array(
    select distinct r.group_key from public.messenger_messages r
    where r.queue = p_queue
      and r.group_key = any (p_group_keys) and r.heartbeated
  );
begin
  return array(
    select c.id
    from (
      select g.group_key, min(l.id) as id
      from unnest(p_ids, p_keys) as l (id, key)
      join (
        select unnest(p_group_keys) except select unnest(running)
      ) as g (group_key) on g.group_key = l.key
      group by g.group_key
    ) as c
    where not exists (
      select from public.messenger_messages e
      where e.queue = p_queue and e.group_key = c.group_key and e.id < c.id
        and not e.heartbeated and e.status = 'pending'
      -- One index search for each group, however many messages wait.
      offset 0
    )
  );
end
$$;
comment on function messenger.first_of_groups(text, bigint[], text[], text[]) is
  'Part of a claim, for queues whose groups run one message at a time: those of the candidates that are the first of their group, where none of it runs.';

-- Rare, and never the way of many.
create function messenger.beside_held(p_admitted bigint[], p_held bigint[])
returns bigint[]
language sql
set search_path = ''
as $$
  select coalesce(array_agg(a.id), '{}')
  from (
    select m.id, m.queue, m.group_key, row_number() over (
      partition by m.queue, m.group_key order by m.id = any (p_held) desc, m.id
    ) as place
    from public.messenger_messages m where m.id = any (p_admitted || p_held)
  ) as a
  where a.id = any (p_admitted) and a.place <= coalesce(
    (select q.group_concurrency from public.messenger_queues q where q.name = a.queue), 1
  ) - (
    select count(*) from public.messenger_messages r
    where r.queue = a.queue and r.group_key = a.group_key and r.heartbeated
  )
$$;
comment on function messenger.beside_held(bigint[], bigint[]) is
  'Part of a claim: those of the admitted messages for which there is room in their groups beside the messages that the claim has already.';

-- `p_met` are messages of these groups, and maybe others, that a claim has met out of turn; the fronts of the
-- groups stay as they are, and so do those in `p_kept`, which the claim has already. The messages behind the
-- first that was met, written since, are read 2,000 at a time.
create function messenger.block_groups(
  p_queue text, p_group_keys text[], p_met bigint[], p_kept bigint[]
) returns void
language plpgsql
set search_path = ''
as $$
declare
  first_met constant bigint := (select min(m) from unnest(p_met) as m);
  behind bigint[];
begin
  behind := array(
    select m.id from unnest(p_group_keys) as g (group_key)
    cross join lateral (
      -- As in messenger.group_fronts: the order begins with the queue.
      select b.id from public.messenger_messages b
      where b.queue = any (array[p_queue]) and b.group_key = g.group_key
        and b.id >= first_met and not b.heartbeated and b.status = 'pending'
      order by b.queue, b.id limit 2000
    ) as m
    limit 2000
  );
  behind := array(
    select unnest(behind)
    except select unnest(p_kept)
    except select f.id from messenger.group_fronts(
      array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
    ) as f
  );
  behind := array(
    select b.id from public.messenger_messages b
    where b.id = any (behind) and not b.blocked
    for update skip locked
  );
  update public.messenger_messages m set blocked = true where m.id = any (behind);
  perform messenger.reopen_groups(
    array_fill(p_queue, array[cardinality(p_group_keys)]), p_group_keys
  );
end
$$;
comment on function messenger.block_groups(text, text[], bigint[], bigint[]) is
  'Part of a claim, under the groups'' locks: blocks messages of these groups from the first on that was met, some 2,000 of them, but none of those that are kept.';

-- The locks are taken in one order, and before anything else that waits, so that two calls never wait for
-- each other.
create function messenger.take_group_locks(p_queues text[], p_group_keys text[])
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(l.lock_key)
  from (
    select distinct g.lock_key
    from messenger.group_locks(p_queues, p_group_keys) as g
    order by 1
  ) as l;
end
$$;
comment on function messenger.take_group_locks(text[], text[]) is
  'Waits for the locks of groups, and holds them until the end of the transaction.';

-- A message that waits may be moved to another group before its group's lock is there: the groups are read
-- once more under their locks. One that runs keeps its group: see messenger.keep_group().
create function messenger.lock_groups(
  p_ids bigint[], p_running boolean default false, out queues text[], out group_keys text[]
)
language plpgsql
set search_path = ''
as $$
declare
  before text[];
begin
  loop
    select coalesce(array_agg(g.queue), '{}'), coalesce(array_agg(g.group_key), '{}')
    into queues, group_keys
    from (
      select distinct m.queue, m.group_key from public.messenger_messages m
      where m.id = any (p_ids) and m.group_key is not null
      order by 1, 2
    ) as g;
    exit when before = queues || group_keys;
    before := queues || group_keys;
    perform messenger.take_group_locks(queues, group_keys);
    exit when p_running;
  end loop;
end
$$;
comment on function messenger.lock_groups(bigint[], boolean) is
  'Takes the locks of these messages'' groups and returns the groups, each once. "running" says that all of them run.';

-- ==================== 16_limits.sql

-- Limits of a queue over all ticks: how many of its messages are leased at once, and how many are
-- started in a period. Nothing is counted that could leak: what runs is what holds a live lease, and
-- what was started is a grant that passes with its period.

create table messenger.start_grants (
  queue text not null,
  starts_by timestamptz not null,
  messages integer not null,
  primary key (queue, starts_by)
);

comment on table messenger.start_grants is
  'Starts that claims have granted to queues with a rate limit, until they pass out of the period.';
comment on column messenger.start_grants.queue is
  'Queue whose rate they count against.';
comment on column messenger.start_grants.starts_by is
  'The last of them was started by this moment; they count until a period later.';
comment on column messenger.start_grants.messages is
  'How many messages were granted.';

alter table messenger.start_grants enable row level security;

create function messenger.queue_lock(p_queue text) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select pg_catalog.hashtextextended('symphony_messenger.queue', 0)
    + (pg_catalog.hashtextextended(p_queue, 0) & 1023)
$$;
comment on function messenger.queue_lock(text) is
  'The advisory lock under which claims share out the room of a queue with limits: one of 1,024, for a claim may look at any number of queues.';

-- When the limits let the next message of a queue start; null where they do already.
create function messenger.queue_opens_at(p_queue text) returns timestamptz
language sql volatile
set search_path = ''
as $$
  select greatest(
    -- The lease whose end makes room, counted from the last one.
    (
      select l.leased_until from public.messenger_messages l
      where q.concurrency is not null and l.queue = q.name and l.heartbeated
        and l.leased_until > public.messenger_now()
      order by l.leased_until desc offset q.concurrency - 1 limit 1
    ),
    -- The grant that is too many, counted from the last one.
    (
      select g.starts_by + q.rate_period_ms * interval '1 millisecond'
      from (
        select r.starts_by, sum(r.messages) over (order by r.starts_by desc) as later
        from messenger.start_grants r
        where q.rate_limit is not null and r.queue = q.name
          and r.starts_by > public.messenger_now() - q.rate_period_ms * interval '1 millisecond'
      ) as g
      where g.later >= q.rate_limit
      order by g.starts_by desc limit 1
    )
  )
  from public.messenger_queues q
  where q.name = p_queue
    and (q.concurrency is not null or q.rate_limit is not null)
$$;
comment on function messenger.queue_opens_at(text) is
  'When the limits of a queue let its next message start, at the latest; null where they do already.';

-- The lock is held until the claim has committed, so that the next claim sees which messages this one has leased.
create function messenger.queue_room(p_queue text, p_slots integer default null)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  limits public.messenger_queues;
  room integer;
begin
  select q.* into limits from public.messenger_queues q where q.name = p_queue;
  if limits.concurrency is null and limits.rate_limit is null then
    return null;
  end if;
  -- An older snapshot may not show what the last claim has leased.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise sqlstate 'PT409' using
      message = 'messages of a queue with limits are claimed in a read committed transaction only';
  end if;
  if not pg_try_advisory_xact_lock(messenger.queue_lock(p_queue)) then
    return 0;
  end if;
  if limits.concurrency is not null then
    room := limits.concurrency - (
      select count(*)
      from (
        select from public.messenger_messages m
        where m.queue = limits.name and m.heartbeated and m.leased_until > clock
        limit limits.concurrency
      ) as live
    );
  end if;
  if limits.rate_limit is not null then
    room := least(room, p_slots, limits.rate_limit - coalesce((
      select sum(g.messages)::integer from messenger.start_grants g
      where g.queue = limits.name
        and g.starts_by > clock - limits.rate_period_ms * interval '1 millisecond'
    ), 0));
  end if;
  return greatest(room, 0);
end
$$;
comment on function messenger.queue_room(text, integer) is
  'Part of a claim: how many messages the limits of a queue allow it, at most `p_slots` where a rate is limited; 0 while another claim shares out the room, null where the queue has no limits.';

-- Messages that already run count as well. Messages that a claim takes meanwhile count from their first
-- heartbeat on.
create function messenger.count_running() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_messages m set heartbeated = true
  where m.id = any (array(select unnest(l.ids) from messenger.leases l))
    and m.queue = new.name and m.status = 'processing' and not m.heartbeated;
  return null;
end
$$;
comment on function messenger.count_running() is
  'Trigger: a queue was given a concurrency; what runs of it takes its places.';

create trigger messenger_queues_running
  after update on public.messenger_queues
  for each row when (old.concurrency is null and new.concurrency is not null)
  execute function messenger.count_running();

-- A start may come `p_start_window_ms` after its claim, so a grant counts for that much longer than a
-- period. Grants are kept in hundredths of the period, rounded up: a queue has about a hundred.
create function messenger.grant_starts(
  p_queue text, p_messages integer, p_start_window_ms integer
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  period interval;
begin
  select q.rate_period_ms * interval '1 millisecond' into period
  from public.messenger_queues q
  where q.name = p_queue and q.rate_limit is not null;
  if period is null or p_messages = 0 then
    return 0;
  end if;
  delete from messenger.start_grants g
  where g.queue = p_queue and g.starts_by <= clock - period;
  insert into messenger.start_grants as known (queue, starts_by, messages)
  values (
    p_queue,
    date_bin(period / 100, clock + p_start_window_ms * interval '1 millisecond', 'epoch') + period / 100,
    p_messages
  )
  on conflict on constraint start_grants_pkey
  do update set messages = known.messages + excluded.messages;
  return p_messages;
end
$$;
comment on function messenger.grant_starts(text, integer, integer) is
  'Part of a claim: counts messages against the rate of their queue, and returns how many it counted; 0 if the queue has no rate.';

-- ==================== 17_due.sql

-- Due messages: the ones that a claim may take, locked in the order in which it takes them.

-- A place in the order of a claim within one queue.
create type messenger.claim_key as (priority smallint, available_at timestamptz, id bigint);
comment on type messenger.claim_key is
  'A place in the order of a claim within one queue: that of a message, or in front of one.';

-- The last message of the latest large claim, whether that claim is committed or not: a sequence is the one thing
-- that a transaction shows to others before its end. It is a hint, about one queue at a time.
create sequence messenger.claim_hint
  minvalue -9223372036854775808 maxvalue 9223372036854775807 start 1;
comment on sequence messenger.claim_hint is
  'Id of the last message of the latest large claim, committed or not: others continue behind it, instead of passing over its locked rows one by one.';

-- The place in front of the first ready message of a queue, or of its priorities below `p_below`, whether or not that
-- message is due.
create function messenger.front_key(p_queue text, p_below integer default 32768)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  front messenger.claim_key;
begin
  select m.priority, m.available_at, m.id - 1 into front
  from messenger.ready_messages m
  where m.queue = p_queue and m.priority < p_below
  order by m.priority desc, m.available_at, m.id limit 1;
  return front;
end
$$;
comment on function messenger.front_key(text, integer) is
  'Part of a claim: the place in front of the first ready message of a queue, or of its priorities below one; null where none is ready.';

-- The queues that hold due messages, paused ones among them. It walks through the claim's index from the first
-- message of a queue to the first one of the next. So its cost depends on the number of these queues, and neither
-- on messenger_queues nor on the number of messages. Of a queue whose first message is of the future, it reads one
-- message of each priority.
--
-- A queue in `p_last_keys` is returned without a search for its first message: its first messages are gone, and many
-- of their rows may still wait for vacuum. `first_key` is the place in front of the first due message.
create function messenger.due_queues(
  p_queues text[] default null, p_last_keys jsonb default '{}'
) returns table (queue text, first_key jsonb)
language plpgsql
rows 10
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- The queues to look at; where all are wanted, the ends of the stretches to look at, null for the last.
  names text[] := array(select jsonb_object_keys(p_last_keys));
  name text;
  behind text := '';
  front messenger.claim_key;
begin
  if p_queues is not null then
    return query select k, null::jsonb from unnest(names) as k
    where array_position(p_queues, k) is not null;
    names := array(select distinct q from unnest(p_queues) as q where not p_last_keys ? q);
  else
    return query select k, null::jsonb from unnest(names) as k;
    names := array(select k from unnest(names) as k order by k) || null::text;
  end if;

  foreach name in array names loop
    loop
      -- The planner has to see the bounds of the index, so each kind of stretch has a statement.
      if p_queues is not null then
        queue := name;
        front := messenger.front_key(name);
      elsif name is not null then
        select m.queue, m.priority, m.available_at, m.id - 1
        into queue, front.priority, front.available_at, front.id
        from messenger.ready_messages m where m.queue > behind and m.queue < name
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      else
        select m.queue, m.priority, m.available_at, m.id - 1
        into queue, front.priority, front.available_at, front.id
        from messenger.ready_messages m where m.queue > behind
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      end if;
      exit when front.id is null;
      while front.available_at > clock loop
        front := messenger.front_key(queue, front.priority);
      end loop;
      if front.id is not null then
        first_key := jsonb_build_array(front.priority, front.available_at, front.id);
        return next;
      end if;
      exit when p_queues is not null;
      behind := queue;
    end loop;
    behind := name;
  end loop;
end
$$;
comment on function messenger.due_queues(text[], jsonb) is
  'Part of a claim: the queues that have due messages, of these or of all, each with a key in front of its first due message; a queue that p_last_keys names comes without a key.';

-- A large claim with a key starts behind the front of the other claims under way, and so passes none of their
-- locked rows. The next head scan finds the messages that those claims leave behind, and the messages that come
-- before a key.
create function messenger.behind_hint(p_queue text, p_behind messenger.claim_key)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  front messenger.claim_key;
begin
  select m.priority, m.available_at, m.id into front
  from public.messenger_messages m
  where m.id = (select f.last_value from messenger.claim_hint f)
    and m.queue = p_queue and m.available_at <= public.messenger_now()
    and (
      m.priority < p_behind.priority
      or m.priority = p_behind.priority and (m.available_at, m.id) > (p_behind.available_at, p_behind.id)
    );
  return case when found then front else p_behind end;
end
$$;
comment on function messenger.behind_hint(text, messenger.claim_key) is
  'Part of a claim: the place of the message that messenger.claim_hint names, if it is due in this queue and behind the given place; else the given place.';

-- Where messenger.lock_due continues: behind the last candidate, if it got all that it asked for; else with the
-- priorities below.
create function messenger.next_key(p_queue text, p_priority smallint, p_last_candidate tid)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  last messenger.claim_key;
begin
  if p_last_candidate is null then
    return messenger.front_key(p_queue, p_priority);
  end if;
  select m.priority, m.available_at, m.id into last
  from public.messenger_messages m where m.ctid = p_last_candidate;
  return last;
end
$$;
comment on function messenger.next_key(text, smallint, tid) is
  'Part of a claim: the place of the last candidate, if one is given; else in front of the first ready message of the priorities below.';

-- Locks up to `p_max_messages` due messages of one queue, in the order priority, due time, id. It walks priority by
-- priority, so that messages of the future, however many, are never read. With `p_last_key`
-- it continues behind that key: rows deleted before it are not read again, which keeps a drain fast while
-- a long transaction holds back vacuum. `p_first_key` is where the queue's first due message is, if that is
-- known. `p_held` are the messages that the claim has already.
--
-- `others` are the transactions under way. The xmax of a row is the transaction that has locked it. A claim compares
-- xmax with `others` to pass over a locked row, which costs half of what `skip locked` needs to try the lock, or less.
-- `skip locked` finds the rows that were locked after `others` was read.
--
-- Even so, each row that another claim has just locked costs 1 us. So a large claim starts behind
-- messenger.claim_hint, where the latest large claim ended. Four workers drained a tenth more when this was measured.
-- A head scan, at most once a second, finds messages that another claim left behind.
--
-- A claim names the rows that it has locked by ctid, their place in the table: no other session moves a locked row.
-- So the claim's update needs no second walk through the primary key, which would cost 1 us a message.
create function messenger.lock_due(
  p_queue text, p_max_messages integer, p_last_key jsonb default null, p_held tid[] default '{}',
  p_first_key jsonb default null
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  is_large constant boolean := p_max_messages >= 100;
  from_key constant jsonb := coalesce(p_last_key, p_first_key);
  behind messenger.claim_key := row(
    (from_key ->> 0)::smallint, (from_key ->> 1)::timestamptz, (from_key ->> 2)::bigint
  );
  locked tid[] := array[]::tid[];
  candidates tid[];
  grouped boolean;
  asked integer;
  rounds integer := 0;
  others constant xid[] := array(select pg_snapshot_xip(pg_current_snapshot())::xid);
begin
  -- Each priority is read from its first message on, so that dead rows in front of that message are read only once.
  if behind.priority is null then
    behind := messenger.front_key(p_queue);
  end if;
  if is_large and p_last_key is not null then
    behind := messenger.behind_hint(p_queue, behind);
  end if;

  while behind.priority is not null loop
    asked := p_max_messages - cardinality(locked);
    select array_agg(c.ctid), bool_or(c.group_key is not null) into candidates, grouped
    from (
      select m.ctid, m.group_key from messenger.ready_messages m
      where m.queue = p_queue and m.priority = behind.priority and m.available_at <= clock
        and (m.available_at, m.id) > (behind.available_at, behind.id)
        and (m.xmax = '0' or m.xmax <> all (others))
      order by m.available_at, m.id limit asked
      for update skip locked
    ) as c;
    if grouped then
      locked := locked || messenger.admit_groups(p_queue, candidates, p_held || locked);
      rounds := rounds + 1;
      -- Bounded: a long group that has only just been blocked could need many rounds.
      exit when rounds = 5;
    else
      locked := locked || candidates;
    end if;
    exit when cardinality(locked) >= p_max_messages;
    behind := messenger.next_key(p_queue, behind.priority, candidates[asked]);
  end loop;

  if is_large and cardinality(locked) = p_max_messages then
    perform setval('messenger.claim_hint', m.id)
    from public.messenger_messages m where m.ctid = locked[p_max_messages];
  end if;
  return locked;
end
$$;
comment on function messenger.lock_due(text, integer, jsonb, tid[], jsonb) is
  'Part of a claim: locks due messages of one queue in claim order, behind a key if one is given, and returns their ctids.';

-- ==================== 18_quarantined_and_expired.sql

-- Messages that a claim takes besides due ones in order: one quarantined message, and messages past their
-- time to live. And how many bytes a claim may hand out.

-- Bytes that a stored value takes when it is read. The header of an uncompressed value has its size. A compressed
-- value may be a hundred times as long as its stored form, so it is decompressed: `#> '{}'` does that and no more.
create function messenger.stored_bytes(p_value jsonb) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select case
    when p_value is null then 0
    when pg_column_compression(p_value) is null then pg_column_size(p_value)
    else pg_column_size(p_value #> '{}')
  end
$$;
comment on function messenger.stored_bytes(jsonb) is
  'Bytes of a stored JSON value, uncompressed; 0 for null.';

-- How many of these locked messages, from the first on, have together at most `p_max_bytes`. With `p_at_least_one`
-- the first one always fits. `oversized` names the messages that no worker can take. They count no bytes, because a
-- claim hands them out without their payload.
create function messenger.fit_bytes(
  p_candidates tid[], p_max_bytes bigint, p_at_least_one boolean,
  out fitting integer, out bytes bigint, out oversized tid[]
)
language plpgsql
set search_path = ''
as $$
declare
  -- Twice what may be written: only a write that bypassed the check makes a message this large.
  too_many constant bigint := 16777216;
  -- No compression that Postgres has makes values this many times smaller.
  strongest_compression constant integer := 256;
  candidate tid;
  size bigint;
begin
  oversized := '{}';
  fitting := cardinality(p_candidates);
  -- Nearly always the upper bound is small, and no value has to be decompressed.
  select coalesce(sum(
    case
      when pg_column_compression(m.payload) is null then pg_column_size(m.payload)
      else pg_column_size(m.payload) * strongest_compression
    end
      + coalesce(pg_column_size(m.stamps) * strongest_compression, 0)
  ), 0)
  into bytes from public.messenger_messages m where m.ctid = any (p_candidates);
  if bytes <= p_max_bytes / 16 then
    return;
  end if;

  bytes := 0;
  fitting := 0;
  foreach candidate in array p_candidates loop
    select messenger.stored_bytes(m.payload) + messenger.stored_bytes(m.stamps)
    into size from public.messenger_messages m where m.ctid = candidate;
    if size > too_many then
      oversized := oversized || candidate;
    elsif bytes + size > p_max_bytes and not (p_at_least_one and bytes = 0) then
      exit;
    else
      bytes := bytes + size;
    end if;
    fitting := fitting + 1;
  end loop;
end
$$;
comment on function messenger.fit_bytes(tid[], bigint, boolean) is
  'Part of a claim: how many of the locked messages fit into p_max_bytes, the size of these or an upper bound of it, and which of them no worker can take.';

-- Locks one quarantined message.
create function messenger.lock_quarantined(
  p_queues text[] default null, p_slots integer default null
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  candidate record;
begin
  for candidate in
    select m.ctid, m.queue, m.group_key from messenger.quarantined_messages m
    where m.available_at <= public.messenger_now()
      and messenger.is_open(m.queue, p_queues)
      and messenger.queue_opens_at(m.queue) is null
    order by m.available_at, m.id
    limit 10
    for update skip locked
  loop
    continue when candidate.group_key is not null and cardinality(
      messenger.admit_groups(candidate.queue, array[candidate.ctid], '{}')
    ) = 0;
    -- The limits come last, because room that this claim takes and does not use is kept from other claims.
    continue when messenger.queue_room(candidate.queue, p_slots) = 0;
    return array[candidate.ctid];
  end loop;
  return array[]::tid[];
end
$$;
comment on function messenger.lock_quarantined(text[], integer) is
  'Part of a claim: locks one message of these queues, or of all, that has to run alone and that groups and limits let start, and returns where it lies.';

-- Locks up to `p_max_messages` pending messages of these queues, or of all, that are older than their ttl, as many as
-- fit into `p_max_bytes`; null sets no limit of bytes. These messages do not run, so neither a pause nor a limit nor
-- quarantine holds them back. It passes over at most 10,000 expired messages of other queues.
create function messenger.lock_past_ttl(
  p_queues text[], p_max_messages integer, p_max_bytes bigint,
  out locked tid[], out bytes bigint, out oversized tid[]
)
language plpgsql
set search_path = ''
as $$
declare
  fit record;
begin
  bytes := 0;
  oversized := '{}';
  locked := array(
    select m.ctid from public.messenger_messages m
    where m.id = any (array(
        select e.id
        from (
          select x.id, x.queue from public.messenger_messages x
          where x.expires_at <= public.messenger_now() and x.status = 'pending'
            and not x.blocked and not x.heartbeated
          order by x.expires_at limit 10000
        ) as e
        where p_queues is null or e.queue = any (p_queues)
        limit p_max_messages
      ))
      and m.expires_at <= public.messenger_now() and m.status = 'pending' and not m.blocked
    for update skip locked
  );
  -- A message that is blocked behind another of its group stays blocked.
  if exists (
    select from public.messenger_messages m where m.ctid = any (locked) and m.group_key is not null
  ) then
    locked := array(
      select m.ctid from public.messenger_messages m
      where m.ctid = any (locked) and (
        m.group_key is null
        or cardinality(messenger.admit_groups(m.queue, array[m.ctid], '{}')) > 0
      )
    );
  end if;
  if cardinality(locked) > 0 and p_max_bytes is not null then
    fit := messenger.fit_bytes(locked, p_max_bytes, true);
    locked := locked[1:fit.fitting];
    bytes := fit.bytes;
    oversized := fit.oversized;
  end if;
end
$$;
comment on function messenger.lock_past_ttl(text[], integer, bigint) is
  'Part of a claim: locks messages that are older than their ttl, whatever else holds them back, and returns where they lie, their bytes, and which of them no worker can take.';

-- ==================== 19_next_due.sql

-- When the next pending message of these queues, or of all, may start; null if none waits.
--
-- In plpgsql, because planning takes 250 us and running 15: each call would plan a function in language SQL again, and
-- so would a plan made for the queues of each call.
create function messenger.next_due(p_queues text[] default null) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  -- From the first message of a priority of a queue to that of the next, as messenger.due_queues does. Not
  -- min(): without statistics that may be planned as a read of every row.
  return (
    with recursive fronts as (
      (
        select q.queue, f.priority, f.due_at
        from unnest(p_queues) as q (queue)
        cross join lateral (
          select m.priority, m.available_at as due_at from messenger.ready_messages m
          where m.queue = q.queue
          order by m.priority desc, m.available_at limit 1
        ) as f
        union all
        (
          select m.queue, m.priority, m.available_at from messenger.ready_messages m
          where p_queues is null
          order by m.queue, m.priority desc, m.available_at limit 1
        )
      )
      union all
      select f.queue, f.priority, f.due_at
      from fronts r
      cross join lateral (
        (
          select m.queue, m.priority, m.available_at as due_at from messenger.ready_messages m
          where m.queue = r.queue and m.priority < r.priority
          order by m.priority desc, m.available_at limit 1
        )
        union all
        (
          select m.queue, m.priority, m.available_at from messenger.ready_messages m
          where p_queues is null and m.queue > r.queue
          order by m.queue, m.priority desc, m.available_at limit 1
        )
        limit 1
      ) as f
    ),
    due as (
      select f.queue, f.due_at from fronts f
      union all
      select m.queue, m.available_at from messenger.quarantined_messages m
      where p_queues is null or m.queue = any (p_queues)
    ),
    next as materialized (
      select d.queue, min(d.due_at) as due_at from due d group by d.queue
    )
    select min(
      case when q.concurrency is null and q.rate_limit is null then n.due_at
        else greatest(n.due_at, messenger.queue_opens_at(q.name)) end
    )
    from next n left join public.messenger_queues q on q.name = n.queue
    where q.paused is not true and (p_queues is not null or q.runs_on is distinct from 'worker')
  );
end
$$;
comment on function messenger.next_due(text[]) is
  'When the next pending message of these queues, or of all, falls due and their limits let it start; null where none waits. Paused queues do not count, nor without names those that run in workers.';

-- ==================== 20_claim_parts.sql

-- Parts of a claim that are rare: the refusal of its arguments, a repeated call, the sweep, and one message that
-- runs alone. Each part that locks messages returns one row of the type messenger.locked_messages.

create type messenger.locked_messages as (
  locked tid[],
  bytes bigint,
  oversized tid[],
  more boolean,
  last_keys jsonb,
  room integer,
  queues text[],
  counted text[],
  rated text[],
  leases jsonb,
  lock_ms double precision
);
comment on type messenger.locked_messages is
  'Messages that a part of a claim has locked, and the settings of their queues.';
comment on column messenger.locked_messages.locked is
  'Ctids of the messages.';
comment on column messenger.locked_messages.bytes is
  'Bytes of the messages, or an upper bound.';
comment on column messenger.locked_messages.oversized is
  'Ctids of the messages that no worker can take.';
comment on column messenger.locked_messages.more is
  'The limit of bytes ended the claim, and there may be more messages.';
comment on column messenger.locked_messages.last_keys is
  'Where the next claim starts in each queue.';
comment on column messenger.locked_messages.room is
  'How many messages the claim may still take.';
comment on column messenger.locked_messages.queues is
  'Queues of the messages, perhaps with further queues; null if they have to be read from the messages.';
comment on column messenger.locked_messages.counted is
  'Queues with a concurrency: their running messages are counted.';
comment on column messenger.locked_messages.rated is
  'Queues with a rate.';
comment on column messenger.locked_messages.leases is
  'Queues with leases of their own, and how long these last, in ms.';
comment on column messenger.locked_messages.lock_ms is
  'How long it took to find and lock due messages, in ms.';

create function messenger.refuse_claim(
  p_token uuid, p_max_messages integer, p_lease_ms integer, p_slots integer, p_start_within_ms integer,
  p_max_bytes bigint
) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT400' using message = case
    when p_token is null then 'token: is required'
    when (p_max_messages between 0 and 10000) is not true then 'max_messages: has to be from 0 to 10000'
    when (p_lease_ms between 1 and 86400000) is not true then 'lease_ms: has to be from 1 to 86400000'
    when p_slots < 0 then 'slots: has to be zero or more'
    when (p_start_within_ms between 1 and 60000) is not true then 'start_within_ms: has to be from 1 to 60000'
    when (p_max_bytes >= 0) is not true then 'max_bytes: has to be zero or more'
    else 'arguments: have a value that a claim does not take'
  end;
end
$$;
comment on function messenger.refuse_claim(uuid, integer, integer, integer, integer, bigint) is
  'Part of a claim that was given a wrong argument: raises the error that names it.';

create function messenger.locked_others(
  p_locked tid[], p_last_keys jsonb, p_bytes bigint default 0, p_oversized tid[] default '{}'
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  claim messenger.locked_messages;
begin
  claim.locked := p_locked;
  claim.bytes := p_bytes;
  claim.oversized := p_oversized;
  claim.more := false;
  claim.last_keys := p_last_keys;
  claim.lock_ms := 0;
  select coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
    coalesce(array_agg(q.name) filter (where q.rate_limit is not null), '{}'),
    coalesce(jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}')
  into claim.counted, claim.rated, claim.leases
  from public.messenger_queues q
  where q.name = any (array(
    select m.queue from public.messenger_messages m where m.ctid = any (p_locked)
  ));
  return claim;
end
$$;
comment on function messenger.locked_others(tid[], jsonb, bigint, tid[]) is
  'Part of a claim: locked messages that are not the due ones of its open queues, with the settings of their queues.';

create function messenger.lock_repeated(
  p_token uuid, p_crashed_token uuid, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  locked constant tid[] := array(
    select m.ctid from public.messenger_messages m
    where m.id = any (array(
        select unnest(l.ids) from messenger.leases l where l.token in (p_token, p_crashed_token)
      ))
      and m.lease_token in (p_token, p_crashed_token) and not m.cancelled
    for update
  );
begin
  if cardinality(locked) = 0 then
    return null;
  end if;
  return messenger.locked_others(locked, p_last_keys, p_max_bytes);
end
$$;
comment on function messenger.lock_repeated(uuid, uuid, jsonb, bigint) is
  'Part of a claim that is repeated: locks the messages that it leased the first time, if there are any; null where there are none.';

-- The number is bounded, and each message that is handed out gets a new lease, so that messages that crash every
-- worker never keep back the others.
create function messenger.lock_swept(
  p_queues text[], p_max_messages integer, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  expired tid[];
  past_ttl record;
  claim messenger.locked_messages;
begin
  perform messenger.reopen_noted_groups();
  expired := messenger.lock_expired(p_queues);
  past_ttl := messenger.lock_past_ttl(p_queues, p_max_messages, p_max_bytes);
  if cardinality(expired) > 0 or cardinality(past_ttl.locked) > 0 then
    claim := messenger.locked_others(
      expired || past_ttl.locked, p_last_keys, past_ttl.bytes, past_ttl.oversized
    );
  end if;
  -- A claim may take one message of any size. Beside half of the allowed bytes that would be too much.
  claim.more := coalesce(past_ttl.bytes > p_max_bytes / 2, false);
  claim.room := case when claim.more then 0 else p_max_messages - cardinality(past_ttl.locked) end;
  return claim;
end
$$;
comment on function messenger.lock_swept(text[], integer, jsonb, bigint) is
  'Part of a claim, the sweep: locks messages whose lease ran out or that are older than their ttl, and says for how many others it leaves room.';

create function messenger.lock_alone(
  p_queues text[], p_slots integer, p_start_window_ms integer, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  locked constant tid[] := messenger.lock_quarantined(p_queues, p_slots);
  fit record;
begin
  perform messenger.grant_starts(m.queue, 1, p_start_window_ms)
  from public.messenger_messages m
  where m.ctid = any (locked) and (m.expires_at <= public.messenger_now()) is not true;
  if p_max_bytes is null then
    return messenger.locked_others(locked, p_last_keys);
  end if;
  fit := messenger.fit_bytes(locked, p_max_bytes, true);
  return messenger.locked_others(locked, p_last_keys, fit.bytes, fit.oversized);
end
$$;
comment on function messenger.lock_alone(text[], integer, integer, jsonb, bigint) is
  'Part of a claim that asks for a quarantined message: locks one and counts it against the rate of its queue.';

create function messenger.join_locked(p_swept messenger.locked_messages, p_claim messenger.locked_messages)
returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
begin
  p_claim.locked := p_swept.locked || p_claim.locked;
  p_claim.bytes := p_swept.bytes + p_claim.bytes;
  p_claim.oversized := p_swept.oversized || p_claim.oversized;
  p_claim.more := p_swept.more or p_claim.more;
  p_claim.queues := null;
  p_claim.counted := p_swept.counted || p_claim.counted;
  p_claim.rated := array(select unnest(p_swept.rated) union select unnest(p_claim.rated));
  p_claim.leases := p_swept.leases || p_claim.leases;
  return p_claim;
end
$$;
comment on function messenger.join_locked(messenger.locked_messages, messenger.locked_messages) is
  'Part of a claim: the messages of the sweep and those that the claim has locked beside, as one.';

-- ==================== 20_claim_shares.sql

-- Sharing out a claim: how many messages of each queue it takes, by weight and within limits.

create type messenger.open_queue as (
  name text,
  weight integer,
  first_key jsonb,
  limited boolean,
  rated boolean,
  room integer
);
comment on type messenger.open_queue is
  'A queue of which a claim may take messages.';
comment on column messenger.open_queue.name is
  'Name of the queue.';
comment on column messenger.open_queue.weight is
  'Its share beside the weights of the others.';
comment on column messenger.open_queue.first_key is
  'A key in front of its first due message; null where the claim starts behind its last key.';
comment on column messenger.open_queue.limited is
  'It has limits.';
comment on column messenger.open_queue.rated is
  'It has a rate among them.';
comment on column messenger.open_queue.room is
  'How many messages its limits allow; null where it has none, or was not asked yet.';

-- The queues come in a new random order each time, heavier ones more often first, so that no queue is always the
-- last. `claim` has the settings of the queues, and no messages yet.
create function messenger.open_queues(
  p_queues text[], p_last_keys jsonb,
  out queues messenger.open_queue[], out claim messenger.locked_messages
)
language plpgsql
set search_path = ''
as $$
begin
  claim.locked := '{}';
  claim.bytes := 0;
  claim.oversized := '{}';
  claim.more := false;
  claim.last_keys := p_last_keys;
  select coalesce(array_agg(row(
      q.name, q.weight, q.first_key, q.concurrency is not null or q.rate_limit is not null,
      q.rate_limit is not null, null
    )::messenger.open_queue), '{}'),
    case when count(*) <= 10 then coalesce(array_agg(q.name), '{}') end,
    coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
    coalesce(array_agg(q.name) filter (where q.rate_limit is not null), '{}'),
    coalesce(jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}')
  into queues, claim.queues, claim.counted, claim.rated, claim.leases
  from (
    select d.queue as name, d.first_key, coalesce(o.weight::integer, 1) as weight, o.concurrency,
      o.rate_limit, o.lease_ms
    from messenger.due_queues(p_queues, p_last_keys) d
    left join public.messenger_queues o on o.name = d.queue
    where o.paused is not true and (p_queues is not null or o.runs_on is distinct from 'worker')
    order by ln(1 - random()) / coalesce(o.weight, 1) desc
  ) as q;
end
$$;
comment on function messenger.open_queues(text[], jsonb) is
  'Part of a claim: the queues that have due messages and are not paused, of these or of all but those that run in workers, in a random order by weight.';

-- To find the room of a queue with limits takes a lock, so this is done only if a message waits in the queue.
create function messenger.share_room(p_queue text, p_slots integer) returns integer
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from messenger.ready_messages m where m.queue = p_queue) then
    return messenger.queue_room(p_queue, p_slots);
  end if;
  return 0;
end
$$;
comment on function messenger.share_room(text, integer) is
  'Part of a claim: how many messages the limits of a queue allow it; 0 where none waits.';

-- Expired messages only become dead letters, so they take neither a place nor a start from the others.
create function messenger.use_room(
  p_queue text, p_locked tid[], p_start_window_ms integer, out places integer, out starts integer
)
language plpgsql
set search_path = ''
as $$
begin
  places := (
    select count(*) from public.messenger_messages m
    where m.ctid = any (p_locked) and (m.expires_at <= public.messenger_now()) is not true
  );
  starts := messenger.grant_starts(p_queue, places, p_start_window_ms);
end
$$;
comment on function messenger.use_room(text, tid[], integer) is
  'Part of a claim: how many places of a queue with limits these messages take, and how many starts if it has a rate; it counts the starts.';

-- Locks up to `p_room` due messages of these queues, or of all. Each queue gets its share by weight; what one queue
-- does not use goes to the queues that have more. Queues with a rate give together at most `p_slots`. `p_last_keys`
-- says where the last claim ended in each queue; a queue that comes back short has no key afterwards. Messages that
-- do not fit into `p_max_bytes` stay, and `more` says so; one message comes in any case. Null sets no limit of bytes.
create function messenger.lock_shares(
  p_queues text[], p_room integer, p_slots integer, p_start_window_ms integer, p_last_keys jsonb,
  p_max_bytes bigint default 8388608
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  lock_from constant timestamptz := clock_timestamp();
  opened constant record := messenger.open_queues(p_queues, p_last_keys);
  claim messenger.locked_messages := opened.claim;
  busy messenger.open_queue[] := opened.queues;
  still_busy messenger.open_queue[];
  queue messenger.open_queue;
  share numeric;
  asked integer;
  locked_here tid[];
  fit record;
  used record;
begin
  while p_room > 0 and cardinality(busy) > 0 loop
    still_busy := '{}';
    share := p_room::numeric / (select sum(b.weight) from unnest(busy) as b);
    foreach queue in array busy loop
      exit when p_room = 0;
      if queue.limited and queue.room is null then
        queue.room := messenger.share_room(queue.name, p_slots);
      end if;
      asked := least(p_room, ceil(share * queue.weight), queue.room, case when queue.rated then p_slots end);
      continue when asked <= 0;
      locked_here := messenger.lock_due(queue.name, asked, claim.last_keys -> queue.name, claim.locked, queue.first_key);
      if cardinality(locked_here) > 0 and p_max_bytes is not null then
        fit := messenger.fit_bytes(locked_here, p_max_bytes - claim.bytes, claim.bytes = 0);
        claim.bytes := claim.bytes + fit.bytes;
        claim.oversized := claim.oversized || fit.oversized;
        claim.more := fit.fitting < cardinality(locked_here);
        asked := case when claim.more then fit.fitting else asked end;
        locked_here := locked_here[1:asked];
      end if;
      claim.last_keys := claim.last_keys - queue.name || coalesce((
        select jsonb_build_object(m.queue, jsonb_build_array(m.priority, m.available_at, m.id::text))
        from public.messenger_messages m where m.ctid = locked_here[asked]
      ), '{}');
      if queue.limited then
        used := messenger.use_room(queue.name, locked_here, p_start_window_ms);
        queue.room := queue.room - used.places;
        p_slots := p_slots - used.starts;
      end if;
      if locked_here[asked] is not null then
        still_busy := still_busy || queue;
      end if;
      claim.locked := claim.locked || locked_here;
      p_room := case when claim.more then 0 else p_room - cardinality(locked_here) end;
    end loop;
    busy := still_busy;
  end loop;
  claim.lock_ms := extract(milliseconds from clock_timestamp() - lock_from);
  return claim;
end
$$;
comment on function messenger.lock_shares(text[], integer, integer, integer, jsonb, bigint) is
  'Part of a claim: locks due messages of these queues, or of all, shared out by weight within their limits. Returns them, where it ended in each queue, and whether the bytes ended it.';

-- ==================== 21_claim.sql

-- Claiming: a claim locks due messages of the wanted queues, leases them and hands them out as one JSON. The
-- claims of many sessions are disjoint (SKIP LOCKED), and each has its token.

-- It runs before the messages are leased. A queue with a concurrency may be full afterwards; if it always is, its
-- quarantined messages would never count as due.
create function messenger.claim_context(
  p_claim messenger.locked_messages, p_queues text[], p_lease_ms integer, p_clock timestamptz,
  out lease_ms integer, out oversized text[], out quarantined_due boolean, out next_due_at timestamptz
)
language plpgsql
set search_path = ''
as $$
begin
  select least(p_lease_ms, (
      select min(l.ms::integer) from jsonb_each_text(p_claim.leases) as l (queue, ms)
    )),
    array(
      select m.id::text from public.messenger_messages m where m.ctid = any (p_claim.oversized)
    ),
    exists (
      select from messenger.quarantined_messages m
      where m.available_at <= p_clock and m.ctid <> all (p_claim.locked)
        and messenger.is_open(m.queue, p_queues) and messenger.queue_opens_at(m.queue) is null
    ),
    case when cardinality(p_claim.locked) = 0 then messenger.next_due(p_queues) end
  into lease_ms, oversized, quarantined_due, next_due_at;
end
$$;
comment on function messenger.claim_context(
  messenger.locked_messages, text[], integer, timestamptz
) is
  'Part of a claim: the shortest lease that it gives, the ids of messages that no worker can take, whether a quarantined message is due besides, and when the next message is if the claim has none.';

create function messenger.join_leases(p_known messenger.leases, p_given messenger.leases)
returns messenger.leases
language plpgsql
set search_path = ''
as $$
begin
  p_known.leased_until := least(p_known.leased_until, p_given.leased_until);
  p_known.queues := array(select unnest(p_known.queues) union select unnest(p_given.queues));
  p_known.ids := array(select unnest(p_known.ids) union select unnest(p_given.ids));
  p_known.open := cardinality(p_known.ids);
  return p_known;
end
$$;
comment on function messenger.join_leases(messenger.leases, messenger.leases) is
  'Part of a claim that has the token of an earlier one: the lease of both.';

-- `attempts` counts once for each lease that is given, whatever stands there; a sweep's lease counts when it runs
-- out. The envelopes are json, in arrays: objects of jsonb would be taken apart and written again at every level.
-- One statement leases and notes, because the rows of the update are at hand in it.
create function messenger.lease_locked(
  p_claim messenger.locked_messages, p_token uuid, p_crashed_token uuid, p_lease_ms integer,
  p_unread boolean, p_clock timestamptz, out messages json, out crashed json
)
language plpgsql
set search_path = ''
as $$
begin
  with leased as (
    update public.messenger_messages m
    set status = 'processing',
      attempts = least(m.attempts, 2147483646) + (
        m.status = 'pending'
        or m.lease_token <> p_crashed_token and substr(m.lease_token::text, 15, 1) = '8'
      )::integer,
      lease_token = case
        when p_unread then p_crashed_token
        when m.status = 'pending' and m.ctid <> all (p_claim.oversized) or m.lease_token = p_token then p_token
        else p_crashed_token
      end,
      leased_until = p_clock
        + coalesce((p_claim.leases ->> m.queue)::integer, p_lease_ms) * interval '1 millisecond',
      heartbeated = m.heartbeated or m.group_key is not null
        or m.queue = any (p_claim.counted) and (m.expires_at <= p_clock) is not true,
      dedupe_key = case
        when not m.dedupe_until_started and (m.expires_at <= p_clock) is not true then m.dedupe_key
      end
    where m.ctid = any (p_claim.locked)
    returning m.lease_token, m.leased_until, m.queue, m.priority, m.available_at, m.id,
      json_build_array(
        m.id::text, m.type, case when m.lease_token = p_token then m.payload end, m.queue, m.priority, m.attempts,
        date_part('epoch', m.available_at) * 1000, date_part('epoch', m.created_at) * 1000, m.group_key,
        case when m.expires_at is not null or m.retry_count > 0 or m.stamps is not null or m.quarantined
          or m.snoozes > 0 or m.interruptions > 0
        then json_build_array(
          m.expires_at, coalesce(m.expires_at <= p_clock, false), m.retry_count,
          case when m.lease_token = p_token or pg_column_size(m.stamps) <= 2000 then m.stamps end,
          m.quarantined, m.snoozes, m.interruptions
        ) end
      ) as envelope
  ), noted as (
    insert into messenger.leases as known (token, leased_until, queues, ids, open)
    select l.lease_token, min(l.leased_until),
      coalesce(p_claim.queues, array(select distinct q.queue from leased q)), array_agg(l.id), count(*)
    from leased l group by l.lease_token
    on conflict on constraint leases_pkey do update
    set (leased_until, queues, ids, open) = (
      select j.leased_until, j.queues, j.ids, j.open from messenger.join_leases(known, excluded) as j
    )
  )
  select coalesce(json_agg(e.envelope) filter (where e.lease_token = p_token), '[]'),
    coalesce(json_agg(e.envelope) filter (where e.lease_token <> p_token), '[]') into messages, crashed
  from (select * from leased l order by l.priority desc, l.available_at, l.id) as e;
end
$$;
comment on function messenger.lease_locked(
  messenger.locked_messages, uuid, uuid, integer, boolean, timestamptz
) is
  'Part of a claim: leases the locked messages, counts the attempt, notes the leases, and returns the envelopes of the messages that are given and of those that crashed.';

-- A claim locks, looks around, leases, and hands out. `last_keys` is what the worker's last claim has returned:
-- this claim starts behind it, and makes a head scan of a queue that had come back short. `sweep` also hands out
-- messages whose lease ran out, as crashed; these, and messages that are larger than a worker can take, come
-- without payload. Where a payload can neither be sent nor measured, `unread` hands out all as crashed, and reads
-- none. A sweep also takes messages that are older than their ttl, from queues that are paused or full too, to be
-- buried. `run_alone` asks for one quarantined message. A call whose answer was lost is repeated with the same
-- token and `repeated`, and gives the same messages. Of queues with a rate it takes what the worker starts at
-- once: at most `slots`, within `start_within_ms`.
create function public.messenger_claim(
  token uuid, max_messages integer default 100, lease_ms integer default 60000, queues text[] default null,
  last_keys jsonb default null, run_alone boolean default false, sweep boolean default true,
  repeated boolean default false, slots integer default null, start_within_ms integer default 250,
  max_bytes bigint default 8388608, unread boolean default false
) returns json
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A second token, made from the first, fences the messages that are handed out as crashed. It is a UUID
  -- of version 8: a lease that ran out under such a one was a sweep's, and the next sweep counts it.
  crashed_token constant uuid := overlay(md5(token::text || ' crashed') placing '8' from 13)::uuid;
  keys constant jsonb := coalesce(last_keys, '{}');
  measured_bytes constant bigint := case when not unread then max_bytes end;
  swept messenger.locked_messages;
  claim messenger.locked_messages;
  context record;
  leased record;
begin
  if (token is not null and max_messages between 0 and 10000 and lease_ms between 1 and 86400000
    and (slots < 0) is not true and start_within_ms between 1 and 60000 and max_bytes >= 0) is not true
  then
    perform messenger.refuse_claim(token, max_messages, lease_ms, slots, start_within_ms, max_bytes);
  end if;
  if repeated then
    claim := messenger.lock_repeated(token, crashed_token, keys, max_bytes);
  end if;
  if claim.locked is null then
    if sweep then
      swept := messenger.lock_swept(queues, max_messages, keys, measured_bytes);
      max_messages := swept.room;
    end if;
    if max_messages = 0 then
      claim := messenger.locked_others('{}', keys);
    elsif run_alone then
      claim := messenger.lock_alone(queues, slots, start_within_ms, keys, measured_bytes);
    else
      claim := messenger.lock_shares(
        queues, max_messages, slots, start_within_ms, keys, measured_bytes - coalesce(swept.bytes, 0)
      );
    end if;
    if swept.locked is not null then
      claim := messenger.join_locked(swept, claim);
    end if;
  end if;
  context := messenger.claim_context(claim, queues, lease_ms, clock);
  leased := messenger.lease_locked(claim, token, crashed_token, lease_ms, unread, clock);
  return json_build_object(
    'messages', leased.messages, 'crashed', leased.crashed, 'token', token, 'crashed_token', crashed_token,
    'last_keys', claim.last_keys, 'lease_ms', context.lease_ms, 'lock_ms', claim.lock_ms,
    'bytes', claim.bytes, 'more', claim.more, 'oversized', context.oversized, 'rated', claim.rated,
    'now', clock, 'quarantined_due', context.quarantined_due, 'next_due_at', context.next_due_at
  );
end
$$;
comment on function public.messenger_claim(
  uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean
) is
  'Leases due messages and returns them as one JSON: messages and crashed (their lease ran out), each an array [id, type, payload, queue, priority, attempts, available_at and created_at in ms since 1970, null or [expires_at, expired, retry_count, group_key, stamps, quarantined, snoozes, interruptions]]; crashed ones without payload; oversized (ids of those among them that no worker can take), last_keys for the next claim, quarantined_due, next_due_at, lease_ms (the shortest given), lock_ms (how long it took to find and lock them), bytes (of the messages, or more), more (bytes ended it, and there may be more), rated (queues with a rate).';

-- ==================== 22_settle.sql

-- Settling: the outcomes of leased messages are written in one call and one transaction, each under the token of
-- its claim. A message whose lease has moved on stays as it is, and the call names it as stale. A cancelled
-- message that would run again goes to the dead letters instead, and is named as stale too.
--
-- messenger_settle is the whole path. Each outcome is written by a function of its own, in
-- 22_settle_outcomes.sql.
--
-- A settle call takes its locks in the order of 01_overview.sql: groups, messages, dead letters, leases. One
-- statement over ascending ids locks in their order; a call of several statements locks all its messages first.

-- `settlements` is an array with an entry for each token:
--   token     of the claim
--   grouped   true if one of its messages is in a group
--   groups    [[queue, key]]: all groups of these messages, each once; without it, they are read
--   handled   ids: done, the row is deleted
--   kept      [{id, keep_ms}]: the handled messages that are remembered for a time
--   progressed  ids: the handled messages whose progress was reported
--   released  ids: given back unstarted, and the attempt with it
--   snoozed   [{id, delay_ms, stamps?}]: the handler asked for a later run; the attempt is given back
--   retries   [{id, delay_ms, retry_count, quarantined?, interrupted?, stamps?, errors?}]: the row stays and
--             waits; interrupted: the worker ended before the handlers did; the attempt is given back
--   dead      [{id, reason, stamps?, errors?}]: the row moves to the dead letters
-- Returns {"stale": [ids]}: the messages whose outcome was not written, because another token has their lease or
-- they are cancelled.
create function public.messenger_settle(settlements jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  settlement jsonb;
  ids bigint[];
  settled bigint[] := array[]::bigint[];
  tokens uuid[] := array[]::uuid[];
  numbers integer[] := array[]::integer[];
  queues text[];
  group_keys text[];
begin
  if jsonb_typeof(settlements) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'settlements: has to be an array';
  end if;
  if settlements @> '[{"grouped": true}]' then
    select g.queues, g.group_keys into queues, group_keys
    from messenger.lock_settled_groups(settlements) as g;
    -- The trigger of messenger_messages leaves the groups to the end of this call.
    perform set_config('messenger.groups', 'settled', true);
  end if;
  -- Handled messages under one token take one statement, which locks in order and pays for no lock twice.
  if jsonb_array_length(settlements) > 1 or settlements @? '$[*] ? (
    exists(@.released) || exists(@.snoozed) || exists(@.retries) || exists(@.dead) || exists(@.kept)
  )' then
    perform messenger.lock_settled(settlements);
  end if;
  for settlement in select value from jsonb_array_elements(settlements) loop
    ids := messenger.settle_token(settlement, (settlement ->> 'token')::uuid);
    settled := settled || ids;
    tokens := tokens || (settlement ->> 'token')::uuid;
    numbers := numbers || cardinality(ids);
  end loop;
  perform messenger.close_leases(tokens, numbers);
  if queues is not null then
    perform set_config('messenger.groups', '', true);
    perform messenger.reopen_groups(queues, group_keys);
  end if;
  -- These messages fall due later, and by then perhaps no worker is awake.
  if settlements @? '$[*] ? (exists(@.retries) || exists(@.snoozed) || exists(@.released) || @.grouped == true)'
  then
    perform messenger.wake_for_next();
  end if;
  return jsonb_build_object('stale', messenger.settle_stale(settlements, settled)::text[]);
end
$$;
comment on function public.messenger_settle(jsonb) is
  'Writes the outcomes of leased messages in one transaction: handled, released, snoozed, retries, dead. Returns {"stale": [...]}: messages whose outcome was not written, because another token has their lease or they are cancelled.';

create function messenger.settle_token(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  settled bigint[] := array[]::bigint[];
begin
  if p_fence is null then
    raise sqlstate 'PT400' using message = 'settlements: an entry has no token';
  end if;
  if p_settlement ? 'kept' then
    perform messenger.remember_handled(p_settlement -> 'kept', p_fence);
  end if;
  if p_settlement ? 'handled' then
    settled := messenger.settle_handled(p_settlement, p_fence);
  end if;
  if p_settlement ? 'released' then
    settled := settled || messenger.settle_released(p_settlement, p_fence);
  end if;
  if p_settlement ? 'snoozed' then
    settled := settled || messenger.settle_snoozed(p_settlement, p_fence);
  end if;
  if p_settlement ? 'retries' then
    settled := settled || messenger.settle_retried(p_settlement, p_fence);
  end if;
  if p_settlement ? 'dead' then
    settled := settled || messenger.settle_dead(p_settlement, p_fence);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_token(jsonb, uuid) is
  'Part of messenger_settle: writes the outcomes under one token, and returns the ids of the messages that it settled.';

-- Nearly every call settles all messages that it names. Then it is enough to count the names, which costs a tenth of
-- reading the ids.
create function messenger.settle_stale(p_settlements jsonb, p_settled bigint[])
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  stale bigint[];
begin
  if cardinality(p_settled) = (
    select coalesce(sum(
      coalesce(jsonb_array_length(entry -> 'handled'), 0) + coalesce(jsonb_array_length(entry -> 'released'), 0)
        + coalesce(jsonb_array_length(entry -> 'snoozed'), 0) + coalesce(jsonb_array_length(entry -> 'retries'), 0)
        + coalesce(jsonb_array_length(entry -> 'dead'), 0)
    ), 0)
    from jsonb_array_elements(p_settlements) as s (entry)
  ) then
    return '{}'::bigint[];
  end if;
  stale := array(select unnest(messenger.settled_ids(p_settlements)) except select unnest(p_settled));
  perform messenger.settle_cancelled(p_settlements, stale);
  return stale;
end
$$;
comment on function messenger.settle_stale(jsonb, bigint[]) is
  'Part of messenger_settle: returns the ids that settlements name and that were not settled, and buries the cancelled messages among them.';

-- A cancelled message that was to run again goes to the dead letters, with the stamps and errors of its
-- settlement. Only a stale message can be one, so that other calls do not look for them.
create function messenger.settle_cancelled(p_settlements jsonb, p_ids bigint[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  burials jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'token', m.lease_token,
    'dead', jsonb_build_array(jsonb_build_object(
      'id', m.id, 'reason', 'cancelled',
      'stamps', given.outcome -> 'stamps', 'errors', given.outcome -> 'errors'
    ))
  ))
  into burials
  from public.messenger_messages m
  join jsonb_array_elements(p_settlements) as s (entry) on (entry ->> 'token')::uuid = m.lease_token
  left join lateral jsonb_array_elements(
    coalesce(entry -> 'retries', '[]') || coalesce(entry -> 'snoozed', '[]')
  ) as given (outcome) on (given.outcome ->> 'id')::bigint = m.id
  where m.id = any (p_ids) and m.cancelled;

  if burials is not null then
    perform public.messenger_settle(burials);
  end if;
end
$$;
comment on function messenger.settle_cancelled(jsonb, bigint[]) is
  'Part of messenger_settle: moves cancelled messages that were to run again to the dead letters.';

create function messenger.settled_ids(p_settlements jsonb) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select i.id::bigint
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral (
      select jsonb_array_elements_text(
        coalesce(s.entry -> 'handled', '[]') || coalesce(s.entry -> 'released', '[]')
      )
      union all
      select jsonb_array_elements(
        coalesce(s.entry -> 'snoozed', '[]') || coalesce(s.entry -> 'retries', '[]')
          || coalesce(s.entry -> 'dead', '[]')
      ) ->> 'id'
    ) as i (id)
  );
end
$$;
comment on function messenger.settled_ids(jsonb) is
  'Part of a settle call: the ids of all messages that settlements name.';

-- The statements of a call do not meet its messages in the order of locks, so a call of several statements first
-- locks all its messages.
create function messenger.lock_settled(p_settlements jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := messenger.settled_ids(p_settlements);
begin
  perform from public.messenger_messages m
  where m.id = any (ids)
  order by m.id
  for update;
end
$$;
comment on function messenger.lock_settled(jsonb) is
  'Part of a settle call that takes several statements: locks its messages, ascending by id.';

-- A running message keeps its group, so the worker can name the groups. To read the groups from the messages
-- costs as much as to delete the messages.
create function messenger.lock_settled_groups(
  p_settlements jsonb, out queues text[], out group_keys text[]
)
language plpgsql
set search_path = ''
as $$
begin
  if p_settlements @? '$[*] ? (@.grouped == true && !exists(@.groups))' then
    select g.queues, g.group_keys into queues, group_keys
    from messenger.lock_groups(messenger.settled_ids(p_settlements), p_running => true) as g;
    return;
  end if;
  select coalesce(array_agg(g.queue), '{}'), coalesce(array_agg(g.group_key), '{}')
  into queues, group_keys
  from (
    select distinct p.pair ->> 0 as queue, p.pair ->> 1 as group_key
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral jsonb_array_elements(s.entry -> 'groups') as p (pair)
  ) as g
  where g.queue is not null and g.group_key is not null;
  perform messenger.take_group_locks(queues, group_keys);
end
$$;
comment on function messenger.lock_settled_groups(jsonb) is
  'Part of a settle call: takes the locks of its messages'' groups and returns the groups, each once.';

-- One round trip a batch: settles the last batch and claims the next. It returns a set of one row, which PostgREST
-- passes on as it is, [row]. PostgREST would read through a single value once more to take it out of such brackets,
-- which costs 1.3 us a message.
create function public.messenger_settle_and_claim(
  settlements jsonb,
  token uuid,
  max_messages integer default 100,
  lease_ms integer default 60000,
  queues text[] default null,
  last_keys jsonb default null,
  run_alone boolean default false,
  sweep boolean default true,
  repeated boolean default false,
  slots integer default null,
  start_within_ms integer default 250,
  max_bytes bigint default 8388608,
  unread boolean default false
) returns setof json
language plpgsql
rows 1
set search_path = ''
as $$
declare
  settled constant jsonb := public.messenger_settle(settlements);
  -- A settled message of a group unblocks the next one, which may stand before the last keys.
  keeps_keys constant boolean := not settlements @> '[{"grouped": true}]';
begin
  return next json_build_object('stale', settled -> 'stale', 'claim', public.messenger_claim(
    token, max_messages, lease_ms, queues, case when keeps_keys then last_keys end, run_alone, sweep,
    repeated, slots, start_within_ms, max_bytes, unread
  ));
end
$$;
comment on function public.messenger_settle_and_claim(
  jsonb, uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean
) is
  'messenger_settle and messenger_claim in one call and one transaction: a worker''s one round trip for each batch. Returns one row: {"stale", "claim"}.';

-- ==================== 22_settle_outcomes.sql

-- Outcomes: a function for each. It writes the outcome of the messages of one settlement that are still under its
-- token, and returns their ids. A message whose lease has moved on does not match, and stays as it is.
--
-- The parts are in plpgsql, which keeps their plans for the session. The planner settings of messenger_settle
-- hold in them. Ids come out of the JSON in a subquery or a variable, for a condition would read them for each
-- row.

create function messenger.settle_handled(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := array(select jsonb_array_elements_text(p_settlement -> 'handled')::bigint);
  scheduled_ids bigint[];
  settled bigint[];
begin
  with handled as (
    delete from public.messenger_messages m
    where m.id = any (ids) and m.lease_token = p_fence
    returning m.id, m.stamps ? 'schedule' as scheduled
  )
  select coalesce(array_agg(h.id), '{}'), array_agg(h.id) filter (where h.scheduled)
  into settled, scheduled_ids from handled h;
  if scheduled_ids is not null then
    perform messenger.finish_schedule_runs(scheduled_ids, 'handled');
  end if;
  if p_settlement ? 'progressed' then
    delete from messenger.progress p
    where p.message_id = any (settled) and p.message_id = any (
        array(select jsonb_array_elements_text(p_settlement -> 'progressed')::bigint)
      );
  end if;
  return settled;
end
$$;
comment on function messenger.settle_handled(jsonb, uuid) is
  'Part of messenger_settle: deletes handled messages, and the progress of those that reported it. Returns their ids.';

create function messenger.settle_released(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  settled bigint[];
begin
  with released as (
    update public.messenger_messages m
    set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
      heartbeated = false
    where m.id = any (
        array(select jsonb_array_elements_text(p_settlement -> 'released')::bigint order by 1)
      )
      and m.lease_token = p_fence and not m.cancelled
    returning m.id
  )
  select coalesce(array_agg(r.id), '{}') into settled from released r;
  return settled;
end
$$;
comment on function messenger.settle_released(jsonb, uuid) is
  'Part of messenger_settle: gives back messages that were not started, and the attempt with them. Returns their ids.';

create function messenger.settle_snoozed(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settled bigint[];
begin
  with snoozed as (
    update public.messenger_messages m
    set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
      heartbeated = false, available_at = clock + g.delay_ms * interval '1 millisecond',
      snoozes = m.snoozes + 1, interruptions = 0, stamps = coalesce(g.stamps, m.stamps)
    from jsonb_to_recordset(p_settlement -> 'snoozed') as g (
      id bigint, delay_ms double precision, stamps jsonb
    )
    where m.id = g.id and m.lease_token = p_fence and not m.cancelled
    returning m.id
  )
  select coalesce(array_agg(s.id), '{}') into settled from snoozed s;
  return settled;
end
$$;
comment on function messenger.settle_snoozed(jsonb, uuid) is
  'Part of messenger_settle: lets messages wait whose handlers asked for a later run, and gives back the attempt. Returns their ids.';

create function messenger.settle_retried(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settled bigint[];
begin
  with given_retries as materialized (
    select * from jsonb_to_recordset(p_settlement -> 'retries') as g (
      id bigint, delay_ms double precision, retry_count bigint, quarantined boolean,
      interrupted boolean, stamps jsonb, errors jsonb
    )
  ),
  retried as (
    update public.messenger_messages m
    set status = 'pending', lease_token = null, leased_until = null, heartbeated = false,
      available_at = clock + g.delay_ms * interval '1 millisecond',
      retry_count = least(g.retry_count, 2147483647),
      quarantined = m.quarantined or coalesce(g.quarantined, false),
      attempts = m.attempts - coalesce(g.interrupted, false)::integer,
      interruptions = case when g.interrupted then m.interruptions + 1 else 0 end,
      stamps = coalesce(g.stamps, m.stamps),
      errors = messenger.append_errors(m.errors, g.errors)
    from given_retries g
    where m.id = g.id and m.lease_token = p_fence and not m.cancelled
    returning m.id
  )
  select coalesce(array_agg(r.id), '{}') into settled from retried r;
  return settled;
end
$$;
comment on function messenger.settle_retried(jsonb, uuid) is
  'Part of messenger_settle: lets messages wait for their retry, with their errors. Returns their ids.';

create function messenger.settle_dead(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  scheduled_ids bigint[];
  reasons text[];
  settled bigint[];
begin
  with given_dead as materialized (
    select * from jsonb_to_recordset(p_settlement -> 'dead') as g (
      id bigint, reason text, stamps jsonb, errors jsonb
    )
  ),
  gone as (
    delete from public.messenger_messages m
    using given_dead g
    where m.id = g.id and m.lease_token = p_fence
    returning m.*, g.reason, coalesce(g.stamps, m.stamps) as last_stamps,
      messenger.append_errors(m.errors, g.errors) as all_errors
  ),
  buried as (
    insert into public.messenger_failed_messages (
      id, type, payload, queue, priority, reason, error, errors, retry_count, attempts,
      redriven, group_key, stamps, created_at, failed_at
    )
    select messenger.free_id(g.id), g.type, g.payload, g.queue, g.priority, g.reason,
      g.all_errors -> -1 ->> 'message', g.all_errors, g.retry_count, g.attempts,
      -- A stamp may come from the user's own SQL, so that it may hold anything.
      case
        when g.last_stamps ->> 'redriven' ~ '^[0-9]{1,9}$'
        then (g.last_stamps ->> 'redriven')::integer else 0
      end,
      g.group_key, g.last_stamps, g.created_at, clock
    from gone g
  )
  select coalesce(array_agg(g.id), '{}'),
    array_agg(g.id) filter (where g.last_stamps ? 'schedule'),
    array_agg(g.reason) filter (where g.last_stamps ? 'schedule')
  into settled, scheduled_ids, reasons from gone g;
  if scheduled_ids is not null then
    perform messenger.finish_schedule_runs(scheduled_ids, 'failed', reasons);
  end if;
  return settled;
end
$$;
comment on function messenger.settle_dead(jsonb, uuid) is
  'Part of messenger_settle: moves messages to the dead letters, with their reasons and errors. Returns their ids.';

-- A history has at most 100 entries and some 64 KB: the first error stays, and the latest errors as far as they
-- fit. An entry of more than a quarter of that, which no worker writes, keeps the fields that tell most.
create function messenger.bound_errors(p_errors jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  most constant integer := 65536;
  first jsonb;
  latest jsonb := '[]'::jsonb;
  entry jsonb;
  size integer := 0;
begin
  for entry in
    select case
      when pg_column_size(e.value) <= most / 4 then e.value
      else jsonb_build_object(
        'message', left(coalesce(e.value ->> 'message', e.value::text), 2000),
        'class', left(e.value ->> 'class', 200), 'code', left(e.value ->> 'code', 200),
        'attempt', left(e.value ->> 'attempt', 20), 'at', left(e.value ->> 'at', 40)
      )
    end
    from jsonb_array_elements(p_errors) with ordinality as e (value, position)
    order by e.position = 1 desc, e.position desc
    limit 100
  loop
    size := size + pg_column_size(entry);
    exit when size > most;
    if first is null then
      first := entry;
    else
      latest := jsonb_build_array(entry) || latest;
    end if;
  end loop;
  return jsonb_build_array(first) || latest;
end
$$;
comment on function messenger.bound_errors(jsonb) is
  'Bounds a history: the first error, and as many of the latest as fit into 100 entries and 64 KB.';

-- The column may hold any JSON, for an operator can edit it: a value that is no array counts as one error.
-- Postgres plans a function in SQL at each call that it does not inline, so this one is in plpgsql.
create function messenger.append_errors(p_history jsonb, p_latest jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  errors constant jsonb := case
      when jsonb_typeof(p_history) = 'array' then p_history
      when p_history is null or p_history = 'null' then '[]'
      else jsonb_build_array(p_history)
    end
    || case when jsonb_typeof(p_latest) = 'array' then p_latest else '[]' end;
begin
  if jsonb_array_length(errors) <= 100 and pg_column_size(errors) <= 65536 then
    return errors;
  end if;
  return messenger.bound_errors(errors);
end
$$;
comment on function messenger.append_errors(jsonb, jsonb) is
  'Adds errors to a message''s history and bounds it.';

-- ==================== 23_heartbeat.sql

-- Heartbeats: a worker extends the leases of what it runs, all of them in one call.

-- A locked message is being settled, cancelled or changed at this moment. The heartbeat does not wait for it, but
-- reports it as held and not as lost. The next heartbeat extends its lease.
create function messenger.extend_messages(
  p_leases jsonb, p_lease_ms integer,
  out held text[], out cancelled text[], out earliest timestamptz
)
language plpgsql
set search_path = ''
as $$
begin
  with given as materialized (
    select (lease ->> 'token')::uuid as token, id::bigint as id
    from jsonb_array_elements(p_leases) as l (lease),
      jsonb_array_elements_text(lease -> 'ids') as i (id)
  ),
  held as materialized (
    select m.id from given g join public.messenger_messages m on m.id = g.id
    where m.lease_token = g.token
  ),
  free as materialized (
    select m.id from given g join public.messenger_messages m on m.id = g.id
    where m.lease_token = g.token
    for update of m skip locked
  ),
  extended as (
    update public.messenger_messages m
    set heartbeated = true, leased_until = public.messenger_now() + coalesce(
      (select q.lease_ms from public.messenger_queues q where q.name = m.queue), p_lease_ms
    ) * interval '1 millisecond'
    from free f
    where m.id = f.id
    returning m.id::text, m.cancelled, m.leased_until
  )
  select array(select h.id::text from held h), array_agg(e.id) filter (where e.cancelled),
    min(e.leased_until)
  into held, cancelled, earliest from extended e;
end
$$;
comment on function messenger.extend_messages(jsonb, integer) is
  'Part of messenger_heartbeat: extends the leases of messages. Returns the ids of those that the leases hold, of those among them that are to be stopped, and when the first of the extended leases ends.';

-- Skips lease rows that are locked, so that it never waits. A lease row names a later moment than `p_earliest` if a
-- queue got a shorter lease after the claim.
create function messenger.shorten_leases(p_leases jsonb, p_earliest timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update messenger.leases l set leased_until = p_earliest
  where l.token = any (array(
    select k.token from messenger.leases k
    where k.leased_until > p_earliest and k.token = any (array(
      select (lease ->> 'token')::uuid from jsonb_array_elements(p_leases) as g (lease)
    ))
    for update skip locked
  ));
end
$$;
comment on function messenger.shorten_leases(jsonb, timestamptz) is
  'Part of messenger_heartbeat: lets the sweep look at these leases when the first message''s lease ends.';

-- `leases` is an array of {token, ids}. Returns {"lost": [ids], "cancelled": [ids]}: messages whose lease is
-- another's, and messages that must not run any longer.
create function public.messenger_heartbeat(leases jsonb, lease_ms integer default 60000)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  extended record;
begin
  if jsonb_typeof(leases) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'leases: has to be an array';
  end if;
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;
  select * into extended from messenger.extend_messages(leases, lease_ms);
  perform messenger.shorten_leases(leases, extended.earliest);
  return jsonb_build_object(
    'lost', array(
      select id from jsonb_array_elements(leases) as l (lease),
        jsonb_array_elements_text(lease -> 'ids') as i (id)
      except
      select unnest(extended.held)
    ),
    'cancelled', coalesce(extended.cancelled, '{}')
  );
end
$$;
comment on function public.messenger_heartbeat(jsonb, integer) is
  'Extends the leases of running messages, all of a worker''s in one call. Returns {"lost": [...], "cancelled": [...]}: messages whose lease is another''s by now, and those to be stopped.';

-- ==================== 24_tick_requests.sql

-- Requests for ticks. pg_cron calls messenger_tick() every minute, and messenger_tick() posts to the Edge Function
-- `tick` through pg_net. The function answers at once and continues in the background, because pg_net starts no
-- further request until a whole batch of them has its answers.

create table messenger.tick_requests (
  id bigint primary key,
  asked_at timestamptz not null default clock_timestamp()
);

comment on table messenger.tick_requests is
  'Requests to the tick function of the last hour, so that a health check can find their responses.';
comment on column messenger.tick_requests.id is
  'pg_net''s id of the request, as in net._http_response.';
comment on column messenger.tick_requests.asked_at is
  'When it was asked for.';

alter table messenger.tick_requests enable row level security;

-- The prefix is a function and not a row of a table, because a preview branch and a schema-only clone have the
-- functions of a project and none of its rows. `symphony-messenger init --prefix` writes a migration that replaces
-- this function.
create function messenger.function_prefix() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select ''::text $$;
comment on function messenger.function_prefix() is
  'The beginning of the names of the three Edge Functions: empty, or such as bus- for bus-tick.';

create function messenger.post_tick(p_body jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  request_id bigint;
  url text := (
    select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'symphony_url'
  );
  secret_key text := (
    select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'symphony_secret_key'
  );
begin
  if url is null or secret_key is null then
    raise exception 'messenger_tick: Vault has no secret named %',
        case when url is null then 'symphony_url' else 'symphony_secret_key' end
      using hint = 'Set SYMPHONY_URL and SYMPHONY_SECRET_KEY and run supabase db push, or: select vault.create_secret(''https://<ref>.supabase.co'', ''symphony_url'').';
  end if;

  request_id := net.http_post(
    url := rtrim(url, '/') || '/functions/v1/' || messenger.function_prefix() || 'tick',
    body := p_body,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', secret_key),
    timeout_milliseconds := 5000
  );
  -- After a crash pg_net gives the same ids again, so a row may exist already. The id is null if a trigger of
  -- pg_net's own table took the request: then there is no answer to look for, but the tick was asked for.
  insert into messenger.tick_requests as r (id)
  select request_id where request_id is not null
  on conflict (id) do update set asked_at = excluded.asked_at;
  delete from messenger.tick_requests r
  where r.id = any (array(
    select old.id from messenger.tick_requests old
    where old.asked_at < clock_timestamp() - interval '1 hour'
    order by old.id limit 10 for update skip locked
  ));
  return request_id;
end
$$;
comment on function messenger.post_tick(jsonb) is
  'Posts a body to the tick function through pg_net, when the transaction commits. Returns pg_net''s request id.';

create function public.messenger_tick() returns bigint
language sql
set search_path = ''
as $$ select messenger.post_tick('{"wait":false}') $$;
comment on function public.messenger_tick() is
  'Asks the tick function, through pg_net, to process what is due. pg_cron calls it every minute. Returns pg_net''s request id.';

-- ==================== 25_steps.sql

-- Steps: what an operator does with many rows is done a bounded number at a time, each step in a
-- transaction of its own, so that no call meets its time limit with nothing done.
--
-- Redrive, remove, cancel and run share one rule. A call takes one step: at most 10,000 messages, in
-- about three seconds at most. It returns {"matched", "done", "running", "left", "missing", "next"}:
--   matched   messages of this step that the filter means
--   done      those of them that were changed; none in a dry run
--   running   those of them that a cancel has told to stop
--   left      messages behind this step that the filter means, {"count", "capped"}; it reads the next
--             10,000 rows and no more, so that a capped count is a lower bound
--   missing   ids that were asked for and are not there
--   next      give it as "after" to the next step; null after the last one
-- A step begins behind the last row of the step before, so that it costs what it reads itself.
-- The procedure messenger_in_steps() takes all steps one after the other.

create function messenger.check_filter(p_filter jsonb, p_everything boolean)
returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  given constant jsonb := jsonb_strip_nulls(p_filter);
  field text;
begin
  -- A null argument and one that was left out look the same, so null filters nothing.
  if given = '{}' and p_everything is not true then
    raise sqlstate 'PT400' using
      message = format(
        'filter: give at least one of %s, or "all" => true',
        (
          select string_agg(f.name, ', ') from unnest(
            array['ids', 'type', 'queue', 'reason', 'error', 'failed_from', 'failed_until']
          ) as f (name)
          where p_filter ? f.name
        )
      ),
      hint = 'A filter that is null is none. Whatever is meant for all messages has to say so.';
  end if;
  if given <> '{}' and p_everything then
    raise sqlstate 'PT400' using message = format(
      'all: goes with no other filter (%s was given)',
      (select string_agg(f.name, ', ') from jsonb_object_keys(given) as f (name))
    );
  end if;
  if exists (
    select from jsonb_array_elements(given -> 'ids') as i where jsonb_typeof(i) <> 'number'
  ) then
    raise sqlstate 'PT400' using message = 'ids: have to be a list of ids without null';
  end if;
  select f.key into field from jsonb_each(given) as f where f.value = '""' limit 1;
  if field is not null then
    raise sqlstate 'PT400' using message =
      format('%s: is empty; leave it out, or give a value', field);
  end if;
  return given;
end
$$;
comment on function messenger.check_filter(jsonb, boolean) is
  'Part of a step: leaves out the fields that were not given. Refuses an empty filter, unless "all" says that every message is meant.';

create function messenger.begin_step(
  p_after jsonb, p_max_messages integer, p_dry_run boolean
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if p_max_messages < 1 then
    raise sqlstate 'PT400' using message = 'max_messages: has to be at least 1';
  end if;
  if p_dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  if coalesce(p_after, 'null') = 'null' then
    return jsonb_build_object(
      'at', '-infinity', 'id', '-9223372036854775808', 'matched', 0, 'since', public.messenger_now()
    );
  end if;
  -- The place may have been changed on its way.
  if num_nulls(
    (p_after ->> 'at')::timestamptz, (p_after ->> 'id')::bigint, (p_after ->> 'matched')::integer,
    (p_after ->> 'since')::timestamptz
  ) > 0 then
    raise invalid_parameter_value;
  end if;
  return p_after;
exception
  when data_exception then
    raise sqlstate 'PT400' using message = 'after: has to be the "next" of the step before';
end
$$;
comment on function messenger.begin_step(jsonb, integer, boolean) is
  'Part of a step: where it begins, {"at", "id", "matched", "since"}: the last row of the step before, the number of rows matched so far, and the time of the first step.';

-- A query has conditions for the given filters only, so that Postgres plans it for them and finds an index. Of the two
-- tables only the dead letters have an index by type.
create function messenger.range_condition(p_filter jsonb, p_is_failed boolean) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return concat_ws(
    ' and ',
    case
      when p_filter ? 'ids' then 'f.id = any ($3)'
      when p_is_failed then '(f.failed_at, f.id) > (($2 ->> ''at'')::timestamptz, ($2 ->> ''id'')::bigint)'
      else 'f.id > ($2 ->> ''id'')::bigint'
    end,
    case when p_filter ? 'failed_from' then 'f.failed_at >= ($1 ->> ''failed_from'')::timestamptz' end,
    case when p_filter ? 'failed_until' then 'f.failed_at < ($1 ->> ''failed_until'')::timestamptz' end,
    case when p_filter ? 'type' and p_is_failed then 'f.type = $1 ->> ''type''' end
  );
end
$$;
comment on function messenger.range_condition(jsonb, boolean) is
  'Part of messenger.next_matches(): the condition on the indexed columns. In its query, $1 is the filter, $2 the place and $3 the ids.';

create function messenger.wanted_condition(
  p_operation text, p_filter jsonb, p_is_failed boolean
) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return concat_ws(
    ' and ',
    case p_operation
      when 'cancel' then 'not f.cancelled'
      when 'run' then 'f.status = ''pending'' and f.available_at > public.messenger_now()'
      else 'true'
    end,
    case when p_filter ? 'type' and not p_is_failed then 'f.type = $1 ->> ''type''' end,
    case when p_filter ? 'queue' then 'f.queue = $1 ->> ''queue''' end,
    case when p_filter ? 'reason' then 'f.reason = $1 ->> ''reason''' end,
    case when p_filter ? 'error' then 'strpos(lower(f.error), lower($1 ->> ''error'')) > 0' end
  );
end
$$;
comment on function messenger.wanted_condition(text, jsonb, boolean) is
  'Part of messenger.next_matches(): the condition that is checked on each row of the range. In its query, $1 is the filter.';

-- Messages that a filter means among the next `p_max_rows` rows behind a place: dead letters for redrive and
-- remove, messages that wait or run for cancel, those that wait for a time for run. With `p_max_bytes` it ends
-- with the payload that makes them that many together, so that rows of a hundred large messages meet the time limit.
create function messenger.next_matches(
  p_operation text, p_filter jsonb, p_place jsonb, p_max_rows integer, p_max_bytes bigint default null,
  out matched bigint[], out missing bigint[], out last jsonb
)
language plpgsql
set search_path = ''
as $$
declare
  has_ids constant boolean := p_filter ? 'ids';
  is_failed constant boolean := p_operation in ('redrive', 'remove_failed');
  relation constant text := case when is_failed then 'messenger_failed_messages' else 'messenger_messages' end;
  asked bigint[] := array(
    select i::bigint from jsonb_array_elements_text(p_filter -> 'ids') as i
    where i::bigint > (p_place ->> 'id')::bigint
    group by i::bigint order by i::bigint limit p_max_rows
  );
  sorted constant text := case when is_failed and not has_ids then 'failed_at, id' else 'id' end;
  wanted constant text := messenger.wanted_condition(p_operation, p_filter, is_failed);
  seen bigint[];
  seen_at timestamptz;
  rows_read integer;
  is_cut boolean;
begin
  execute format(
    $query$
      select array_agg(s.id order by s.at, s.id) filter (where s.wanted and s.fits),
        array_agg(s.id order by s.at, s.id) filter (where s.fits),
        max(s.at) filter (where s.fits), count(*)
      from (
        select r.id, r.at, r.wanted,
          coalesce(sum(r.bytes) over (order by r.at, r.id) - r.bytes < $5, true) as fits
        from (
          select f.id, %s as at, %s as wanted,
            case when $5 is not null and (%s) then pg_column_size(f.payload) else 0 end as bytes
          from public.%I f where %s order by %s limit $4
        ) as r
      ) as s
    $query$,
    case when is_failed and not has_ids then 'f.failed_at' else '''-infinity''::timestamptz' end,
    wanted, wanted, relation, messenger.range_condition(p_filter, is_failed), sorted
  ) into matched, seen, seen_at, rows_read using p_filter, p_place, asked, p_max_rows, p_max_bytes;
  matched := coalesce(matched, '{}');
  seen := coalesce(seen, '{}');
  is_cut := cardinality(seen) < rows_read;
  if is_cut then
    asked := array(select i from unnest(asked) as i where i <= seen[cardinality(seen)] order by i);
  end if;

  if has_ids then
    execute format(
      'select array(select i from unnest($1) as i where not exists (select from public.%I f where f.id = i))',
      relation
    ) into missing using asked;
    seen := asked;
  end if;
  if is_cut or cardinality(seen) = p_max_rows then
    last := p_place || jsonb_build_object('at', seen_at, 'id', seen[cardinality(seen)]::text);
  end if;
end
$$;
comment on function messenger.next_matches(text, jsonb, jsonb, integer, bigint) is
  'Part of a step: the ids of messages that match a filter among the next rows after a place, the ids that do not exist, and the place to continue after; null at the end.';

-- Does one thing with up to 100 messages at a time, or some 16 MB of them, until a step is full. `p_options` are
-- those of the operation, which takes its messages by ids and returns {"done", "running"}; a 503 says that
-- other sessions have them locked: then the step ends with what it has done.
create function messenger.take_step(
  p_operation text, p_filter jsonb, p_options jsonb, p_max_messages integer, p_dry_run boolean, p_after jsonb
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  chunk_size constant integer := case when p_dry_run then 1000 else 100 end;
  most constant integer := case when p_dry_run then 100000 else 10000 end;
  ends_at constant timestamptz := clock_timestamp() + interval '3 seconds';
  place jsonb := messenger.begin_step(p_after, p_max_messages, p_dry_run);
  before constant integer := (place ->> 'matched')::integer;
  chunk record;
  outcome jsonb;
  matched integer := 0;
  done integer := 0;
  running integer := 0;
  missing bigint[] := array[]::bigint[];
  further integer := 0;
  is_capped boolean := false;
begin
  loop
    select * into chunk from messenger.next_matches(
      p_operation, p_filter, place, least(chunk_size, most - matched, p_max_messages - before - matched),
      case when not p_dry_run then 16777216 end
    );
    if not p_dry_run and cardinality(chunk.matched) > 0 then
      begin
        outcome := messenger.apply_operation(p_operation, chunk.matched, p_options || place);
      exception when sqlstate 'PT503' then
        if matched = 0 then raise; end if;
        exit;
      end;
      done := done + (outcome ->> 'done')::integer;
      running := running + coalesce((outcome ->> 'running')::integer, 0);
    end if;
    matched := case when p_dry_run then matched + cardinality(chunk.matched) else done + running end;
    missing := missing || coalesce(chunk.missing, '{}');
    place := chunk.last || jsonb_build_object('matched', before + matched);
    if before + matched >= p_max_messages then place := null; end if;
    exit when place is null or matched >= most or clock_timestamp() >= ends_at;
  end loop;

  if place is not null then
    select least(cardinality(m.matched), 10000), m.last is not null into further, is_capped
    from messenger.next_matches(p_operation, p_filter, place, 10001) as m;
  end if;
  return jsonb_build_object(
    'matched', matched, 'done', done, 'running', running,
    'left', jsonb_build_object(
      'count', least(further, p_max_messages - before - matched), 'capped', is_capped
    ),
    'missing', missing::text[], 'next', place
  );
end
$$;
comment on function messenger.take_step(text, jsonb, jsonb, integer, boolean, jsonb) is
  'Takes one step of redrive, remove_failed, cancel or run. Returns {"matched", "done", "running", "left", "missing", "next"}.';

create function messenger.apply_operation(p_operation text, p_ids bigint[], p_options jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return case p_operation
    when 'redrive' then messenger.redrive_ids(p_ids, p_options)
    when 'remove_failed' then messenger.remove_ids(p_ids)
    when 'cancel' then messenger.cancel_ids(p_ids)
    when 'run' then messenger.run_ids(p_ids)
  end;
end
$$;
comment on function messenger.apply_operation(text, bigint[], jsonb) is
  'Part of a step: applies the operation to messages. Returns {"done", "running"}.';

-- ==================== 26_redrive.sql

-- An operator's actions on dead letters: redrive and remove, a step at a time.

create function messenger.failed_filter(
  p_ids bigint[], p_type text, p_queue text, p_reason text, p_error text, p_failed_from timestamptz,
  p_failed_until timestamptz, p_all boolean
) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_reason <> '' and p_reason not in (
    'exhausted', 'unrecoverable', 'crashed', 'invalid', 'unknown_type', 'expired', 'cancelled',
    'interrupted'
  ) then
    raise sqlstate 'PT400' using message =
      'reason: has to be one of exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled, interrupted';
  end if;
  if p_failed_until <= p_failed_from then
    raise sqlstate 'PT400' using message = 'failed_until: has to come after failed_from';
  end if;
  return messenger.check_filter(
    jsonb_build_object(
      'ids', p_ids, 'type', p_type, 'queue', p_queue, 'reason', p_reason, 'error', p_error,
      'failed_from', p_failed_from, 'failed_until', p_failed_until
    ),
    p_all
  );
end
$$;
comment on function messenger.failed_filter(
  bigint[], text, text, text, text, timestamptz, timestamptz, boolean
) is
  'Part of redrive and remove: checks the filter and returns it as one object.';

create function messenger.redrive_ids(p_ids bigint[], p_options jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  since constant timestamptz := (p_options ->> 'since')::timestamptz;
  before constant integer := (p_options ->> 'matched')::integer;
  per_second constant numeric := (p_options ->> 'per_second')::numeric;
  to_queue constant text := p_options ->> 'to_queue';
  redriven bigint;
begin
  -- Skips dead letters that another session is just moving, so that two redrives of one message enqueue it once.
  -- Also skips those that are too large to be a message, which only a user's SQL can have written.
  with locked as (
    select f.id from public.messenger_failed_messages f
    where f.id = any (p_ids)
      and (p_options ? 'payload' or pg_column_size(f.payload) <= messenger.max_payload_bytes())
    for update skip locked
  ),
  gone as (
    delete from public.messenger_failed_messages f
    using locked l
    where f.id = l.id
    returning f.*
  ),
  numbered as (
    select g.*, row_number() over (order by g.failed_at, g.id) - 1 as number from gone g
  )
  insert into public.messenger_messages (
    id, type, payload, queue, priority, available_at, created_at, group_key, stamps, errors, quarantined
  )
  select
    -- After a restore another message may have the id by now.
    case
      when exists (select from public.messenger_messages m where m.id = n.id)
      then messenger.new_id() else n.id
    end,
    n.type, coalesce(p_options -> 'payload', n.payload), coalesce(to_queue, n.queue), n.priority,
    -- Counted from the first step on, so that the rate holds over all of them.
    case
      when per_second is null then public.messenger_now()
      else since + (before + n.number) / per_second * interval '1 second'
    end,
    n.created_at, n.group_key,
    coalesce(n.stamps, '{}') || jsonb_build_object('redriven', n.redriven + 1),
    nullif(n.errors, '[]'),
    -- A message that crashed its worker before may do so again.
    n.reason = 'crashed'
  from numbered n
  order by n.number;
  get diagnostics redriven = row_count;
  return jsonb_build_object('done', redriven);
end
$$;
comment on function messenger.redrive_ids(bigint[], jsonb) is
  'Part of a step: puts dead letters back into their queues. Returns {"done"}.';

create function messenger.check_stored_sizes(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  large record;
begin
  select f.id, pg_column_size(f.payload) as bytes into large
  from public.messenger_failed_messages f
  where f.id = any (p_ids) and pg_column_size(f.payload) > messenger.max_payload_bytes()
  order by f.id
  limit 1;
  if found then
    raise sqlstate 'PT413' using message = format(
      'payload: dead letter %s has %s bytes; has to have at most %s, redrive it with another payload',
      large.id, large.bytes, messenger.max_payload_bytes()
    );
  end if;
end
$$;
comment on function messenger.check_stored_sizes(bigint[]) is
  'Part of messenger_redrive: refuses ids of dead letters that are larger than a message may be, PT413.';

create function public.messenger_redrive(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  per_second numeric default null,
  to_queue text default null,
  payload jsonb default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  filter constant jsonb := messenger.failed_filter(
    ids, type, queue, reason, error, failed_from, failed_until, "all"
  );
begin
  if per_second not between 0.001 and 1000000 then
    raise sqlstate 'PT400' using message = 'per_second: has to be from 0.001 to 1000000';
  end if;
  if to_queue !~ '^[A-Za-z0-9_.:-]{1,100}$' then
    raise sqlstate 'PT400'
      using message = 'to_queue: has to be 1 to 100 letters, digits or _ . : -';
  end if;
  if payload is not null and cardinality(ids) is distinct from 1 then
    raise sqlstate 'PT400'
      using message = 'payload: an edited payload goes with the id of one message';
  end if;
  if payload is null then
    perform messenger.check_stored_sizes(ids);
  else
    perform messenger.check_sizes(jsonb_build_array(jsonb_build_object('payload', payload)));
  end if;
  if payload::text ~ '[0-9.]{16}' then
    perform messenger.check_numbers(payload, 'payload');
  end if;
  return messenger.take_step('redrive', filter, jsonb_strip_nulls(jsonb_build_object(
    'per_second', per_second, 'to_queue', to_queue
  )) || case when payload is null then '{}' else jsonb_build_object('payload', payload) end,
  max_messages, dry_run, after);
end
$$;
comment on function public.messenger_redrive(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, numeric, text, jsonb,
  boolean, boolean, jsonb
) is
  'Puts dead letters back into their queue, or to_queue, with fresh retries and their history: by ids, by filter or "all", at per_second if given, one with an edited payload. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';

create function messenger.remove_ids(p_ids bigint[]) returns jsonb
language sql
set search_path = ''
as $$
  with locked as (
    select f.id from public.messenger_failed_messages f
    where f.id = any (p_ids)
    for update skip locked
  ),
  gone as (
    delete from public.messenger_failed_messages f
    using locked l
    where f.id = l.id
    returning f.id
  )
  select jsonb_build_object('done', count(*)) from gone
$$;
comment on function messenger.remove_ids(bigint[]) is
  'Part of a step: deletes dead letters. Returns {"done"}.';

create function public.messenger_remove_failed(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null
) returns jsonb
language sql
set search_path = ''
as $$
  select messenger.take_step(
    'remove_failed',
    messenger.failed_filter(
      ids, type, queue, reason, error, failed_from, failed_until, "all"
    ),
    '{}', max_messages, dry_run, after
  )
$$;
comment on function public.messenger_remove_failed(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, boolean, boolean, jsonb
) is
  'Deletes dead letters for good, by ids, by filter or "all". Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';

-- ==================== 27_schedules.sql

-- Schedules make messages at planned times, by cron or at an interval. The tick computes each next run in TypeScript
-- and writes it into next_run_at; this table keeps the state between two ticks.

create table public.messenger_schedules (
  id bigint generated by default as identity primary key,
  name text unique check (length(name) between 1 and 200),
  message_type text not null check (length(message_type) between 1 and 200),
  payload jsonb not null default '{}',
  schedule_type text not null check (schedule_type in ('once', 'cron', 'interval')),
  -- No checks on these: the tick disables a schedule whose values do not parse, and writes down the reason.
  cron text,
  interval_ms bigint,
  run_at timestamptz,
  timezone text not null default 'UTC',
  next_run_at timestamptz,
  last_run_at timestamptz,
  run_count integer not null default 0,
  max_runs integer check (max_runs > 0),
  start_at timestamptz,
  end_at timestamptz,
  catch_up text not null default 'latest' check (catch_up in ('latest', 'all', 'none')),
  catch_up_limit integer check (catch_up_limit between 1 and 100000),
  overlap text not null default 'allow' check (overlap in ('allow', 'skip')),
  while_paused text not null default 'enqueue' check (while_paused in ('enqueue', 'skip')),
  jitter_ms bigint not null default 0 check (jitter_ms between 0 and 3155760000000),
  queue text check (queue ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  priority smallint check (priority between -1000 and 1000),
  group_key text check (length(group_key) between 1 and 255),
  ttl_ms bigint check (ttl_ms between 1 and 3155760000000),
  stamps jsonb,
  enabled boolean not null default true,
  disabled_by text check (disabled_by in ('pause', 'finished', 'invalid', 'undeclared')),
  disabled_reason text,
  declared boolean not null default false,
  last_message_id bigint,
  failing_since timestamptz,
  lease_token uuid,
  leased_until timestamptz,
  created_at timestamptz not null default public.messenger_now(),
  updated_at timestamptz not null default public.messenger_now(),
  -- The same bounds as for messages; see messenger_messages.
  constraint "payload: has to have at most 8388608 bytes" check (pg_column_size(payload) <= 8388608),
  constraint "stamps: has to have at most 1048576 bytes" check (pg_column_size(stamps) <= 1048576)
) with (
  -- A row is updated twice a run, and the first of the two fits on its page.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

comment on table public.messenger_schedules is
  'Schedules, their state and their counters. SQL and the table editor may write rows: the next tick computes next_run_at, and disables a row it cannot read, with the reason.';
comment on column public.messenger_schedules.id is
  'Identity of the schedule.';
comment on column public.messenger_schedules.name is
  'Unique name, if it has one: saving a schedule again under its name changes it.';
comment on column public.messenger_schedules.message_type is
  'Name of the message definition of which each run dispatches a message.';
comment on column public.messenger_schedules.payload is
  'Payload of each of these messages.';
comment on column public.messenger_schedules.schedule_type is
  'once: at run_at. cron: by cron and timezone. interval: every interval_ms.';
comment on column public.messenger_schedules.cron is
  'Five fields or a nickname such as @daily; for cron schedules.';
comment on column public.messenger_schedules.interval_ms is
  'Milliseconds between two planned runs, 1000 or more; for interval schedules.';
comment on column public.messenger_schedules.run_at is
  'When it runs; for schedules that run once.';
comment on column public.messenger_schedules.timezone is
  'IANA name of the zone on whose wall clock a cron schedule runs.';
comment on column public.messenger_schedules.next_run_at is
  'Planned time of the next run; null: the next tick computes it, or the schedule is finished.';
comment on column public.messenger_schedules.last_run_at is
  'Planned time of the latest run; triggered runs do not count.';
comment on column public.messenger_schedules.run_count is
  'Runs so far: messages dispatched, without skipped runs, and without triggered runs that do not count.';
comment on column public.messenger_schedules.max_runs is
  'Number of runs after which the schedule is finished; null: never.';
comment on column public.messenger_schedules.start_at is
  'No run is planned before this moment; an interval is counted from it.';
comment on column public.messenger_schedules.end_at is
  'No run is planned after this moment.';
comment on column public.messenger_schedules.catch_up is
  'How missed runs are made up. latest: one run. all: each of them. none: no run.';
comment on column public.messenger_schedules.catch_up_limit is
  'With catch_up all: the largest number of missed runs that are made up, the latest ones; the others are recorded as one skipped entry. Null: 1000.';
comment on column public.messenger_schedules.overlap is
  'allow: runs may overlap. skip: no run while the message of the run before waits or runs.';
comment on column public.messenger_schedules.while_paused is
  'enqueue: while the queue is paused, messages are made and wait for it. skip: no run while it is paused.';
comment on column public.messenger_schedules.jitter_ms is
  'Each message waits a random time of at most this many milliseconds; the planned time stays.';
comment on column public.messenger_schedules.queue is
  'Queue of the messages; null: the definition''s.';
comment on column public.messenger_schedules.priority is
  'Priority of the messages; null: the definition''s.';
comment on column public.messenger_schedules.group_key is
  'Ordered group of the messages, if any.';
comment on column public.messenger_schedules.ttl_ms is
  'Time to live of each message, from its run, in ms; null: the definition''s.';
comment on column public.messenger_schedules.stamps is
  'Data that travels with each message besides its payload: the user who made the schedule.';
comment on column public.messenger_schedules.enabled is
  'A disabled schedule makes no runs. When it is enabled again, it continues from that moment; the runs in between are not made up.';
comment on column public.messenger_schedules.disabled_by is
  'pause: an operator paused it. finished: no run is left. invalid: the row cannot be read, or its messages are not valid. undeclared: it is no longer declared in code.';
comment on column public.messenger_schedules.disabled_reason is
  'Why it is disabled, for people.';
comment on column public.messenger_schedules.declared is
  'Declared in code: a sync keeps it as declared there, and disables it when it is gone from there.';
comment on column public.messenger_schedules.last_message_id is
  'Message of the latest run; with overlap skip, the next run waits for its end.';
comment on column public.messenger_schedules.failing_since is
  'Since when no valid message could be made: its type is unknown, its payload does not fit, or middleware fails. Null: the latest one was valid.';
comment on column public.messenger_schedules.lease_token is
  'Fence of the tick that computes the next run: advancing under another token changes nothing.';
comment on column public.messenger_schedules.leased_until is
  'When that tick''s lease ends and another may take the schedule.';
comment on column public.messenger_schedules.created_at is
  'When the schedule was made.';
comment on column public.messenger_schedules.updated_at is
  'When its definition was last changed, or it was enabled or disabled.';

-- A claim reads this index in its order; schedules without a next run come first. A next run at infinity
-- counts as none: a claim has to find such a row, to plan it again.
create index messenger_schedules_due_idx
  on public.messenger_schedules (coalesce(nullif(next_run_at, 'infinity'), '-infinity'), id)
  where enabled;
comment on index public.messenger_schedules_due_idx is
  'Enabled schedules by next run, those that wait for its computation first.';

create index messenger_schedules_owner_idx
  on public.messenger_schedules ((stamps -> 'user' ->> 'id'), id)
  where stamps -> 'user' ->> 'id' is not null;
comment on index public.messenger_schedules_owner_idx is
  'Schedules of users, to be listed and counted.';

alter table public.messenger_schedules enable row level security;

-- A schedule may change while a tick computes its next run, also through the table editor. A change takes the
-- lease away from the tick. If the times change, the next run is computed again.
create function messenger.schedule_changed() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  new.updated_at := clock;
  new.lease_token := null;
  new.leased_until := null;
  new.failing_since := null;

  if new.next_run_at is not distinct from old.next_run_at
     and (old.schedule_type, old.cron, old.interval_ms, old.run_at, old.timezone, old.start_at)
       is distinct from
       (new.schedule_type, new.cron, new.interval_ms, new.run_at, new.timezone, new.start_at)
  then
    new.next_run_at := null;
  end if;

  if new.enabled then
    new.disabled_by := null;
    new.disabled_reason := null;
    -- Runs that were planned while the schedule was disabled are not made up. A single run ('once') comes late
    -- rather than never.
    if not old.enabled and new.schedule_type <> 'once' and new.next_run_at <= clock then
      new.next_run_at := null;
    end if;
  elsif old.enabled then
    new.disabled_by := coalesce(new.disabled_by, 'pause');
  end if;
  return new;
end
$$;
comment on function messenger.schedule_changed() is
  'Trigger: keeps a schedule right when its definition or enabled is changed: updated_at, the lease, next_run_at, the reason.';

create trigger messenger_schedules_changed
  before update on public.messenger_schedules
  for each row when (
    (
      old.name, old.message_type, old.payload, old.schedule_type, old.cron, old.interval_ms,
      old.run_at, old.timezone, old.max_runs, old.start_at, old.end_at, old.catch_up,
      old.catch_up_limit, old.overlap, old.while_paused, old.jitter_ms, old.queue, old.priority, old.group_key, old.ttl_ms, old.stamps, old.enabled
    ) is distinct from (
      new.name, new.message_type, new.payload, new.schedule_type, new.cron, new.interval_ms,
      new.run_at, new.timezone, new.max_runs, new.start_at, new.end_at, new.catch_up,
      new.catch_up_limit, new.overlap, new.while_paused, new.jitter_ms, new.queue, new.priority, new.group_key, new.ttl_ms, new.stamps, new.enabled
    )
  )
  execute function messenger.schedule_changed();

-- ==================== 28_schedule_runs.sql

-- The runs of schedules: one row for each planned time, with its outcome. The row makes the occurrence unique.
-- messenger_prune_schedule_runs bounds their number.

create table public.messenger_schedule_runs (
  schedule_id bigint not null references public.messenger_schedules on delete cascade,
  occurrence timestamptz not null,
  run integer,
  triggered boolean not null default false,
  message_id bigint,
  outcome text not null check (outcome in ('enqueued', 'handled', 'failed', 'skipped')),
  reason text,
  enqueued_at timestamptz,
  finished_at timestamptz,
  primary key (schedule_id, occurrence)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table public.messenger_schedule_runs is
  'The latest runs of each schedule: planned time, message and outcome. An occurrence is here once, whatever ticks overlap.';
comment on column public.messenger_schedule_runs.schedule_id is
  'The schedule.';
comment on column public.messenger_schedule_runs.occurrence is
  'Planned time of the run; for a triggered run, when it was asked for.';
comment on column public.messenger_schedule_runs.run is
  'Number of the run; 0 for a triggered run that does not count; null if the run was skipped.';
comment on column public.messenger_schedule_runs.triggered is
  'Whether an operator triggered the run.';
comment on column public.messenger_schedule_runs.message_id is
  'The message; null where the run was skipped.';
comment on column public.messenger_schedule_runs.outcome is
  'enqueued: the message waits or runs. handled: its handlers have succeeded. failed: it is a dead letter, or could not be made. skipped: the run made no message, for the reason given.';
comment on column public.messenger_schedule_runs.reason is
  'Why it was skipped, or why its message became a dead letter.';
comment on column public.messenger_schedule_runs.enqueued_at is
  'When the message was made; null where the run was skipped.';
comment on column public.messenger_schedule_runs.finished_at is
  'When the message was handled or became a dead letter.';

create index messenger_schedule_runs_message_idx
  on public.messenger_schedule_runs (message_id) where message_id is not null;
comment on index public.messenger_schedule_runs_message_idx is
  'The run of a message, to record its outcome.';

alter table public.messenger_schedule_runs enable row level security;

create function messenger.finish_schedule_runs(
  p_message_ids bigint[], p_outcome text, p_reasons text[] default null
) returns void
language sql
set search_path = ''
as $$
  update public.messenger_schedule_runs r
  set outcome = p_outcome,
    reason = ended.reason,
    finished_at = public.messenger_now()
  from unnest(p_message_ids, p_reasons) as ended (message_id, reason)
  where r.message_id = ended.message_id
$$;
comment on function messenger.finish_schedule_runs(bigint[], text, text[]) is
  'Part of settling: records the outcome of messages that schedules made.';

-- Deletes runs that are old, and all but the latest runs of each schedule. A run whose message still waits
-- stays. Takes one step: 100 schedules at a time, up to about 10,000 runs.
create function public.messenger_prune_schedule_runs(
  older_than interval default interval '30 days',
  keep integer default 100,
  dry_run boolean default false,
  after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  ends_at constant timestamptz := clock_timestamp() + interval '3 seconds';
  place bigint := coalesce((after ->> 'id')::bigint, 0);
  schedules bigint[];
  number integer;
  total integer := 0;
begin
  perform messenger.check_age('older_than', older_than);
  perform messenger.begin_step(null, null, dry_run);
  if keep is null or keep < 1 then
    raise sqlstate 'PT400' using message = 'keep: has to be at least 1';
  end if;

  loop
    schedules := array(
      select s.id from public.messenger_schedules s where s.id > place order by s.id limit 100
    );
    number := messenger.prune_runs_of(schedules, older_than, keep, dry_run);
    total := total + number;
    -- A full chunk may have left some of these schedules' runs.
    if number < 1000 or dry_run then place := schedules[100]; end if;
    exit when place is null or total >= 10000 or clock_timestamp() >= ends_at;
  end loop;
  return jsonb_build_object(
    'schedule_runs', total, 'matched', total, 'done', case when dry_run then 0 else total end,
    'next', case when place is not null then jsonb_build_object('id', place::text) end
  );
end
$$;
comment on function public.messenger_prune_schedule_runs(interval, integer, boolean, jsonb) is
  'Deletes runs of schedules older than an age, and all but the latest `keep` of each schedule. pg_cron calls it hourly. Takes one step of about 10,000 runs, behind the "next" of the step before if "after" is given. Returns {"schedule_runs", "matched", "done", "next"}; dry_run only counts.';

create function messenger.prune_runs_of(
  p_schedules bigint[], p_older_than interval, p_keep integer, p_dry_run boolean
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  pruned integer;
begin
  with bounds as (
    select s.id, greatest(
      public.messenger_now() - p_older_than,
      (
        select r.occurrence from public.messenger_schedule_runs r
        where r.schedule_id = s.id
        order by r.occurrence desc offset p_keep limit 1
      )
    ) as until
    from unnest(p_schedules) as s (id)
  ),
  doomed as materialized (
    select r.schedule_id, r.occurrence
    from bounds b
    join public.messenger_schedule_runs r on r.schedule_id = b.id and r.occurrence <= b.until
    where not exists (select from public.messenger_messages m where m.id = r.message_id)
    limit case when p_dry_run then 100000 else 1000 end
  ),
  gone as (
    delete from public.messenger_schedule_runs r
    using doomed d
    where not p_dry_run and r.schedule_id = d.schedule_id and r.occurrence = d.occurrence
  )
  select count(*) into pruned from doomed;
  return pruned;
end
$$;
comment on function messenger.prune_runs_of(bigint[], interval, integer, boolean) is
  'Part of pruning: deletes up to 1,000 runs of these schedules, and returns how many.';

-- ==================== 29_claim_schedules.sql

-- Claiming schedules: the due ones are locked, leased and handed out as one jsonb, for the tick to
-- compute their next runs. Claims of many sessions are disjoint (SKIP LOCKED); each has its token.

create table messenger.schedule_declarations (
  singleton boolean primary key default true check (singleton),
  fingerprint text not null,
  synced_at timestamptz not null default public.messenger_now()
);

comment on table messenger.schedule_declarations is
  'Which declarations the schedules were last synced with, in one row.';
comment on column messenger.schedule_declarations.singleton is
  'Always true: the table has one row.';
comment on column messenger.schedule_declarations.fingerprint is
  'Hash of the declarations; a tick with others syncs.';
comment on column messenger.schedule_declarations.synced_at is
  'When the schedules were last synced.';

alter table messenger.schedule_declarations enable row level security;

-- A tick waits until this time. A due schedule that another tick holds counts from the end of its lease. The
-- schedules that are held under `token` are the caller's own, and the caller knows when they come next.
create function public.messenger_next_schedule_at(token uuid default null) returns timestamptz
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select least(
      coalesce(
        (
          select public.messenger_now() from public.messenger_schedules s
          where s.enabled
            and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
            and (s.leased_until is null or s.leased_until <= public.messenger_now())
          order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
          limit 1
        ),
        (
          select min(held.leased_until)
          from (
            select s.leased_until from public.messenger_schedules s
            where s.enabled
              and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
              and s.lease_token is distinct from messenger_next_schedule_at.token
            order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
            limit 100
          ) as held
        )
      ),
      (
        select s.next_run_at from public.messenger_schedules s
        where s.enabled
          and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') > public.messenger_now()
        order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
        limit 1
      )
    )
  );
end
$$;
comment on function public.messenger_next_schedule_at(uuid) is
  'When the next enabled schedule can be claimed: now where one is due already, null where none will be. Leaves out those held under a token.';

create function messenger.check_schedule_claim(
  p_token uuid, p_max_schedules integer, p_lease_ms integer
) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if p_max_schedules is null or p_max_schedules not between 1 and 1000 then
    raise sqlstate 'PT400' using message = 'max_schedules: has to be from 1 to 1000';
  end if;
  if p_lease_ms is null or p_lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;
end
$$;
comment on function messenger.check_schedule_claim(uuid, integer, integer) is
  'Part of messenger_claim_schedules: refuses arguments, naming them, PT400.';

create function messenger.lock_leased_schedules(p_token uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select s.id from public.messenger_schedules s
    where s.enabled and s.lease_token = p_token
    for update
  );
end
$$;
comment on function messenger.lock_leased_schedules(uuid) is
  'Part of messenger_claim_schedules: locks the schedules that a call with this token has leased already, and returns their ids.';

create function messenger.lock_due_schedules(p_until timestamptz, p_max_schedules integer)
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return array(
    select s.id from public.messenger_schedules s
    where s.enabled
      and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= least(clock, p_until)
      and (s.leased_until is null or s.leased_until <= clock)
    order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id
    limit p_max_schedules
    for update skip locked
  );
end
$$;
comment on function messenger.lock_due_schedules(timestamptz, integer) is
  'Part of messenger_claim_schedules: locks schedules that are due now, and by p_until if it is given, and returns their ids. Leaves out those that another claim has locked or leased.';

-- A payload counts with the bytes of its text, which the claim returns.
create function messenger.fitting_schedules(p_ids bigint[], p_max_bytes integer)
returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select sized.id
    from (
      select s.id, sum(octet_length(s.payload::text)) over (
        order by s.next_run_at nulls first, s.id rows between unbounded preceding and 1 preceding
      ) as bytes_before
      from public.messenger_schedules s where s.id = any (p_ids)
    ) as sized
    where sized.bytes_before is null or sized.bytes_before < p_max_bytes
  );
end
$$;
comment on function messenger.fitting_schedules(bigint[], integer) is
  'Part of messenger_claim_schedules: the first schedules, by next run, until their payloads together reach p_max_bytes; at least one.';

create function messenger.lease_schedules(
  p_token uuid, p_ids bigint[], p_lease_ms integer, p_payloads boolean
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  hidden constant text[] := '{lease_token,leased_until}'::text[]
    || case when not p_payloads then '{payload,stamps}'::text[] else '{}' end;
  leased jsonb;
begin
  with changed as (
    update public.messenger_schedules s
    set lease_token = p_token,
      leased_until = public.messenger_now() + p_lease_ms * interval '1 millisecond'
    where s.id = any (p_ids)
    returning s.*
  )
  select jsonb_agg(
    to_jsonb(c) - hidden || jsonb_build_object('id', c.id::text)
    order by c.next_run_at nulls first, c.id
  )
  into leased from changed c;
  return coalesce(leased, '[]');
end
$$;
comment on function messenger.lease_schedules(uuid, bigint[], integer, boolean) is
  'Part of messenger_claim_schedules: leases locked schedules, and returns them by their next runs, without payloads and stamps unless p_payloads.';

create function messenger.declarations_changed(p_fingerprint text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return p_fingerprint is not null and not exists (
    select from messenger.schedule_declarations d where d.fingerprint = p_fingerprint
  );
end
$$;
comment on function messenger.declarations_changed(text) is
  'Part of messenger_claim_schedules: whether the schedules were last synced with other declarations than these. False without a fingerprint.';

-- With `until`, the call takes only the schedules that are due by then: a run of several batches ends with
-- what was due at its start. Each process gives the `fingerprint` of its declarations once. A caller that
-- lost the result calls again with the same token and `repeated`, and gets the same schedules. With
-- `payloads` each schedule comes with its payload and stamps. A call then ends with the schedule whose
-- payload reaches 4 MiB; `more` says that others were left out for that reason.
create function public.messenger_claim_schedules(
  token uuid,
  max_schedules integer default 100,
  lease_ms integer default 30000,
  until timestamptz default null,
  fingerprint text default null,
  repeated boolean default false,
  payloads boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  max_bytes constant integer := 4194304;
  locked bigint[] := array[]::bigint[];
  fitting bigint[];
  leased jsonb;
begin
  perform messenger.check_schedule_claim(token, max_schedules, lease_ms);
  if repeated then
    locked := messenger.lock_leased_schedules(token);
  end if;
  if cardinality(locked) = 0 then
    locked := messenger.lock_due_schedules(until, max_schedules);
  end if;
  fitting := case when payloads then messenger.fitting_schedules(locked, max_bytes) else locked end;
  leased := messenger.lease_schedules(token, fitting, lease_ms, payloads);

  -- Not in one statement with the leases: next_at would not see them yet.
  return jsonb_build_object(
    'schedules', leased,
    'now', public.messenger_now(),
    'more', cardinality(fitting) < cardinality(locked),
    'next_at', public.messenger_next_schedule_at(token),
    'declarations_changed', messenger.declarations_changed(fingerprint)
  );
end
$$;
comment on function public.messenger_claim_schedules(
  uuid, integer, integer, timestamptz, text, boolean, boolean
) is
  'Leases due schedules and returns them as one jsonb: schedules, now, more, next_at (when the next one can be claimed), declarations_changed.';

-- ==================== 30_advance_schedules.sql

-- Advancing: a tick has computed the next runs of the schedules that it holds. One transaction writes the messages of
-- these runs and the new state of the schedules. A schedule that another tick has leased since is left alone and
-- named as stale; an occurrence that has its run already gets no second message.

-- Not the rows as they are: each would be copied with its payload, which is in its message already.
create function messenger.plan_runs(p_token uuid, p_advances jsonb)
returns table (
  schedule_id bigint, name text, stamps jsonb, run_count integer, overlap text, while_paused text,
  last_message_id bigint, occurrence text, failed text, message jsonb
)
language plpgsql
set search_path = ''
as $$
begin
  return query
  with held as materialized (
    select s.*, g.occurrences, jsonb_strip_nulls(jsonb_build_object(
        'type', s.message_type, 'queue', g.queue, 'priority', g.priority, 'ttl_ms', g.ttl_ms,
        'group_key', s.group_key
      )) as ordinary
    from jsonb_to_recordset(p_advances) as g (
      id bigint, occurrences jsonb, queue text, priority smallint, ttl_ms double precision
    )
    join public.messenger_schedules s on s.id = g.id
    where s.lease_token = p_token
    order by s.id
    for update of s
  )
  select h.id, h.name, h.stamps, h.run_count, h.overlap, h.while_paused, h.last_message_id,
    o.occurrence, o.failed, jsonb_build_object('payload', h.payload) || coalesce(
      o.message, h.ordinary || jsonb_build_object('delay_ms', coalesce(o.delay_ms, 0))
    )
  from held h
  cross join lateral jsonb_to_recordset(h.occurrences) as o (
    occurrence text, delay_ms double precision, message jsonb, failed text
  )
  where not exists (
    select from public.messenger_schedule_runs r
    where r.schedule_id = h.id and r.occurrence = o.occurrence::timestamptz
  );
end
$$;
comment on function messenger.plan_runs(uuid, jsonb) is
  'Part of messenger_advance_schedules: locks the schedules that are held under the token, and returns their runs that are not recorded yet, each with its message.';

create function messenger.paused_reason(p_queue text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select format('paused: the queue %s was paused', q.name) from public.messenger_queues q
    where q.name = coalesce(p_queue, 'default') and q.paused
  );
end
$$;
comment on function messenger.paused_reason(text) is
  'Part of messenger_advance_schedules: why a schedule that skips paused queues makes no message for this one; null if the queue is not paused.';

create function messenger.stamp_run(
  p_message jsonb, p_stamps jsonb, p_schedule_id bigint, p_name text, p_occurrence text, p_run bigint
) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_message || jsonb_build_object(
    'stamps', coalesce(p_stamps, '{}') || coalesce(p_message -> 'stamps', '{}')
      || jsonb_build_object('schedule', jsonb_build_object(
        'id', p_schedule_id::text, 'name', p_name, 'occurrence', p_occurrence, 'run', p_run
      ))
  );
end
$$;
comment on function messenger.stamp_run(jsonb, jsonb, bigint, text, text, bigint) is
  'Part of messenger_advance_schedules and messenger_trigger_schedule: gives a message the stamps of its schedule, its own, and one that names the run.';

-- A run with a `reason` makes no message. `place` is the message's place among those that are made.
create function messenger.judge_runs(p_token uuid, p_advances jsonb)
returns table (
  schedule_id bigint, occurrence text, run bigint, reason text, failed boolean, place bigint,
  message jsonb
)
language plpgsql
set search_path = ''
as $$
begin
  return query
  with planned as (
    select p.*, p.occurrence::timestamptz as moment, coalesce(p.failed, case
        when p.while_paused = 'skip' then messenger.paused_reason(p.message ->> 'queue')
      end) as hindrance
    from messenger.plan_runs(p_token, p_advances) p
  ),
  judged as (
    select p.*, coalesce(p.hindrance, case
        -- Of several occurrences at once only the first may run; the others would overlap with it.
        when p.overlap = 'skip' and (
          row_number() over (partition by p.schedule_id, p.hindrance is null order by p.moment) > 1
          or exists (select from public.messenger_messages m where m.id = p.last_message_id)
        ) then 'overlap: the run before was still waiting or running'
      end) as why_not
    from planned p
  ),
  numbered as (
    select j.*, j.why_not is null as runs, j.run_count + row_number() over (
        partition by j.schedule_id, j.why_not is null order by j.moment
      ) as number,
      row_number() over (partition by j.why_not is null order by j.schedule_id, j.moment) as nth
    from judged j
  )
  select n.schedule_id, n.occurrence, n.number, n.why_not, n.failed is not null,
    case when n.runs then n.nth end,
    case when n.runs then
      messenger.stamp_run(n.message, n.stamps, n.schedule_id, n.name, n.occurrence, n.number)
    end
  from numbered n;
end
$$;
comment on function messenger.judge_runs(uuid, jsonb) is
  'Part of messenger_advance_schedules: locks schedules, and decides for each run whether it makes a message, and which, or why not.';

create function messenger.record_runs(
  p_token uuid, p_advances jsonb, p_runs jsonb, p_message_ids jsonb
) returns setof public.messenger_schedule_runs
language plpgsql
set search_path = ''
as $$
begin
  return query
  insert into public.messenger_schedule_runs as recorded
    (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at)
  select r.schedule_id, r.occurrence, case when r.place is not null then r.run end,
    (p_message_ids ->> (r.place - 1))::bigint,
    case when r.failed then 'failed' when r.place is null then 'skipped' else 'enqueued' end,
    r.reason, case when r.place is not null then public.messenger_now() end
  from jsonb_to_recordset(p_runs) as r (
    schedule_id bigint, occurrence timestamptz, run integer, reason text, failed boolean,
    place integer
  )
  union all
  select s.id, (left_out ->> 'occurrence')::timestamptz, null, null, 'skipped',
    left_out ->> 'reason', null
  from jsonb_to_recordset(p_advances) as g (id bigint, missed jsonb, note jsonb)
  join public.messenger_schedules s on s.id = g.id and s.lease_token = p_token
  cross join unnest(array[g.missed, g.note]) as left_out
  where jsonb_typeof(left_out) = 'object'
  on conflict do nothing
  returning recorded.*;
end
$$;
comment on function messenger.record_runs(uuid, jsonb, jsonb, jsonb) is
  'Part of messenger_advance_schedules: records the runs with their messages, and the occurrences that were missed or are noted. Returns the rows that are new.';

create function messenger.write_advances(
  p_token uuid, p_advances jsonb, p_recorded public.messenger_schedule_runs[]
) returns setof bigint
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return query
  with counted as (
    select r.schedule_id, count(r.message_id) as runs, max(r.message_id) as last_message_id,
      max(r.occurrence) filter (where r.message_id is not null) as last_run_at
    from unnest(p_recorded) r
    group by r.schedule_id
  ),
  given as (
    select g.*, coalesce(c.runs, 0) as runs, c.last_message_id, c.last_run_at
    from jsonb_to_recordset(p_advances) as g (
      id bigint, next_run_at timestamptz, failing boolean, put_off_ms double precision,
      disabled_by text, disabled_reason text
    )
    left join counted c on c.schedule_id = g.id
  )
  update public.messenger_schedules s
  set lease_token = null,
    leased_until = clock + g.put_off_ms * interval '1 millisecond',
    failing_since = case when g.failing then coalesce(s.failing_since, clock)
      when g.failing is null then s.failing_since end,
    next_run_at = case when s.run_count + g.runs >= s.max_runs then null else g.next_run_at end,
    run_count = s.run_count + g.runs,
    last_run_at = greatest(s.last_run_at, g.last_run_at),
    last_message_id = coalesce(g.last_message_id, s.last_message_id),
    enabled = g.disabled_by is null and coalesce(s.run_count + g.runs < s.max_runs, true),
    disabled_by = case when g.disabled_by is not null then g.disabled_by
      when s.run_count + g.runs >= s.max_runs then 'finished' end,
    disabled_reason = case when g.disabled_by is not null then g.disabled_reason
      when s.run_count + g.runs >= s.max_runs
        then format('max_runs: it has run %s times', s.run_count + g.runs) end
  from given g
  where s.id = g.id and s.lease_token = p_token
  returning s.id;
end
$$;
comment on function messenger.write_advances(uuid, jsonb, public.messenger_schedule_runs[]) is
  'Part of messenger_advance_schedules: writes the next run and the new state of the schedules that are held under the token, and gives up their leases. Returns their ids.';

-- `advances` is an array of objects:
--   id               of the schedule
--   next_run_at      planned time of the next run, if there is one
--   occurrences      [{occurrence, delay_ms, message, failed}]: the runs to make now, each occurrence
--                    ISO 8601; message as messenger_enqueue takes it, without the payload where that is
--                    the schedule's; failed is why there is none
--   missed, note     {occurrence, reason}: written down as skipped
--   failing          whether its latest message was not right; null where there was none
--   put_off_ms       for how long no claim takes it again
--   disabled_by, disabled_reason   where no run is left, or the row cannot be read
--   queue, priority, ttl_ms        of messages that are not given
create function public.messenger_advance_schedules(token uuid, advances jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  runs jsonb;
  messages jsonb;
  message_ids jsonb;
  recorded public.messenger_schedule_runs[];
  written bigint[];
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if jsonb_typeof(advances) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'advances: has to be an array';
  end if;
  select jsonb_agg(to_jsonb(r) - 'message'),
    jsonb_agg(r.message order by r.place) filter (where r.place is not null)
  into runs, messages from messenger.judge_runs(token, advances) r;
  if messages is not null then
    message_ids := public.messenger_enqueue(messages) -> 'ids';
  end if;
  recorded := array(select r from messenger.record_runs(token, advances, runs, message_ids) r);
  written := array(select messenger.write_advances(token, advances, recorded));
  return jsonb_build_object(
    'dispatched', (select count(r.message_id) from unnest(recorded) r),
    'skipped', (select count(*) from unnest(recorded) r where r.outcome = 'skipped'),
    'stale', (
      select coalesce(jsonb_agg(g.id::text order by g.id), '[]')
      from jsonb_to_recordset(advances) as g (id bigint)
      where not exists (select from unnest(written) as w (id) where w.id = g.id)
    )
  );
end
$$;
comment on function public.messenger_advance_schedules(uuid, jsonb) is
  'Writes the runs that a tick has computed for the schedules it holds: messages, records and each schedule''s next run, in one transaction. Returns {"dispatched", "skipped", "stale": [...]}: schedules that another tick has leased since; they stay unchanged.';

-- ==================== 31_check_schedules.sql

-- Checks the fields of a schedule. An error names a field that may not be given, or that would have no effect.

-- The columns that hold a schedule's state, which a definition cannot set.
create function messenger.schedule_state() returns text[]
language sql immutable
set search_path = ''
as $$
  select array[
    'id', 'next_run_at', 'last_run_at', 'run_count', 'enabled', 'disabled_by', 'disabled_reason',
    'last_message_id', 'failing_since', 'lease_token', 'leased_until', 'created_at', 'updated_at'
  ]
$$;
comment on function messenger.schedule_state() is
  'Columns of a schedule that are its state, and not set by its owner.';

create function messenger.schedule_definition(
  p_schedule public.messenger_schedules
) returns jsonb
language sql stable
set search_path = ''
as $$ select to_jsonb(p_schedule) - messenger.schedule_state() $$;
comment on function messenger.schedule_definition(public.messenger_schedules) is
  'The columns of a schedule that its owner sets, as jsonb, without its state.';

create function messenger.merge_schedule(
  p_known public.messenger_schedules, p_given jsonb
) returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  defaults constant jsonb := '{"timezone": "UTC", "catch_up": "latest", "overlap": "allow",
    "while_paused": "enqueue", "jitter_ms": 0, "payload": {}}'::jsonb;
  fields jsonb := p_given - messenger.schedule_state();
  merged public.messenger_schedules;
  field text;
begin
  -- A null removes a value; the default takes its place if there is one.
  fields := fields || coalesce(
    (
      select jsonb_object_agg(key, defaults -> key) from jsonb_each(fields)
      where value = 'null' and defaults ? key
    ),
    '{}'
  );
  if p_known.id is null then
    fields := defaults || jsonb_build_object(
      'run_count', 0, 'enabled', true, 'created_at', clock, 'updated_at', clock
    ) || fields;
  end if;
  begin
    merged := jsonb_populate_record(p_known, fields);
  exception when data_exception then
    for field in select jsonb_object_keys(fields) loop
      begin
        perform jsonb_populate_record(p_known, jsonb_build_object(field, fields -> field));
      exception when data_exception then
        raise sqlstate 'PT400' using message = format('%s: has a value that is not allowed', field);
      end;
    end loop;
    raise;
  end;
  -- As a payload, null is a value.
  merged.payload := coalesce(p_given -> 'payload', merged.payload);
  return merged;
end
$$;
comment on function messenger.merge_schedule(public.messenger_schedules, jsonb) is
  'Returns the known schedule, or the defaults if there is none, with the given columns in place of its own.';

create function messenger.check_schedule_names(p_given jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  unknown text;
begin
  if jsonb_typeof(p_given) <> 'object' then
    raise sqlstate 'PT400' using message = format(
      'schedules: have to be objects (one was a JSON %s)', jsonb_typeof(p_given)
    );
  end if;
  select k into unknown from jsonb_object_keys(p_given) as k
  where not (
    k in ('id', 'next_run_at', 'finished', 'refused', 'assumed')
    or to_jsonb(jsonb_populate_record(null::public.messenger_schedules, '{}'))
      - messenger.schedule_state() ? k
  )
  limit 1;
  if found then
    raise sqlstate 'PT400' using message = format('%s: is not known, or not for its owner to say', unknown);
  end if;
end
$$;
comment on function messenger.check_schedule_names(jsonb) is
  'Part of saving a schedule: refuses a field that would be ignored.';

-- Each given field must have an effect. A stored schedule may keep a field that has none at present, such as
-- its time zone while it runs at an interval.
create function messenger.check_schedule(
  p_given jsonb, p_wanted public.messenger_schedules
) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong constant text := case
    when p_wanted.interval_ms < 1000
      then format('interval_ms: has to be at least 1000, a second; got %s', p_wanted.interval_ms)
    when p_wanted.interval_ms > 3155760000000 then 'interval_ms: has to be at most 100 years'
    when not messenger.is_moment(p_wanted.run_at)
      then 'run_at: has to be a moment in the years 1 to 9999'
    when not messenger.is_moment(p_wanted.start_at)
      then 'start_at: has to be a moment in the years 1 to 9999'
    when not messenger.is_moment(p_wanted.end_at)
      then 'end_at: has to be a moment in the years 1 to 9999'
    when p_wanted.end_at < p_wanted.start_at then 'end_at: has to come after start_at'
    when p_wanted.ttl_ms <= p_wanted.jitter_ms then 'ttl_ms: has to be longer than jitter_ms'
    when p_given ->> 'catch_up_limit' is not null and p_wanted.catch_up <> 'all'
      then 'catch_up_limit: has an effect with catch_up all only'
    when p_given ->> 'max_runs' is not null and p_wanted.schedule_type = 'once'
      then 'max_runs: a schedule of type once runs once'
    when p_given ->> 'overlap' = 'skip' and p_wanted.schedule_type = 'once'
      then 'overlap: a schedule of type once has no run before its only one'
    when p_given ->> 'timezone' <> 'UTC' and p_wanted.schedule_type <> 'cron'
      then 'timezone: has an effect on cron schedules only'
    when p_given ->> 'cron' is not null and p_wanted.schedule_type <> 'cron'
      then 'cron: is for schedules of type cron'
    when p_given ->> 'interval_ms' is not null and p_wanted.schedule_type <> 'interval'
      then 'interval_ms: is for schedules of type interval'
    when p_given ->> 'run_at' is not null and p_wanted.schedule_type <> 'once'
      then 'run_at: is for schedules of type once'
  end;
begin
  if wrong is not null then
    raise sqlstate 'PT400' using message = wrong;
  end if;
  if p_wanted.payload::text ~ '[0-9.]{16}' then
    perform messenger.check_numbers(p_wanted.payload, 'payload');
  end if;
  if p_given ->> 'payload' ~ '[0-9.]{16}' then
    perform messenger.check_numbers(p_given -> 'payload', 'payload');
  end if;
end
$$;
comment on function messenger.check_schedule(jsonb, public.messenger_schedules) is
  'Part of saving a schedule: refuses given fields that contradict the resulting schedule, and names them.';

-- ==================== 32_save_schedules.sql

-- Saving schedules: those made in code, over HTTP and in SQL, by name or new, and the sync of those
-- that are declared in code.

create function messenger.lock_schedule(p_id bigint, p_name text)
returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
begin
  if p_id is null then
    select * into known from public.messenger_schedules s where s.name = p_name for update;
  else
    select * into known from public.messenger_schedules s where s.id = p_id for update;
    if not found then
      raise sqlstate 'PT404' using message = format('id: there is no schedule %s', p_id);
    end if;
  end if;
  return known;
end
$$;
comment on function messenger.lock_schedule(bigint, text) is
  'Part of saving a schedule: locks and returns the one with this id, or else with this name. Refuses an id that no schedule has, PT404; null if none has the name.';

-- With an id, fields that are not given stay as they are. Without one they get their defaults, except stamps.
create function messenger.wanted_schedule(
  p_known public.messenger_schedules, p_given jsonb, p_declared boolean
) returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  wanted public.messenger_schedules;
begin
  wanted := messenger.merge_schedule(
    case when p_given ->> 'id' is not null then p_known end, p_given
  );
  wanted.declared := p_declared or coalesce(p_known.declared, false);
  wanted.stamps := coalesce(wanted.stamps, p_known.stamps);
  perform messenger.check_schedule(p_given, wanted);
  return wanted;
end
$$;
comment on function messenger.wanted_schedule(public.messenger_schedules, jsonb, boolean) is
  'Part of saving a schedule: merges the stored schedule with the given fields. Refuses contradictions.';

create function messenger.insert_schedule(p_wanted public.messenger_schedules)
returns bigint
language plpgsql
set search_path = ''
as $$
begin
  p_wanted.id := nextval('public.messenger_schedules_id_seq');
  insert into public.messenger_schedules values (p_wanted.*) on conflict (name) do nothing;
  return case when found then p_wanted.id end;
end
$$;
comment on function messenger.insert_schedule(public.messenger_schedules) is
  'Part of saving a schedule: makes it, and returns its id; null if another session has made one of this name at this moment.';

create function messenger.schedule_difference(
  p_known public.messenger_schedules, p_wanted public.messenger_schedules
) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case
    when p_known.disabled_by = 'undeclared'
      or messenger.schedule_definition(p_known)
        is distinct from messenger.schedule_definition(p_wanted)
    then 'changed' else 'unchanged'
  end;
end
$$;
comment on function messenger.schedule_difference(
  public.messenger_schedules, public.messenger_schedules
) is
  'Part of saving a schedule: whether a stored schedule would change. One that was disabled because the code no longer declared it changes when it is declared again.';

create function messenger.update_schedule(
  p_id bigint, p_wanted public.messenger_schedules
) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s
  set (
    name, message_type, payload, schedule_type, cron, interval_ms, run_at, timezone, max_runs,
    start_at, end_at, catch_up, catch_up_limit, overlap, while_paused, jitter_ms, queue, priority,
    group_key, ttl_ms, stamps, declared, enabled
  ) = (
    p_wanted.name, p_wanted.message_type, p_wanted.payload, p_wanted.schedule_type, p_wanted.cron,
    p_wanted.interval_ms, p_wanted.run_at, p_wanted.timezone, p_wanted.max_runs, p_wanted.start_at,
    p_wanted.end_at, p_wanted.catch_up, p_wanted.catch_up_limit, p_wanted.overlap,
    p_wanted.while_paused, p_wanted.jitter_ms, p_wanted.queue, p_wanted.priority,
    p_wanted.group_key, p_wanted.ttl_ms, p_wanted.stamps, p_wanted.declared,
    -- A schedule that ended by itself may have runs again; a paused schedule stays paused.
    s.enabled or coalesce(s.disabled_by <> 'pause', false)
  )
  where s.id = p_id;
end
$$;
comment on function messenger.update_schedule(bigint, public.messenger_schedules) is
  'Part of saving a schedule: writes the new definition of a stored schedule, and enables it unless it was paused.';

create function messenger.plan_first_run(p_id bigint, p_given jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s
  set next_run_at = (p_given ->> 'next_run_at')::timestamptz,
    enabled = p_given ->> 'finished' is null,
    disabled_by = case when p_given ->> 'finished' is not null then 'finished' end,
    disabled_reason = p_given ->> 'finished'
  where s.id = p_id and s.enabled and s.next_run_at is null;
end
$$;
comment on function messenger.plan_first_run(bigint, jsonb) is
  'Part of saving a schedule: writes the next run of one that is new or whose times were changed, and so has none; or why it has none.';

-- `p_given` has the names of the columns. With an `id` it changes that schedule: what it leaves out stays.
-- With a `name` that is known it makes that schedule what is given, and what it leaves out the default;
-- stamps stay. Else it makes a new one. `next_run_at` is the first run, for where none is known;
-- `finished` says instead why there is none, and `refused` why it may not be saved. All three were found
-- with the columns in `assumed`; where a schedule turns out to have others, the next tick looks itself.
-- Where nothing is different nothing is written or refused: a running schedule is not disturbed.
create function messenger.save_schedule(
  p_given jsonb, p_declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
  wanted public.messenger_schedules;
  change text;
begin
  perform messenger.check_schedule_names(p_given);
  perform messenger.check_sizes(jsonb_build_array(p_given));
  -- Tries again if another session has just made a schedule of this name: the second try finds it.
  while change is null loop
    known := messenger.lock_schedule((p_given ->> 'id')::bigint, p_given ->> 'name');
    wanted := messenger.wanted_schedule(known, p_given, p_declared);
    if known.id is not null then
      change := messenger.schedule_difference(known, wanted);
    else
      known.id := messenger.insert_schedule(wanted);
      change := case when known.id is not null then 'created' end;
    end if;
  end loop;

  if jsonb_populate_record(wanted, coalesce(p_given -> 'assumed', '{}')) is distinct from wanted then
    p_given := p_given - array['next_run_at', 'finished', 'refused'];
  end if;
  if change <> 'unchanged' and p_given ->> 'refused' is not null then
    raise sqlstate 'PT400' using message = p_given ->> 'refused';
  end if;
  if change = 'changed' then
    perform messenger.update_schedule(known.id, wanted);
  end if;
  if change <> 'unchanged' then
    perform messenger.plan_first_run(known.id, p_given);
  end if;
  return jsonb_build_object('id', known.id::text, 'name', wanted.name, 'change', change);
end
$$;
comment on function messenger.save_schedule(jsonb, boolean) is
  'Makes a schedule, or changes the one with its id or name. Returns {"id", "name", "change"}; change is created, changed or unchanged.';

create function public.messenger_save_schedules(
  schedules jsonb, declared boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  violated text;
  missing text;
begin
  if jsonb_typeof(schedules) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'schedules: has to be an array';
  end if;
  return jsonb_build_object('schedules', (
    select coalesce(jsonb_agg(messenger.save_schedule(value, declared) order by position), '[]')
    from jsonb_array_elements(schedules) with ordinality as s (value, position)
  ));
exception
  when check_violation or not_null_violation then
    get stacked diagnostics violated = constraint_name, missing = column_name;
    raise sqlstate 'PT400' using message = case
      when sqlstate = '23502' then format('%s: is required', missing)
      when violated like '%: %' then violated
      else format(
        '%s: has a value that is not allowed',
        regexp_replace(violated, '^messenger_schedules_(.*)_check\d*$', '\1')
      )
    end;
  when unique_violation then
    raise sqlstate 'PT409' using message = 'name: another schedule has this name';
end
$$;
comment on function public.messenger_save_schedules(jsonb, boolean) is
  'Makes and changes schedules, all or none. Returns {"schedules": [{"id", "name", "change"}]} in their order.';

-- `schedules` are all schedules that the code declares. A stored schedule whose declaration is gone is disabled.
create function public.messenger_sync_schedules(
  schedules jsonb, fingerprint text, dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
begin
  begin
    answer := public.messenger_save_schedules(schedules, declared => true) -> 'schedules';

    with gone as (
      update public.messenger_schedules s
      set enabled = false, disabled_by = 'undeclared',
        disabled_reason = 'it is no longer declared in code'
      where s.declared and s.enabled
        and s.name <> all (array(select value ->> 'name' from jsonb_array_elements(schedules)))
      returning s.id, s.name
    )
    select answer || coalesce(
      jsonb_agg(
        jsonb_build_object('id', id::text, 'name', name, 'change', 'disabled') order by name
      ),
      '[]'
    )
    into answer from gone;

    insert into messenger.schedule_declarations as d (fingerprint)
    values (messenger_sync_schedules.fingerprint)
    on conflict (singleton) do update
    set fingerprint = excluded.fingerprint, synced_at = excluded.synced_at;

    -- A dry run makes all changes and undoes them.
    if dry_run then
      raise sqlstate 'PT299';
    end if;
  exception
    when sqlstate 'PT299' then null;
  end;
  return jsonb_build_object('schedules', answer);
end
$$;
comment on function public.messenger_sync_schedules(jsonb, text, boolean) is
  'Saves the schedules declared in code, and disables those that the code no longer declares. Returns {"schedules": [{"id", "name", "change"}]}; dry_run changes nothing.';

-- ==================== 33_control_schedules.sql

-- Operating schedules: list them, show one, pause, resume, run one now, remove.

create function public.messenger_list_schedules(
  ids bigint[] default null,
  name text default null,
  message_type text default null,
  enabled boolean default null,
  after_id bigint default 0,
  max_schedules integer default 100
) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'schedules', coalesce(
      jsonb_agg(
        to_jsonb(found) || jsonb_build_object('id', found.id::text) order by found.id
      ),
      '[]'
    ),
    'now', public.messenger_now()
  )
  from (
    -- Each column by its name: a row as a whole is read with its payload.
    select s.id, s.name, s.message_type, s.schedule_type, s.cron, s.interval_ms, s.run_at, s.timezone,
      s.next_run_at, s.last_run_at, s.run_count, s.max_runs, s.start_at, s.end_at, s.catch_up,
      s.catch_up_limit, s.overlap, s.while_paused, s.jitter_ms, s.queue, s.priority, s.group_key,
      s.ttl_ms, s.enabled, s.disabled_by, s.disabled_reason, s.declared, s.last_message_id,
      s.failing_since, s.created_at, s.updated_at
    from public.messenger_schedules s
    where (messenger_list_schedules.ids is null or s.id = any (messenger_list_schedules.ids))
      and (messenger_list_schedules.name is null or s.name = messenger_list_schedules.name)
      and (
        messenger_list_schedules.message_type is null
        or s.message_type = messenger_list_schedules.message_type
      )
      and (messenger_list_schedules.enabled is null or s.enabled = messenger_list_schedules.enabled)
      and s.id > after_id
    order by s.id
    limit max_schedules
  ) as found
$$;
comment on function public.messenger_list_schedules(bigint[], text, text, boolean, bigint, integer) is
  'Schedules by id, those after after_id, filtered by what is given, without payloads. Returns {"schedules": [...], "now"}.';

create function public.messenger_show_schedule(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('now', public.messenger_now(), 'schedule', (
    select to_jsonb(s) - '{lease_token,leased_until}'::text[] || jsonb_build_object('id', s.id::text)
    from public.messenger_schedules s where s.id = messenger_show_schedule.id
  ))
$$;
comment on function public.messenger_show_schedule(bigint) is
  'A schedule with its payload and stamps. Returns {"schedule", "now"}; schedule is null if there is none of this id.';

-- Leaves out the columns that are for operators: queue, priority, group, stamps. A page ends with 4 MiB of payloads,
-- but has at least one schedule.
create function public.messenger_list_user_schedules(
  user_id text, after_id bigint default 0, max_schedules integer default 100
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  max_bytes constant integer := 4194304;
  seen bigint[];
  fitting bigint[];
begin
  if user_id is null then
    raise sqlstate 'PT400' using message = 'user_id: is required';
  end if;
  select array_agg(sized.id order by sized.id),
    array_agg(sized.id order by sized.id) filter (where sized.place = 1 or sized.bytes <= max_bytes)
  into seen, fitting
  from (
    select own.id, row_number() over (order by own.id) as place,
      sum(messenger.stored_bytes(own.payload)) over (order by own.id) as bytes
    from (
      select s.id, s.payload from public.messenger_schedules s
      where s.stamps -> 'user' ->> 'id' = user_id and s.id > after_id
      order by s.id
      limit max_schedules
    ) as own
  ) as sized;
  return jsonb_build_object(
    'schedules', (
      select coalesce(
        jsonb_agg(
          to_jsonb(s) - '{stamps,queue,priority,group_key,lease_token,leased_until}'::text[]
            || jsonb_build_object('id', s.id::text)
          order by s.id
        ),
        '[]'
      )
      from public.messenger_schedules s where s.id = any (fitting)
    ),
    'next', case
      when cardinality(fitting) < cardinality(seen) or cardinality(seen) = max_schedules
      then fitting[cardinality(fitting)]::text
    end
  );
end
$$;
comment on function public.messenger_list_user_schedules(text, bigint, integer) is
  'Schedules that a user has made, by id, those after after_id, with payloads of 4 MiB at most or one schedule. Returns {"schedules": [...], "next"}; next is the after_id of the next page.';

create function public.messenger_list_schedule_runs(id bigint, max_runs integer default 20)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('runs', coalesce(
    jsonb_agg(
      to_jsonb(found) || jsonb_build_object('message_id', found.message_id::text)
      order by found.occurrence desc
    ),
    '[]'
  ))
  from (
    select r.occurrence, r.run, r.triggered, r.message_id, r.outcome, r.reason, r.enqueued_at,
      r.finished_at
    from public.messenger_schedule_runs r
    where r.schedule_id = id
    order by r.occurrence desc
    limit max_runs
  ) as found
$$;
comment on function public.messenger_list_schedule_runs(bigint, integer) is
  'The latest runs of a schedule, the newest first. Returns {"runs": [...]}.';

create function public.messenger_pause_schedule(id bigint, reason text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s
  set enabled = false, disabled_by = 'pause', disabled_reason = reason
  where s.id = messenger_pause_schedule.id;
  if not found then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', id);
  end if;
end
$$;
comment on function public.messenger_pause_schedule(bigint, text) is
  'Stops a schedule until it is resumed, with a reason for people to read.';

create function public.messenger_resume_schedule(id bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_schedules s set enabled = true
  where s.id = messenger_resume_schedule.id;
  if not found then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', id);
  end if;
end
$$;
comment on function public.messenger_resume_schedule(bigint) is
  'Lets a schedule run again from now. Runs planned while it was stopped are not made up; a single run comes late.';

create function messenger.lock_triggered(p_id bigint, p_counted boolean)
returns public.messenger_schedules
language plpgsql
set search_path = ''
as $$
declare
  schedule public.messenger_schedules;
begin
  select * into schedule from public.messenger_schedules s where s.id = p_id for update;
  if schedule.id is null then
    raise sqlstate 'PT404' using message = format('id: there is no schedule %s', p_id);
  end if;
  if schedule.overlap = 'skip' and exists (
    select from public.messenger_messages m where m.id = schedule.last_message_id
  ) then
    raise sqlstate 'PT409' using message = 'overlap: the run before is still waiting or running';
  end if;
  if p_counted and schedule.run_count >= schedule.max_runs then
    raise sqlstate 'PT409'
      using message = format('max_runs: it has run %s times', schedule.run_count);
  end if;
  return schedule;
end
$$;
comment on function messenger.lock_triggered(bigint, boolean) is
  'Part of messenger_trigger_schedule: locks and returns the schedule. Refuses one that does not exist, PT404, and one that may not run now, PT409.';

-- A microsecond or more behind a whole millisecond: planned times are whole milliseconds, so a run that was
-- asked for never takes the place of a planned one.
create function messenger.triggered_occurrence(p_schedule_id bigint) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  moment timestamptz := date_trunc('milliseconds', public.messenger_now())
    + interval '1 microsecond';
begin
  while exists (
    select from public.messenger_schedule_runs r
    where r.schedule_id = p_schedule_id and r.occurrence = moment
  ) loop
    moment := moment + interval '1 microsecond';
  end loop;
  return moment;
end
$$;
comment on function messenger.triggered_occurrence(bigint) is
  'Part of messenger_trigger_schedule: the time of a triggered run: now, or shortly after, so that no other run of the schedule has it.';

create function messenger.record_trigger(
  p_schedule_id bigint, p_occurrence timestamptz, p_run integer, p_finished boolean,
  p_message_id bigint
) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.messenger_schedule_runs
    (schedule_id, occurrence, run, triggered, message_id, outcome, enqueued_at)
  values (
    p_schedule_id, p_occurrence, p_run, true, p_message_id, 'enqueued', public.messenger_now()
  );
  -- Without the lease, a tick that is computing the next run at this moment has to look again.
  update public.messenger_schedules s
  set run_count = greatest(s.run_count, p_run), last_message_id = p_message_id,
    lease_token = null, leased_until = null,
    enabled = s.enabled and not p_finished,
    next_run_at = case when not p_finished then s.next_run_at end,
    disabled_by = case when p_finished and s.enabled then 'finished' else s.disabled_by end,
    disabled_reason = case when p_finished and s.enabled
      then format('max_runs: it has run %s times', p_run) else s.disabled_reason end
  where s.id = p_schedule_id;
end
$$;
comment on function messenger.record_trigger(bigint, timestamptz, integer, boolean, bigint) is
  'Part of messenger_trigger_schedule: records the run, and the state of the schedule after it. p_finished: it was the last one.';

create function public.messenger_trigger_schedule(
  id bigint,
  counted boolean default false,
  queue text default null,
  priority integer default null,
  ttl_ms double precision default null,
  message jsonb default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  schedule constant public.messenger_schedules := messenger.lock_triggered(id, counted);
  run constant integer := case when counted then schedule.run_count + 1 else 0 end;
  finished constant boolean := coalesce(counted and run >= schedule.max_runs, false);
  moment constant timestamptz := messenger.triggered_occurrence(schedule.id);
  message_id bigint;
begin
  message := jsonb_build_object('payload', schedule.payload)
    || coalesce(message, jsonb_strip_nulls(jsonb_build_object(
      'type', schedule.message_type, 'queue', coalesce(schedule.queue, queue),
      'priority', coalesce(schedule.priority, priority),
      'ttl_ms', coalesce(schedule.ttl_ms, ttl_ms), 'group_key', schedule.group_key
    )));
  message := messenger.stamp_run(
    message, schedule.stamps, schedule.id, schedule.name,
    to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), run
  );
  message_id := (public.messenger_enqueue(jsonb_build_array(message)) -> 'ids' ->> 0)::bigint;
  perform messenger.record_trigger(schedule.id, moment, run, finished, message_id);
  return message_id;
end
$$;
comment on function public.messenger_trigger_schedule(
  bigint, boolean, text, integer, double precision, jsonb
) is
  'Runs a schedule once now, paused or not, and returns the message''s id. The run is recorded; it counts against max_runs only if asked. queue, priority and ttl_ms hold where the schedule leaves them open; message, in the form of messenger_enqueue, replaces all of them, and the payload unless it has none.';

create function public.messenger_unschedule(id bigint, user_id text default null)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  delete from public.messenger_schedules s
  where s.id = messenger_unschedule.id
    and (
      messenger_unschedule.user_id is null
      or s.stamps -> 'user' ->> 'id' = messenger_unschedule.user_id
    );
  return found;
end
$$;
comment on function public.messenger_unschedule(bigint, text) is
  'Removes a schedule and the record of its runs; messages that it has made stay. With a user_id, only one that this user has made. Returns whether it was there.';

-- ==================== 34_schedule_in_sql.sql

-- Schedules made in SQL, inside the caller's transaction. A cron schedule is a row, inserted or typed
-- into the table editor: insert into messenger_schedules (message_type, schedule_type, cron) ...

create function public.messenger_schedule_once(
  type text,
  payload jsonb,
  at timestamptz,
  name text default null,
  queue text default null,
  priority integer default null,
  group_key text default null,
  ttl interval default null,
  catch_up text default 'latest',
  jitter interval default interval '0',
  allow_past boolean default false,
  while_paused text default 'enqueue'
) returns bigint
language plpgsql
set search_path = ''
as $$
begin
  if type is null then
    raise sqlstate 'PT400' using message = 'type: is required';
  end if;
  if at is null or not isfinite(at) then
    raise sqlstate 'PT400' using message = 'at: has to be a moment';
  end if;
  if at < public.messenger_now() and not allow_past then
    raise sqlstate 'PT400'
      using message = format('at: %s is in the past; allow_past => true runs it now', at);
  end if;
  return (
    public.messenger_save_schedules(jsonb_build_array(jsonb_build_object(
      'message_type', type, 'payload', payload, 'schedule_type', 'once', 'run_at', at,
      'next_run_at', at, 'name', name, 'queue', queue, 'priority', priority,
      'group_key', group_key, 'ttl_ms', messenger.milliseconds(ttl, 'ttl'),
      'catch_up', catch_up, 'while_paused', while_paused,
      'jitter_ms', messenger.milliseconds(jitter, 'jitter')
    ))) -> 'schedules' -> 0 ->> 'id'
  )::bigint;
end
$$;
comment on function public.messenger_schedule_once(
  text, jsonb, timestamptz, text, text, integer, text, interval, text, interval, boolean, text
) is
  'Schedules one message for a moment and returns the schedule''s id: select messenger_schedule_once(''EmailMessage'', ''{"to":"a@b.c"}'', at => ''2027-01-01 09:00+01'').';

create function public.messenger_schedule_interval(
  type text,
  payload jsonb,
  every interval,
  name text default null,
  max_runs integer default null,
  start_at timestamptz default null,
  end_at timestamptz default null,
  queue text default null,
  priority integer default null,
  group_key text default null,
  ttl interval default null,
  catch_up text default 'latest',
  overlap text default 'allow',
  jitter interval default interval '0',
  catch_up_limit integer default null,
  while_paused text default 'enqueue'
) returns bigint
language plpgsql
set search_path = ''
as $$
begin
  if type is null then
    raise sqlstate 'PT400' using message = 'type: is required';
  end if;
  if every is null or every < interval '1 second' then
    raise sqlstate 'PT400' using message = format('every: has to be at least 1 second; got %s', every);
  end if;
  if end_at < coalesce(start_at, public.messenger_now()) then
    raise sqlstate 'PT400' using message = 'end_at: has to come after start_at and after now';
  end if;
  return (
    public.messenger_save_schedules(jsonb_build_array(jsonb_build_object(
      'message_type', type, 'payload', payload, 'schedule_type', 'interval',
      'interval_ms', messenger.milliseconds(every, 'every'), 'name', name,
      'max_runs', max_runs, 'start_at', start_at, 'end_at', end_at, 'queue', queue,
      'priority', priority, 'group_key', group_key,
      'ttl_ms', messenger.milliseconds(ttl, 'ttl'), 'catch_up', catch_up,
      'catch_up_limit', catch_up_limit, 'overlap', overlap, 'while_paused', while_paused,
      'jitter_ms', messenger.milliseconds(jitter, 'jitter')
    ))) -> 'schedules' -> 0 ->> 'id'
  )::bigint;
end
$$;
comment on function public.messenger_schedule_interval(
  text, jsonb, interval, text, integer, timestamptz, timestamptz, text, integer, text, interval,
  text, text, interval, integer, text
) is
  'Schedules a message at an interval and returns the schedule''s id; the next tick plans the first run. select messenger_schedule_interval(''Cleanup'', ''{}'', every => interval ''5 minutes'', name => ''cleanup'').';

-- The milliseconds of a span whose length is fixed: months and years have none.
create function messenger.milliseconds(p_span interval, p_field text) returns bigint
language plpgsql immutable
set search_path = ''
as $$
begin
  if extract(year from p_span) <> 0 or extract(month from p_span) <> 0 then
    raise sqlstate 'PT400' using message =
      format('%s: months and years have no fixed length; use days, or a cron schedule', p_field);
  end if;
  return extract(epoch from p_span) * 1000;
end
$$;
comment on function messenger.milliseconds(interval, text) is
  'The milliseconds of an interval. Refuses, naming the field, one whose length is not fixed.';

-- ==================== 35_ticks.sql

-- Ticks as the database knows them: asked for, started, at rest, ended. A tick that is awake looks for messages, and a
-- transaction that writes a due message may count on it; see 37_wake.sql. A tick at rest does not look for messages
-- at present. Resident workers are listed among the ticks, always at rest.

create table public.messenger_ticks (
  id bigint generated always as identity primary key,
  asked_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  rested_at timestamptz,
  wakes_at timestamptz,
  stalled boolean not null default false,
  ended_at timestamptz,
  report jsonb,
  worker text,
  queues text[]
);

comment on table public.messenger_ticks is
  'The latest ticks: when each was asked for, started and ended, and what it did.';
comment on column public.messenger_ticks.id is
  'Identity of the tick; a tick that was asked for gets it in its request.';
comment on column public.messenger_ticks.asked_at is
  'When it was asked for; of a tick that came without a request of the database, when it started.';
comment on column public.messenger_ticks.started_at is
  'When the function began to work on it; null if the request has not arrived, or was lost.';
comment on column public.messenger_ticks.heartbeat_at is
  'When it last gave a sign of life.';
comment on column public.messenger_ticks.rested_at is
  'From this moment no dispatch counts on the tick, though its handlers may still run. No dispatch ever counts on a tick that serves some queues only, or whose caller waits for it.';
comment on column public.messenger_ticks.wakes_at is
  'A tick at rest looks for messages again at this moment, so messages that fall due later may count on it. Null if it does not look again.';
comment on column public.messenger_ticks.stalled is
  'All slots of the tick have been busy for a while, so that it rests until one of its handlers is done.';
comment on column public.messenger_ticks.ended_at is
  'When it was done; null while it runs, and for good if it was killed.';
comment on column public.messenger_ticks.report is
  'How many messages it claimed, handled, retried and failed; null if the tick failed or had nothing to do.';

comment on column public.messenger_ticks.worker is
  'Name of the resident worker; null where it is a tick.';
comment on column public.messenger_ticks.queues is
  'Queues that the resident worker claims from; null where it is a tick.';

create index messenger_ticks_workers_idx
  on public.messenger_ticks (id) where worker is not null and ended_at is null;
comment on index public.messenger_ticks_workers_idx is
  'Resident workers that run, or were killed.';

create index messenger_ticks_awake_idx
  on public.messenger_ticks (id) where rested_at is null;
comment on index public.messenger_ticks_awake_idx is
  'Ticks that dispatches may count on.';

create index messenger_ticks_resting_idx
  on public.messenger_ticks (id) where wakes_at is not null or stalled;
comment on index public.messenger_ticks_resting_idx is
  'Ticks at rest that look again at a moment, or when a handler is done.';

alter table public.messenger_ticks enable row level security;

create function messenger.ticks_key() returns bigint
language sql immutable parallel safe
set search_path = ''
as $$ select pg_catalog.hashtextextended('symphony_messenger.ticks', 0) $$;
comment on function messenger.ticks_key() is
  'The advisory lock that a dispatch holds shared while it counts on a tick, and that a tick holds alone while it goes to rest.';

-- A tick is a process, so its signs of life are compared with the wall clock and not with the transaction's start. A
-- tick that was killed, or whose request was lost, still counts for some seconds; the next minute's tick then finds
-- the messages. In an older snapshot a row counts only if no transaction has changed it since: then its xmax is 0.
create function messenger.ticks_awake() returns setof public.messenger_ticks
-- In plpgsql: each dispatch would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select t.* from public.messenger_ticks t
  where t.rested_at is null
    and case
      when t.started_at is null then t.asked_at > clock_timestamp() - interval '5 seconds'
      else t.heartbeat_at > clock_timestamp() - interval '15 seconds'
    end
    and (t.xmax = '0' or current_setting('transaction_isolation') = 'read committed');
end
$$;
comment on function messenger.ticks_awake() is
  'Ticks that were just asked for, or run and look for messages.';

create function messenger.clock() returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return public.messenger_now() + (clock_timestamp() - now());
end
$$;
comment on function messenger.clock() is
  'The clock of the bus as it is at this moment, and not as it was when the transaction began.';

-- The tick of a minute may come up to 5 s late, because pg_cron, pg_net and the start of a function take time.
create function messenger.next_minute() returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return messenger.clock() + (
    date_trunc('minute', clock_timestamp()) + interval '65 seconds' - clock_timestamp()
  );
end
$$;
comment on function messenger.next_minute() is
  'From when on the next minute''s tick sees to what falls due.';

-- Whether some tick will handle messages that fall due at a moment: a tick is awake, the next minute's tick comes
-- before that moment, or a tick at rest looks for messages again by that moment.
create function messenger.has_tick_for(
  p_due_at timestamptz, p_by_others_than bigint default null
) returns boolean
-- In plpgsql: each dispatch would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  return exists (
      select from messenger.ticks_awake() t where t.id is distinct from p_by_others_than
    )
    or p_due_at >= messenger.next_minute()
    or exists (
      select from public.messenger_ticks t
      where t.wakes_at <= p_due_at + interval '250 milliseconds'
        and t.ended_at is null and t.id is distinct from p_by_others_than
        and t.heartbeat_at > clock_timestamp() - interval '15 seconds'
        and (t.xmax = '0' or current_setting('transaction_isolation') = 'read committed')
    );
end
$$;
comment on function messenger.has_tick_for(timestamptz, bigint) is
  'Whether a tick will look for what falls due at a moment: the next minute''s, one that is awake, or one that waits for an earlier moment.';

create function messenger.has_due(
  p_within interval default interval '0', p_queues text[] default null
) returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  -- By the wall clock, because a message may have been committed and fallen due since this transaction began.
  return coalesce(
    messenger.next_due(p_queues) <= messenger.clock() + p_within,
    false
  );
end
$$;
comment on function messenger.has_due(interval, text[]) is
  'Whether a message of a queue that is not paused is due, or falls due within a time.';

create function messenger.fleet_size() returns integer
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql volatile
set search_path = ''
as $$
begin
  -- Most projects have no queue with more than one worker. If there is one, only queues with due messages count.
  if not exists (select from public.messenger_queues q where q.max_workers > 1) then
    return 1;
  end if;
  return (
    select coalesce(max(q.max_workers), 1)::integer
    from (
      select d.queue from messenger.due_queues() d
      union
      select m.queue from messenger.quarantined_messages m
    ) as d
    join public.messenger_queues q on q.name = d.queue
    where not q.paused and q.max_workers > 1 and q.runs_on = 'tick'
      and messenger.has_due(p_queues => array[q.name])
  );
end
$$;
comment on function messenger.fleet_size() is
  'How many ticks the queues with due messages call for.';

-- Runs with its owner's rights: it reads Vault and posts through pg_net, and a role that writes messages should
-- not need grants for these. Only the service role may call it, and it takes no arguments.
create function messenger.ask_tick() returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  asked bigint;
begin
  insert into public.messenger_ticks default values returning id into asked;
  perform messenger.post_tick(jsonb_build_object('wait', false, 'tick', asked::text));
  return asked;
exception when others then
  raise warning 'no tick was asked for, the next minute''s does the work: %', sqlerrm;
  return null;
end
$$;
comment on function messenger.ask_tick() is
  'Asks for one tick, at the commit. Returns its id; if Vault or pg_net fails, it warns and returns null.';

-- ==================== 36_tick_life.sql

-- The life of a tick: it starts, sends heartbeats, goes to rest, stands aside (claims no more) and ends.

create function messenger.register_tick(p_tick bigint, p_awake boolean) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
begin
  if p_tick is null then
    insert into public.messenger_ticks (started_at, heartbeat_at, rested_at)
    values (clock_timestamp(), clock_timestamp(), case when not p_awake then clock_timestamp() end)
    returning id into started;
  else
    update public.messenger_ticks t set started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
    where t.id = p_tick and t.started_at is null
    returning t.id into started;
  end if;
  return started;
end
$$;
comment on function messenger.register_tick(bigint, boolean) is
  'Part of messenger_start_tick: writes that a tick starts and returns its id; null where it has started before.';

-- If this tick is one too many, the dispatches that count on it have to be safe with the other awake ticks. The shared
-- lock keeps those ticks from going to rest until this transaction commits.
create function messenger.is_one_too_many(p_tick bigint, p_fleet integer) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if p_tick is null or not pg_try_advisory_xact_lock_shared(messenger.ticks_key()) then
    return false;
  end if;
  return p_fleet <= (
    select count(*) from messenger.ticks_awake() t
    where t.id <> p_tick and t.started_at is not null
  );
end
$$;
comment on function messenger.is_one_too_many(bigint, integer) is
  'Part of messenger_start_tick: whether as many ticks as the queues allow are awake beside one that was asked for.';

create function messenger.has_work(
  p_tick bigint, p_awake boolean, p_queues text[], p_budget_ms double precision, p_next_at timestamptz
) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return coalesce(
    p_next_at <= messenger.clock()
      -- For messages that fall due later one tick is enough.
      or p_awake and not messenger.has_tick_for(p_next_at, p_tick)
      or not p_awake and messenger.has_due(p_budget_ms * interval '1 millisecond', p_queues)
      or exists (
        select from messenger.leases l where l.leased_until <= public.messenger_now()
      )
      or exists (
        select from public.messenger_messages m
        where m.expires_at <= public.messenger_now() and m.status = 'pending'
          and not m.blocked and not m.heartbeated
      )
      or exists (select from messenger.groups_to_reopen),
    false
  );
end
$$;
comment on function messenger.has_work(bigint, boolean, text[], double precision, timestamptz) is
  'Part of messenger_start_tick: whether a tick finds something to do within its budget, given when the next message or schedule is due.';

create function messenger.forget_ticks_before(p_tick bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Each start adds one row and deletes up to 10. The ids are read into an array, because Postgres may apply the
  -- limit of a plain subquery again for each row.
  delete from public.messenger_ticks t
  where t.id = any (array(
    select old.id from public.messenger_ticks old where old.id <= p_tick - 10000
      -- A resident worker may live longer than 10,000 ticks.
      and (
        old.worker is null or old.ended_at is not null
        or old.heartbeat_at < clock_timestamp() - interval '1 hour'
      )
    order by old.id limit 10 for update skip locked
  ));
end
$$;
comment on function messenger.forget_ticks_before(bigint) is
  'Part of messenger_start_tick: deletes records of ticks; the latest 10,000 stay.';

-- Registers a tick. `tick` is the id under which the database asked for it; enough others may be awake by now.
-- `awake` says whether dispatches may count on the tick. Returns {"id", "proceed", "fleet", "version",
-- "schedules_due"}: if `proceed` is false, nothing is due or other ticks handle it, and this tick is over.
create function public.messenger_start_tick(
  tick bigint default null,
  awake boolean default false,
  queues text[] default null,
  budget_ms double precision default 0
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
  fleet integer;
  next_schedule_at timestamptz;
  needed boolean;
begin
  if budget_ms is null or budget_ms < 0 then
    raise sqlstate 'PT400' using message = 'budget_ms: has to be zero or more';
  end if;
  if exists (
    select from public.messenger_queues q where q.name = any (queues) and q.runs_on = 'worker'
  ) then
    raise sqlstate 'PT400' using message = format(
      'queues: %s runs on workers, and no tick serves it; start one: symphony-messenger worker --queues %1$s',
      (
        select string_agg(q.name, ',' order by q.name) from public.messenger_queues q
        where q.name = any (queues) and q.runs_on = 'worker'
      )
    );
  end if;
  started := messenger.register_tick(tick, awake);
  -- pg_net sends a request again after a restart.
  if started is null then
    return jsonb_build_object(
      'id', tick::text, 'proceed', false, 'fleet', 0, 'version', public.messenger_version()
    );
  end if;

  fleet := messenger.fleet_size();
  next_schedule_at := public.messenger_next_schedule_at();
  needed := not messenger.is_one_too_many(tick, fleet);
  if needed and (not awake or pg_try_advisory_xact_lock(messenger.ticks_key())) then
    needed := messenger.has_work(
      started, awake, queues, budget_ms, least(messenger.next_due(queues), next_schedule_at)
    );
  end if;
  if not needed then
    update public.messenger_ticks t
    set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp()
    where t.id = started;
  end if;

  perform messenger.forget_ticks_before(started);
  return jsonb_strip_nulls(jsonb_build_object(
    'id', started::text, 'proceed', needed, 'fleet', fleet, 'version', public.messenger_version(),
    'schedules_due', case when next_schedule_at <= messenger.clock() then true end
  ));
end
$$;
comment on function public.messenger_start_tick(bigint, boolean, text[], double precision) is
  'Registers a tick that starts, and ends it at once where there is nothing to do for it. Returns {"id", "proceed", "fleet", "version", "schedules_due"}; version is the schema''s.';

-- With `awake`, a tick that was at rest looks for messages again, and dispatches count on it.
create function public.messenger_heartbeat_tick(tick bigint, awake boolean default false)
returns void
language sql
set search_path = ''
as $$
  update public.messenger_ticks t
  set heartbeat_at = clock_timestamp(),
    rested_at = case when not awake then t.rested_at end,
    wakes_at = case when not awake then t.wakes_at end,
    stalled = t.stalled and not awake
  where t.id = tick and t.ended_at is null
$$;
comment on function public.messenger_heartbeat_tick(bigint, boolean) is
  'A sign of life of a running tick, every few seconds; with awake, one that was at rest is awake again.';

-- Waits until a message or schedule is due, 5 s at most, so that a new message is found within milliseconds at the
-- cost of one call and one connection. Only one tick waits at a time, and only one that dispatches count on. Its
-- queries take at most a twentieth of the time; it sleeps between them.
create function messenger.linger(p_tick bigint, p_linger_ms integer, p_schedules boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := clock_timestamp() + least(p_linger_ms, 5000) * interval '1 millisecond';
  looked_at timestamptz;
begin
  if not exists (select from messenger.ticks_awake() t where t.id = p_tick)
    or exists (
      select from messenger.ticks_awake() t where t.id <> p_tick and t.started_at is not null
    )
    or not pg_try_advisory_xact_lock(messenger.ticks_key() + 2)
  then
    return;
  end if;
  while clock_timestamp() < until loop
    looked_at := clock_timestamp();
    exit when least(
      messenger.next_due(),
      case when p_schedules then public.messenger_next_schedule_at() end
    ) <= messenger.clock();
    perform pg_sleep(greatest(
      0.015, 20 * extract(epoch from clock_timestamp() - looked_at)::double precision
    ));
  end loop;
end
$$;
comment on function messenger.linger(bigint, integer, boolean) is
  'Part of messenger_rest_tick: waits until something is due, for a bounded number of ms.';

-- Returns {"rested", "due", "messages_in_ms", "schedules_in_ms"}. If both "rested" and "due" are false, a dispatch
-- that may count on this tick has not committed. If "rested" is true, the times say when this tick has to look again;
-- they are absent if another tick will. With a `report`, a tick that need not look again ends. `schedules`: the tick
-- runs schedules too. `left_ms`: how long it will still live. `linger_ms`: how long to wait for more before it rests.
create function public.messenger_rest_tick(
  tick bigint,
  report jsonb default null,
  linger_ms integer default 0,
  left_ms double precision default 0,
  schedules boolean default false
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock timestamptz;
  message_at timestamptz;
  schedule_at timestamptz;
  next_at timestamptz;
  waits boolean;
begin
  if linger_ms > 0 then
    perform messenger.linger(tick, linger_ms, schedules);
  end if;
  if not pg_try_advisory_xact_lock(messenger.ticks_key()) then
    return jsonb_build_object('rested', false, 'due', messenger.has_due());
  end if;
  message_at := messenger.next_due();
  schedule_at := case when schedules then public.messenger_next_schedule_at() end;
  next_at := least(message_at, schedule_at);
  clock := messenger.clock();
  if next_at <= clock then
    return jsonb_strip_nulls(jsonb_build_object(
      'rested', false, 'due', coalesce(message_at <= clock, false),
      'schedules_in_ms', case when schedule_at <= clock then 0 end
    ));
  end if;
  waits := coalesce(left_ms > 0 and not messenger.has_tick_for(next_at, tick), false);
  update public.messenger_ticks t
  set rested_at = clock_timestamp(), heartbeat_at = clock_timestamp(), stalled = false,
    wakes_at = case when waits then least(next_at, clock + left_ms * interval '1 millisecond') end,
    ended_at = case
      when messenger_rest_tick.report is not null and not waits then clock_timestamp()
    end,
    report = messenger_rest_tick.report
  where t.id = tick and t.ended_at is null;
  return jsonb_strip_nulls(jsonb_build_object(
    'rested', true, 'due', false,
    'messages_in_ms', case when waits then 1000 * extract(epoch from message_at - clock) end,
    'schedules_in_ms', case when waits then 1000 * extract(epoch from schedule_at - clock) end
  ));
end
$$;
comment on function public.messenger_rest_tick(bigint, jsonb, integer, double precision, boolean) is
  'From now on no dispatch counts on this tick, unless a message is due or a dispatch that may count on it has not committed. Returns {"rested", "due", "messages_in_ms", "schedules_in_ms"}; the times say when this tick has to look again, and are absent if another tick will. With a report, a tick that need not look again is over.';

-- A tick claims no more, for good or while it is `stalled` (none of its handlers has ended for a while). From now on
-- no dispatch counts on it. It asks for another tick if work remains, or if work may still appear because a dispatch
-- that counted on this tick has not committed. At most as many ticks as the fleet has may be stalled at once.
create function public.messenger_stand_aside(
  tick bigint, stalled boolean default false, schedules boolean default false
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  fleet integer;
  counted_on boolean;
  next_at timestamptz;
begin
  fleet := messenger.fleet_size();
  if stalled and fleet <= (
    select count(*) from public.messenger_ticks t
    where t.stalled and t.ended_at is null and t.id <> tick
      and t.heartbeat_at > clock_timestamp() - interval '15 seconds'
  ) then
    return false;
  end if;
  select t.rested_at is null or t.wakes_at is not null into counted_on
  from public.messenger_ticks t where t.id = tick;
  update public.messenger_ticks t
  set rested_at = coalesce(t.rested_at, clock_timestamp()), wakes_at = null,
    stalled = messenger_stand_aside.stalled
  where t.id = tick and t.ended_at is null;

  if counted_on and not pg_try_advisory_xact_lock(messenger.ticks_key()) then
    perform messenger.ask_tick();
    return true;
  end if;
  next_at := least(
    messenger.next_due(), case when schedules then public.messenger_next_schedule_at() end
  );
  if next_at <= messenger.clock() and fleet > (
      select count(*) from messenger.ticks_awake() t where t.id <> tick
    )
    or not messenger.has_tick_for(next_at, tick)
  then
    perform messenger.ask_tick();
  end if;
  return true;
end
$$;
comment on function public.messenger_stand_aside(bigint, boolean, boolean) is
  'A tick claims no more: no dispatch counts on it, and another is asked for where something is due, or falls due before the next minute''s tick. Returns false if too many are stalled already: then it still counts.';

-- `successor` asks for another tick if work remains, or may still appear.
create function public.messenger_end_tick(
  tick bigint, report jsonb default null, successor boolean default true,
  schedules boolean default false
) returns void
language plpgsql
set search_path = ''
as $$
begin
  if successor then
    perform public.messenger_stand_aside(tick, schedules => schedules);
  end if;
  update public.messenger_ticks t
  set rested_at = coalesce(t.rested_at, clock_timestamp()), ended_at = clock_timestamp(),
    wakes_at = null, stalled = false, report = messenger_end_tick.report
  where t.id = tick;
end
$$;
comment on function public.messenger_end_tick(bigint, jsonb, boolean, boolean) is
  'Ends a tick, whatever is left to do, and asks for its successor if something is.';

create function public.messenger_grow_fleet() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  -- One session at a time: if the lock is taken, another session is asking for a tick already.
  if pg_try_advisory_xact_lock(messenger.ticks_key() + 1) then
    if (select count(*) from messenger.ticks_awake()) < messenger.fleet_size() then
      return messenger.ask_tick();
    end if;
  end if;
  return null;
end
$$;
comment on function public.messenger_grow_fleet() is
  'Asks for one more tick if the queues with due messages allow more than are awake. Returns its id, or null.';

-- ==================== 37_wake.sql

-- Wake-up: a transaction that writes a due message asks for a tick at its commit, unless a tick is awake that will
-- see the message. No wake-up is lost.
--
-- The rule: a dispatch that leaves its message to an awake tick takes the lock messenger.ticks_key() shared before it
-- looks for that tick, and holds the lock until its commit. A tick goes to rest only while it holds that lock alone,
-- and it looks for due messages after it has got the lock. So a tick that a dispatch counted on looks once more after
-- that dispatch's commit. No session ever waits for the lock: a dispatch that does not get it asks for a tick of its
-- own, and a tick that does not get it tries again a little later.

--
-- A dispatch of a message that falls due later, but before the next minute's tick, counts on a tick in the same way.
-- A tick that is awake will do, because it does not rest before some tick is known to look again in time. A tick at
-- rest will do if it looks again before that moment (wakes_at). Else the dispatch asks for a tick, which waits for the
-- message.

-- In an older snapshot (repeatable read) a tick counts only if no transaction has changed its row since: see
-- messenger.ticks_awake(). Dispatches that overlap each ask for a tick of their own, in any isolation: one of them may
-- be rolled back, and its request with it, and none waits to see whether the other commits. One tick too many costs
-- one call: it ends at its start.
create function messenger.wake(p_due_at timestamptz default null) returns bigint
language plpgsql
set search_path = ''
as $$
begin
  if pg_try_advisory_xact_lock_shared(messenger.ticks_key()) then
    -- A separate statement, because its snapshot has to be taken under the lock.
    if messenger.has_tick_for(coalesce(p_due_at, public.messenger_now())) then
      return null;
    end if;
  end if;
  return messenger.ask_tick();
end
$$;
comment on function messenger.wake(timestamptz) is
  'Asks for a tick at the commit unless one will see what this transaction writes when it is due: now where no time is given. Returns the id of the tick it asked for.';

create function messenger.wake_for_next() returns bigint
language plpgsql
set search_path = ''
as $$
declare
  next_at timestamptz;
begin
  -- Mostly a tick that is awake is the caller.
  if pg_try_advisory_xact_lock_shared(messenger.ticks_key())
    and exists (select from messenger.ticks_awake())
  then
    return null;
  end if;
  next_at := messenger.next_due();
  return case when next_at < messenger.next_minute() then messenger.wake(next_at) end;
end
$$;
comment on function messenger.wake_for_next() is
  'Asks for a tick at the commit unless one will see the message that falls due next. Returns the id of the tick it asked for.';

create function messenger.wake_for_messages() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  until timestamptz;
  due_at timestamptz;
begin
  if exists (
    select from written w
    where w.status = 'pending' and w.available_at <= public.messenger_now()
      and not exists (
        select from public.messenger_queues q
        where q.name = w.queue and (q.paused or q.runs_on = 'worker')
        -- Looks up the queues of these messages, however many other queues are paused.
        offset 0
      )
  ) then
    perform messenger.wake();
    return null;
  end if;
  until := messenger.next_minute();
  select min(w.available_at) into due_at
  from written w
  where w.status = 'pending' and w.available_at < until
    and not exists (
      select from public.messenger_queues q
      where q.name = w.queue and (q.paused or q.runs_on = 'worker') offset 0
    );
  if due_at is not null then
    perform messenger.wake(due_at);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_messages() is
  'Trigger: wakes a tick where a message that was just written is due, or falls due before the next minute''s tick.';

create trigger messenger_messages_wake
  after insert on public.messenger_messages
  referencing new table as written
  for each statement execute function messenger.wake_for_messages();

-- For changes in SQL or in the dashboard: a message whose time, queue, priority or `blocked` was changed may be due
-- now. A settle call pays only for the trigger's condition, which its leased messages do not meet, and a claim changes
-- none of these columns. One message of a transaction asks for a tick for all others that are due no earlier.
create function messenger.wake_for_change() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  woken constant text[] := string_to_array(current_setting('symphony_messenger.woken', true), ' ');
  this_one constant text := pg_current_xact_id()::text;
  due_at constant double precision := extract(epoch from new.available_at);
begin
  -- This transaction has already asked for a tick for this moment or an earlier one.
  if woken[1] = this_one and woken[2]::double precision <= due_at
    or exists (
      select from public.messenger_queues q
      where q.name = new.queue and (q.paused or q.runs_on = 'worker')
    )
  then
    return null;
  end if;
  perform messenger.wake(new.available_at);
  perform set_config('symphony_messenger.woken', this_one || ' ' || due_at, true);
  return null;
end
$$;
comment on function messenger.wake_for_change() is
  'Trigger: wakes a tick where a waiting message was changed and is due, or falls due before the next minute''s tick.';

create trigger messenger_messages_wake_for_change
  after update of available_at, queue, priority, blocked on public.messenger_messages
  for each row when (
    old.status = 'pending' and new.status = 'pending' and not new.blocked
    and new.available_at <= public.messenger_now() + interval '65 seconds'
    and (old.available_at, old.queue, old.priority, old.blocked)
      is distinct from (new.available_at, new.queue, new.priority, new.blocked)
  )
  execute function messenger.wake_for_change();

create function messenger.wake_for_queue() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  next_at constant timestamptz :=
    case
      when not new.paused and new.runs_on = 'tick' then messenger.next_due(array[new.name])
    end;
begin
  if next_at < messenger.next_minute() then
    perform messenger.wake(next_at);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_queue() is
  'Trigger: wakes a tick where a queue''s new settings let its messages start.';

create trigger messenger_queues_wake
  after update on public.messenger_queues
  for each row when (old is distinct from new)
  execute function messenger.wake_for_queue();

-- Runs at the commit, because a schedule is saved in several steps and only its final row counts.
create function messenger.wake_for_schedule() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  next_at constant timestamptz := (
    select coalesce(nullif(s.next_run_at, 'infinity'), public.messenger_now())
    from public.messenger_schedules s
    where s.id = new.id and s.enabled and s.lease_token is null
  );
begin
  if next_at < messenger.next_minute() then
    perform messenger.wake(next_at);
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_schedule() is
  'Trigger: wakes a tick where a schedule was made, changed or enabled whose next run is due, not planned yet, or comes before the next minute''s tick.';

create constraint trigger messenger_schedules_wake
  after insert on public.messenger_schedules
  deferrable initially deferred
  for each row when (new.enabled)
  execute function messenger.wake_for_schedule();

-- Does not run when the tick that holds the schedule writes its next run: that tick waits for the run, or asks for
-- another tick.
create constraint trigger messenger_schedules_wake_for_change
  after update on public.messenger_schedules
  deferrable initially deferred
  for each row when (
    new.enabled and old.lease_token is null and new.lease_token is null
    and (old.next_run_at, old.enabled) is distinct from (new.next_run_at, new.enabled)
  )
  execute function messenger.wake_for_schedule();

-- ==================== 37_workers.sql

-- Resident workers: processes that users run themselves, and that claim from queues by name. They have rows in
-- messenger_ticks, but no dispatch counts on them: a worker waits for its messages in messenger_await_due().
--
-- A queue with runs_on = 'worker' is theirs alone: claims without names pass it over, and no dispatch to it
-- asks for a tick. Sweeps of ticks still find its leases that ran out, so that a worker which was killed keeps
-- no message.

create function public.messenger_run_on_workers(queues text[]) returns integer
language plpgsql
set search_path = ''
as $$
declare
  changed integer;
begin
  if queues is null or 'default' = any (queues) then
    raise sqlstate 'PT400' using
      message = 'queues: has to be a list of names without default, which ticks serve';
  end if;
  insert into public.messenger_queues as known (name, runs_on)
  select distinct q, 'worker' from unnest(queues) as q
  on conflict on constraint messenger_queues_pkey do update set runs_on = 'worker'
  where known.runs_on <> 'worker';
  get diagnostics changed = row_count;
  return changed;
end
$$;
comment on function public.messenger_run_on_workers(text[]) is
  'Makes these queues run in resident workers only, as definitions with runsOn say. Returns how many it made or changed.';

create function public.messenger_start_worker(worker text, queues text[]) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  started bigint;
begin
  if worker is null or length(worker) not between 1 and 200 then
    raise sqlstate 'PT400' using message = 'worker: has to be a name of 1 to 200 characters';
  end if;
  if coalesce(cardinality(queues), 0) = 0 then
    raise sqlstate 'PT400' using message = 'queues: has to name at least one queue';
  end if;
  insert into public.messenger_ticks (started_at, heartbeat_at, rested_at, worker, queues)
  values (clock_timestamp(), clock_timestamp(), clock_timestamp(), worker, queues)
  returning id into started;
  return started;
end
$$;
comment on function public.messenger_start_worker(text, text[]) is
  'Registers a resident worker that claims from these queues. Returns its id among the ticks.';

create function public.messenger_heartbeat_worker(tick bigint, report jsonb) returns void
language sql
set search_path = ''
as $$
  update public.messenger_ticks t
  set heartbeat_at = clock_timestamp(), report = messenger_heartbeat_worker.report
  where t.id = tick and t.ended_at is null
$$;
comment on function public.messenger_heartbeat_worker(bigint, jsonb) is
  'A sign of life of a resident worker, every few seconds, with what it has done so far.';

-- Waits in the database until a message is due, so that an idle worker costs one call and one connection, and finds a
-- message within milliseconds of its commit. A look compares snapshots: while the snapshot stays the same, no other
-- transaction has committed, and nothing but the time can make a message due. Such a look takes 90 us, 80 of them for
-- the sleep before it; one that reads the messages takes 350. So the first looks are 5 ms apart, because after a message
-- the next one is near, later ones 20, and on a busy database 25. That is 7 ms of CPU a second where nothing else
-- commits, and 16 on a busy database, where the same was spent in looks every 25 ms that always read.
--
-- The wait does not claim as well, which would save a round trip: if the worker is killed while its call waits, the call
-- would still lease the next message, for a minute in which no worker has it.
--
-- A call holds its snapshot and its locks on the tables until it returns: vacuum cannot remove newer dead rows, and a
-- migration that alters the tables waits. So a call of a worker is shorter than a migration's lock_timeout of 5 s.
create function public.messenger_await_due(queues text[], wait_ms integer) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := clock_timestamp() + wait_ms * interval '1 millisecond';
  -- How far messenger.clock() is ahead of the wall clock.
  ahead constant interval := public.messenger_now() - now();
  pause double precision := 0.005;
  snapshot text;
  seen text;
  looked_at timestamptz;
  next_at timestamptz;
begin
  if coalesce(cardinality(queues), 0) = 0 then
    raise sqlstate 'PT400' using message = 'queues: has to name at least one queue';
  end if;
  if wait_ms is null or wait_ms not between 0 and 5000 then
    raise sqlstate 'PT400' using message = 'wait_ms: has to be from 0 to 5000';
  end if;
  loop
    -- Taken before the messages are read: what commits in between changes the next snapshot.
    snapshot := pg_current_snapshot()::text;
    if snapshot = seen then
      pause := least(pause * 1.02, 0.02);
    else
      looked_at := clock_timestamp();
      next_at := messenger.next_due(queues);
      if seen is not null then
        pause := greatest(0.025, 5 * extract(epoch from clock_timestamp() - looked_at)::double precision);
      end if;
      seen := snapshot;
    end if;
    exit when next_at <= clock_timestamp() + ahead or clock_timestamp() >= until;
    perform pg_sleep(pause);
  end loop;
  return coalesce(next_at <= clock_timestamp() + ahead, false);
end
$$;
comment on function public.messenger_await_due(text[], integer) is
  'Waits up to wait_ms until a message of these queues is due. Returns whether one is.';

-- ==================== 38_cancel.sql

-- Cancelling messages that are not wanted any more, by an operator or by their user. One that waits goes to
-- the dead letters at once; one that runs is marked, and goes there when its worker stops it, or gives
-- it back, or fails. If its handler succeeds before, it counts as handled.

create function messenger.cancel_ids(p_ids bigint[]) returns jsonb
language plpgsql
set search_path = ''
-- A settle call may hold a lock that this cancel needs, and wait for one that this cancel holds. The cancel gives way
-- long before Postgres would detect a deadlock, and tries again.
set lock_timeout = '200ms'
as $$
declare
  clock constant timestamptz := public.messenger_now();
  fence constant uuid := gen_random_uuid();
  matched bigint[];
  taken bigint[];
begin
  for try in 1..10 loop
    begin
      perform messenger.lock_groups(p_ids);
      matched := array(
        select m.id from public.messenger_messages m
        where m.id = any (p_ids) and not m.cancelled
        order by m.id
        for update
      );

      -- Messages that no worker runs are taken under a lease of their own, and settled. A lease that ran out
      -- protects no worker.
      update public.messenger_messages m
      set cancelled = true
      where m.id = any (matched) and m.status = 'processing' and m.leased_until > clock;

      with leased as (
        update public.messenger_messages m
        set status = 'processing', lease_token = fence, leased_until = clock
        where m.id = any (matched) and not m.cancelled
        returning m.id
      )
      select coalesce(array_agg(l.id), '{}') into taken from leased l;
      perform public.messenger_settle(jsonb_build_array(jsonb_build_object(
        'token', fence, 'grouped', true, 'dead', (
          select coalesce(jsonb_agg(jsonb_build_object('id', id, 'reason', 'cancelled')), '[]')
          from unnest(taken) as t (id)
        )
      )));
      -- The next message of a group may have been waiting for one of the cancelled messages.
      if cardinality(taken) > 0 and messenger.has_due() then
        perform messenger.wake();
      end if;
      exit;
    exception when lock_not_available then
      if try = 10 then
        raise sqlstate 'PT503' using message = 'cancel: other sessions hold the messages locked',
          hint = 'Try again; nothing was changed.';
      end if;
    end;
  end loop;
  return jsonb_build_object(
    'done', cardinality(taken), 'running', cardinality(matched) - cardinality(taken)
  );
end
$$;
comment on function messenger.cancel_ids(bigint[]) is
  'Part of a step: cancels messages. Returns {"done", "running"}.';

create function public.messenger_cancel(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  dry_run boolean default false,
  max_messages integer default null,
  "all" boolean default false,
  after jsonb default null
) returns jsonb
language sql
set search_path = ''
as $$
  select messenger.take_step(
    'cancel',
    messenger.check_filter(
      jsonb_build_object('ids', ids, 'type', type, 'queue', queue), "all"
    ),
    '{}', max_messages, dry_run, after
  )
$$;
comment on function public.messenger_cancel(
  bigint[], text, text, boolean, integer, boolean, jsonb
) is
  'Cancels messages by ids, by filter or "all". Those that wait go to the dead letters at once, reason cancelled; those that run are stopped at their worker''s next heartbeat. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';

-- ==================== 39_run.sql

-- Running now: a message that is delayed, or waits for its retry, is made due.

create function messenger.run_ids(p_ids bigint[]) returns jsonb
language sql
set search_path = ''
as $$
  with locked as (
    select m.id from public.messenger_messages m
    where m.id = any (p_ids) and m.status = 'pending' and m.available_at > public.messenger_now()
    order by m.id
    for update skip locked
  ),
  due as (
    update public.messenger_messages m
    set available_at = public.messenger_now()
    from locked l
    where m.id = l.id
    returning m.id
  )
  select jsonb_build_object('done', count(*)) from due
$$;
comment on function messenger.run_ids(bigint[]) is
  'Part of a step: makes messages due that wait for a time. Returns {"done"}.';

create function public.messenger_run(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  max_messages integer default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null
) returns jsonb
language sql
set search_path = ''
as $$
  select messenger.take_step(
    'run',
    messenger.check_filter(
      jsonb_build_object('ids', ids, 'type', type, 'queue', queue), "all"
    ),
    '{}', max_messages, dry_run, after
  )
$$;
comment on function public.messenger_run(bigint[], text, text, integer, boolean, boolean, jsonb) is
  'Makes delayed messages, and those that wait for their retry, due now and wakes a tick: by ids, by filter or "all". Limits, groups and pauses hold as before. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';

-- ==================== 40_rate_limits.sql

-- Rate limits of what users and holders of the publishable key dispatch, counted in the transaction
-- that writes their messages: what is refused writes nothing.
--
-- The rule is the generic cell rate algorithm (ITU-T I.371, annex A; the "virtual scheduling"
-- form): one moment for each caller and type, at which the whole allowance will be there again. A
-- message moves it on by `per / max`; one that would move it further than `per` ahead of now is
-- refused. So `max` may come at once, and one more each `per / max`; there is no window at whose edge
-- twice as many would pass, and the wait until the next one is known exactly. Callers of one
-- allowance meet on its row, where the second waits for the first's commit.

create table messenger.rate_limits (
  type text not null,
  caller text not null,
  full_at timestamptz not null,
  counted_at timestamptz not null default public.messenger_now(),
  primary key (type, caller)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.rate_limits is
  'Used shares of the rate limits of message types. Only types that have a limit, and callers who used it lately, have rows.';
comment on column messenger.rate_limits.type is
  'Name of the message definition that has the limit.';
comment on column messenger.rate_limits.caller is
  'Whose allowance it is: user:<id>; publishable for everyone who has only the publishable key; total for all of them together.';
comment on column messenger.rate_limits.full_at is
  'When the whole allowance is available again; from then on the row is not needed.';
comment on column messenger.rate_limits.counted_at is
  'When the latest message was counted: full_at was at most the limit''s period later, and is read so where the period has become shorter.';

create index rate_limits_full_at_idx
  on messenger.rate_limits (full_at);
comment on index messenger.rate_limits_full_at_idx is
  'Allowances that are available in full again, for pruning.';

alter table messenger.rate_limits enable row level security;

-- `p_limits` is an array of {type, caller, count, max, per_ms}: `count` messages are to be dispatched,
-- and `max` may be within `per_ms`. The share of one message is rounded down to microseconds, so
-- that `max` of them always fit. A period that was shortened holds for what was counted before, too:
-- a caller who had used up the old allowance waits no longer than the new period.
create function messenger.count_dispatches(p_limits jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  refused record;
begin
  with wanted as materialized (
    select l.type, l.caller, l.per_ms * interval '1 millisecond' as per,
      floor(l.count * l.per_ms * 1000 / l.max) * interval '1 microsecond' as share
    from jsonb_to_recordset(p_limits) as l (
      type text, caller text, count integer, max integer, per_ms double precision
    )
  ),
  counted as (
    insert into messenger.rate_limits as known (type, caller, full_at, counted_at)
    select w.type, w.caller, clock + w.share, clock from wanted w order by w.type, w.caller
    on conflict (type, caller) do update
    set counted_at = clock, full_at = (excluded.full_at - clock) + greatest(clock, least(
      known.full_at, known.counted_at + (
        select w.per from wanted w where w.type = known.type and w.caller = known.caller
      )
    ))
    returning type, caller, full_at
  )
  select c.type, c.full_at - w.per - clock as wait into refused
  from counted c join wanted w using (type, caller)
  where c.full_at - w.per > clock
  order by wait desc
  limit 1;

  if found then
    raise sqlstate 'PT429' using
      message = format('type: too many messages of the type %s', refused.type),
      detail = ceil(extract(epoch from refused.wait) * 1000)::bigint::text,
      hint = 'The detail is how many milliseconds to wait.';
  end if;
end
$$;
comment on function messenger.count_dispatches(jsonb) is
  'Counts messages that are to be dispatched against the limits of their types and callers. Raises PT429, with the milliseconds to wait as its detail, where one of them is reached.';

create function public.messenger_enqueue_limited(messages jsonb, limits jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.count_dispatches(limits);
  return (select b.answer from public.messenger_enqueue_body(messages) as b (answer));
end
$$;
comment on function public.messenger_enqueue_limited(jsonb, jsonb) is
  'messenger_enqueue within rate limits: writes all messages, or raises PT429 and writes none.';

-- One at a time for each user, so that none is overlooked.
create function messenger.lock_schedule_quota(p_user_id text) returns void
language sql
set search_path = ''
as $$
  select pg_advisory_xact_lock(
    pg_catalog.hashtextextended('symphony_messenger.schedules:' || p_user_id, 0)
  )
$$;
comment on function messenger.lock_schedule_quota(text) is
  'Locks the number of schedules of a user until the end of the transaction. The first of its locks.';

-- Those that are finished do not count: as many as may be had of the others are kept, the latest.
create function messenger.check_schedule_quota(
  p_user_id text, p_wanted integer, p_max_schedules integer
) returns void
language plpgsql
set search_path = ''
as $$
declare
  had integer;
begin
  perform messenger.lock_schedule_quota(p_user_id);
  select count(*) into had from public.messenger_schedules s
  where s.stamps -> 'user' ->> 'id' = p_user_id and s.disabled_by is distinct from 'finished';
  if had + p_wanted > p_max_schedules then
    raise sqlstate 'PT409' using message = format(
      'schedule: a user may have %s at a time (there are %s of yours); delete one first',
      p_max_schedules, had
    );
  end if;
  delete from public.messenger_schedules s
  where s.id = any (array(
    select old.id from public.messenger_schedules old
    where old.stamps -> 'user' ->> 'id' = p_user_id and old.disabled_by = 'finished'
    order by old.updated_at desc, old.id desc offset p_max_schedules
  ));
end
$$;
comment on function messenger.check_schedule_quota(text, integer, integer) is
  'Refuses, PT409, more schedules of a user than there may be at a time, and forgets the oldest of those that are finished.';

create function public.messenger_save_schedules_limited(
  schedules jsonb, limits jsonb, user_id text default null, max_schedules integer default 100
) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if user_id is not null then
    perform messenger.check_schedule_quota(
      user_id, jsonb_array_length(schedules), max_schedules
    );
  end if;
  perform messenger.count_dispatches(limits);
  return public.messenger_save_schedules(schedules);
end
$$;
comment on function public.messenger_save_schedules_limited(jsonb, jsonb, text, integer) is
  'messenger_save_schedules within rate limits, and of a user no more than there may be: saves all schedules, or raises PT429 or PT409 and saves none.';

-- ==================== 41_handled_messages.sql

-- Handled messages are remembered for a time if their type asks for it, so that the dispatcher can learn that
-- a message is done. All other handled messages leave nothing behind.

create table public.messenger_handled_messages (
  id bigint primary key,
  type text not null,
  queue text not null,
  user_id text,
  attempts integer not null,
  created_at timestamptz not null,
  handled_at timestamptz not null,
  keep_until timestamptz not null
);

comment on table public.messenger_handled_messages is
  'Handled messages of definitions with keep, without their payload, until keep_until.';
comment on column public.messenger_handled_messages.id is
  'The id the message had while it waited and ran.';
comment on column public.messenger_handled_messages.type is
  'Name of the message definition.';
comment on column public.messenger_handled_messages.queue is
  'Queue the message was handled from.';
comment on column public.messenger_handled_messages.user_id is
  'Id of the user who dispatched it over HTTPS, if a user did.';
comment on column public.messenger_handled_messages.attempts is
  'How often a worker had claimed the message; 1 where it was handled at once.';
comment on column public.messenger_handled_messages.created_at is
  'When the message was dispatched.';
comment on column public.messenger_handled_messages.handled_at is
  'When it was handled.';
comment on column public.messenger_handled_messages.keep_until is
  'From this moment on it is forgotten.';

create index messenger_handled_messages_keep_until_idx
  on public.messenger_handled_messages (keep_until);
comment on index public.messenger_handled_messages_keep_until_idx is
  'Rows by the time at which they are to be deleted, for pruning.';

create index messenger_handled_messages_user_idx
  on public.messenger_handled_messages (user_id, id)
  where user_id is not null;
comment on index public.messenger_handled_messages_user_idx is
  'Handled messages of users, to be listed.';

alter table public.messenger_handled_messages enable row level security;

-- `p_kept` is an array of {id, keep_ms}. Runs in the settle call before it deletes the rows, and does
-- not find a message that has another lease by now. The lock keeps each lease until the row is deleted.
create function messenger.remember_handled(p_kept jsonb, p_fence uuid) returns void
language sql
set search_path = ''
as $$
  insert into public.messenger_handled_messages
    (id, type, queue, user_id, attempts, created_at, handled_at, keep_until)
  select m.id, m.type, m.queue, m.stamps #>> '{user,id}', m.attempts, m.created_at,
    public.messenger_now(), public.messenger_now() + k.keep_ms * interval '1 millisecond'
  from jsonb_to_recordset(p_kept) as k (id bigint, keep_ms double precision)
  join public.messenger_messages m on m.id = k.id
  where m.lease_token = p_fence
  order by m.id
  for update of m
  on conflict (id) do nothing
$$;
comment on function messenger.remember_handled(jsonb, uuid) is
  'Part of messenger_settle: remembers messages that are being handled under a lease token, each for its keep_ms.';

-- ==================== 42_progress.sql

-- Progress: what handlers report of messages that run. It stands beside the hot table, whose rows stay
-- as they are while their handlers work.

create table messenger.progress (
  message_id bigint primary key,
  value double precision not null check (value between 0 and 1),
  note text check (length(note) <= 200),
  at timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.progress is
  'The latest progress that handlers reported of their messages. A row goes when its message is handled, or at the next prune.';
comment on column messenger.progress.message_id is
  'The message; no foreign key, which would be looked at for every message that goes.';
comment on column messenger.progress.value is
  'How much is done, from 0 to 1.';
comment on column messenger.progress.note is
  'The handler''s note about it; the dispatcher of the message may read it.';
comment on column messenger.progress.at is
  'When it was reported.';

alter table messenger.progress enable row level security;

-- `reports` is an array of {id, token, value, note?}. A report under another token than
-- the lease's is left out: another worker has the message.
create function public.messenger_report_progress(reports jsonb) returns void
language sql
set search_path = ''
as $$
  insert into messenger.progress (message_id, value, note, at)
  select m.id, r.value, r.note, public.messenger_now()
  from jsonb_to_recordset(reports) as r (
    id bigint, token uuid, value double precision, note text
  )
  join public.messenger_messages m on m.id = r.id
  where m.lease_token = r.token
  order by m.id
  for key share of m
  on conflict (message_id) do update
  set value = excluded.value, note = excluded.note, at = excluded.at
$$;
comment on function public.messenger_report_progress(jsonb) is
  'Writes what handlers report of messages they run, all of a worker''s in one call, fenced by the lease token.';

-- ==================== 43_follow.sql

-- Following: the state of messages, as the user who dispatched them may see it. A message is in one of three tables,
-- or in none once it is handled and not kept.

-- `place` decides where an id is in two tables, which only a restore brings about. No branch has a condition of its
-- own, so that Postgres puts the tables in place of the view, and reads each by its index of users in the order of
-- the ids.
create view messenger.followable_messages with (security_invoker = true) as
select m.id, 1 as place, m.stamps #>> '{user,id}' as user_id, m.type,
  case
    when m.status = 'processing' then 'processing'
    when m.attempts > 0 then 'retrying'
    else 'pending'
  end as status,
  m.cancelled as cancelling, null::text as reason, m.attempts, m.created_at, m.available_at,
  null::timestamptz as finished_at, 'infinity'::timestamptz as keep_until
from public.messenger_messages m
union all
select d.id, 2, d.stamps #>> '{user,id}', d.type,
  case d.reason when 'cancelled' then 'cancelled' else 'failed' end,
  false, d.reason, d.attempts, d.created_at, null::timestamptz, d.failed_at, 'infinity'::timestamptz
from public.messenger_failed_messages d
union all
select h.id, 3, h.user_id, h.type, 'handled', false, null::text, h.attempts, h.created_at,
  null::timestamptz, h.handled_at, h.keep_until
from public.messenger_handled_messages h;
comment on view messenger.followable_messages is
  'Messages that wait, run, are dead letters, or are handled and kept, in the words that users get. keep_until may have passed.';
comment on column messenger.followable_messages.id is
  'Identity of the message.';
comment on column messenger.followable_messages.place is
  '1: waits or runs. 2: a dead letter. 3: handled.';
comment on column messenger.followable_messages.user_id is
  'The user who dispatched it; null if no user did.';
comment on column messenger.followable_messages.type is
  'Name of the message definition.';
comment on column messenger.followable_messages.status is
  'pending: waits for its first attempt. processing: runs. retrying: waits for another attempt. failed, cancelled: a dead letter. handled: done.';
comment on column messenger.followable_messages.cancelling is
  'It runs, and its worker is to stop it.';
comment on column messenger.followable_messages.reason is
  'Why it is a dead letter; null if it is none.';
comment on column messenger.followable_messages.attempts is
  'How often a worker has claimed it.';
comment on column messenger.followable_messages.created_at is
  'When it was dispatched.';
comment on column messenger.followable_messages.available_at is
  'When it is or was due; null once it is done.';
comment on column messenger.followable_messages.finished_at is
  'When it was handled or became a dead letter.';
comment on column messenger.followable_messages.keep_until is
  'From this moment on it is forgotten.';

-- Every state that users get is made here: those that they ask for and those that are broadcast.
create function messenger.followed_message(
  p_id bigint,
  p_type text,
  p_status text,
  p_attempts integer,
  p_created_at timestamptz,
  p_available_at timestamptz default null,
  p_finished_at timestamptz default null,
  p_reason text default null,
  p_cancelling boolean default false,
  p_progress jsonb default null
) returns jsonb
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'kind', 'message', 'id', p_id::text, 'type', p_type, 'status', p_status,
    'cancelling', p_cancelling, 'reason', p_reason, 'attempt', p_attempts,
    'createdAt', p_created_at, 'availableAt', p_available_at, 'finishedAt', p_finished_at,
    'progress', p_progress
  );
end
$$;
comment on function messenger.followed_message(
  bigint, text, text, integer, timestamptz, timestamptz, timestamptz, text, boolean, jsonb
) is
  'The state of a message in the form that users get: {"kind", "id", "type", "status", "cancelling", "reason", "attempt", "createdAt", "availableAt", "finishedAt", "progress"}, never its payload or its errors.';

create function messenger.followed(p_ids bigint[], p_user_id text)
returns table (id bigint, message jsonb)
language sql stable
set search_path = ''
as $$
  select distinct on (f.id) f.id, messenger.followed_message(
    f.id, f.type, f.status, f.attempts, f.created_at, f.available_at, f.finished_at, f.reason,
    f.cancelling, case
      when p.message_id is not null
      then jsonb_build_object('value', p.value, 'note', p.note, 'at', p.at)
    end
  )
  from messenger.followable_messages f
  -- A handled message has no progress any more, whether or not its row is deleted yet.
  left join messenger.progress p on p.message_id = f.id and f.place < 3
  where f.id = any (p_ids) and f.keep_until > public.messenger_now()
    and (p_user_id is null or f.user_id = p_user_id)
  order by f.id, f.place
$$;
comment on function messenger.followed(bigint[], text) is
  'The states of messages by their ids: of all, or of those that one user dispatched. No row for an id that is unknown, no longer known, or another user''s.';

create function public.messenger_follow(id bigint, user_id text default null)
returns jsonb
language sql stable
set search_path = ''
as $$
  select f.message
  from messenger.followed(array[messenger_follow.id], messenger_follow.user_id) f
$$;
comment on function public.messenger_follow(bigint, text) is
  'The state of a message: {"kind", "id", "type", "status", "cancelling", "reason", "attempt", "createdAt", "availableAt", "finishedAt", "progress"}, never its payload or its errors. With a user_id only of that user''s. Null alike for an id that is unknown, no longer known, or another user''s.';

create function public.messenger_follow_all(ids bigint[], user_id text default null)
returns jsonb
language sql stable
set search_path = ''
as $$
  with wanted as (
    select i.id, min(i.place) as place
    from unnest(messenger_follow_all.ids) with ordinality as i (id, place)
    group by i.id
  )
  select jsonb_build_object(
    'messages',
    coalesce(jsonb_agg(f.message order by w.place) filter (where f.id is not null), '[]'),
    'missing',
    coalesce(jsonb_agg(w.id::text order by w.place) filter (where f.id is null), '[]')
  )
  from wanted w
  left join messenger.followed(messenger_follow_all.ids, messenger_follow_all.user_id) f
    on f.id = w.id
$$;
comment on function public.messenger_follow_all(bigint[], text) is
  'The states of messages as messenger_follow returns them, in the order of the ids, each once. Returns {"messages", "missing"}; missing are the ids that are unknown, no longer known, or another user''s.';

-- Reads at most `max_scanned` messages of the user, whatever the filter: a page may come back short, with a `next` to
-- continue behind. A status is looked for only in the table that has it.
--
-- The order begins with the user, who is compared to an array of one element: then the planner does not know that all
-- rows have the same user, and that it could read a primary key in its order past the messages of all others.
create function public.messenger_list_user_messages(
  user_id text,
  type text default null,
  status text default null,
  before_id bigint default null,
  max_messages integer default 50,
  max_scanned integer default 2000
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  place_wanted constant integer := case
    when status in ('failed', 'cancelled') then 2 when status = 'handled' then 3
    when status is not null then 1
  end;
  first_behind constant bigint := coalesce(before_id, 9223372036854775807);
  page bigint[];
  last_seen bigint;
begin
  page := array(
    select s.id
    from (
      select f.id, f.type, f.status, f.keep_until from messenger.followable_messages f
      where f.user_id = any (array[messenger_list_user_messages.user_id]) and f.id < first_behind
        and (place_wanted is null or f.place = place_wanted)
      order by f.user_id desc, f.id desc
      limit max_scanned
    ) as s
    where (messenger_list_user_messages.type is null or s.type = messenger_list_user_messages.type)
      and (
        messenger_list_user_messages.status is null
        or s.status = messenger_list_user_messages.status
      )
      and s.keep_until > public.messenger_now()
    limit max_messages + 1
  );
  if cardinality(page) > max_messages then
    last_seen := page[max_messages];
  else
    select f.id into last_seen from messenger.followable_messages f
    where f.user_id = any (array[messenger_list_user_messages.user_id]) and f.id < first_behind
      and (place_wanted is null or f.place = place_wanted)
    order by f.user_id desc, f.id desc
    offset max_scanned - 1 limit 1;
  end if;
  return jsonb_build_object(
    'messages', (
      select coalesce(jsonb_agg(f.message order by f.id desc), '[]')
      from messenger.followed(page[:max_messages], messenger_list_user_messages.user_id) f
    ),
    'next', last_seen::text
  );
end
$$;
comment on function public.messenger_list_user_messages(text, text, text, bigint, integer, integer) is
  'Messages that a user dispatched, the latest first, those before an id, of a type and in a status of messenger_follow. Returns {"messages", "next"}, the messages as messenger_follow returns them; a page that met max_scanned is short, and next continues behind it.';

-- The user of a message stays the same, so that the check still holds when cancel_ids() locks the message.
create function public.messenger_cancel_message(id bigint, user_id text default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from public.messenger_messages m
    where m.id = messenger_cancel_message.id
      and (
        messenger_cancel_message.user_id is null
        or m.stamps #>> '{user,id}' = messenger_cancel_message.user_id
      )
  ) then
    perform messenger.cancel_ids(array[messenger_cancel_message.id]);
  end if;
  return public.messenger_follow(messenger_cancel_message.id, messenger_cancel_message.user_id);
end
$$;
comment on function public.messenger_cancel_message(bigint, text) is
  'Cancels one message, as messenger_cancel does; with a user_id, only one that this user dispatched. Returns its state afterwards as messenger_follow does: cancelled, or cancelling while it runs; what is finished stays as it is.';

-- ==================== 43_live.sql

-- Live updates: where Supabase Realtime is, what becomes of a message whose definition is `live` is
-- broadcast to the user who dispatched it, in the transaction that changes it: the status, as
-- messenger_follow returns it, on the private channel messenger:<user id>. All of it is in triggers
-- whose condition is the stamp `live`; without Realtime they do not exist.

-- A broadcast that fails never fails the change that it reports.
create function messenger.broadcast(p_message jsonb, p_user_id text) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Named when it runs, for where Realtime is not there is no such function to be checked against.
  send constant text := 'realtime.send';
begin
  if p_message is not null and p_user_id is not null then
    execute format('select %s($1, ''message'', $2, true)', send)
    using p_message, 'messenger:' || p_user_id;
  end if;
exception when others then
  raise warning 'message % was not broadcast: %', p_message ->> 'id', sqlerrm;
end
$$;
comment on function messenger.broadcast(jsonb, text) is
  'Tells a user of a message, on their channel. Never raises.';

create function messenger.broadcast_message() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(
    public.messenger_follow(new.id), new.stamps #>> '{user,id}'
  );
  return null;
end
$$;
comment on function messenger.broadcast_message() is
  'Trigger: broadcasts a message that waits, runs or is a dead letter.';

-- A trigger of messenger_failed_messages reports dead letters.
create function messenger.broadcast_handled() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from public.messenger_failed_messages f where f.id = old.id) then
    perform messenger.broadcast(
      coalesce(
        public.messenger_follow(old.id),
        messenger.followed_message(
          old.id, old.type, 'handled', old.attempts, old.created_at,
          p_finished_at => public.messenger_now()
        )
      ),
      old.stamps #>> '{user,id}'
    );
  end if;
  return null;
end
$$;
comment on function messenger.broadcast_handled() is
  'Trigger: broadcasts a message that was running and is gone, unless it is a dead letter.';

create function messenger.broadcast_progress() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(
    public.messenger_follow(new.message_id), m.stamps #>> '{user,id}'
  )
  from public.messenger_messages m
  where m.id = new.message_id and m.stamps ? 'live';
  return null;
end
$$;
comment on function messenger.broadcast_progress() is
  'Trigger: broadcasts what a handler reports of a live message.';

create function public.messenger_enable_live() returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if to_regclass('realtime.messages') is null
    or to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
  then
    return false;
  end if;

  create or replace trigger messenger_messages_live_written
    after insert on public.messenger_messages
    for each row when (new.stamps ? 'live')
    execute function messenger.broadcast_message();
  -- A cancel or a sweep takes a message that waits under a lease without an attempt. That one does not run: it is told
  -- as the dead letter that it becomes.
  create or replace trigger messenger_messages_live_changed
    after update of status, cancelled on public.messenger_messages
    for each row when (
      new.stamps ? 'live' and (
        old.status <> new.status and (new.status = 'pending' or new.attempts > old.attempts)
        or not old.cancelled and new.cancelled
      )
    )
    execute function messenger.broadcast_message();
  create or replace trigger messenger_messages_live_handled
    after delete on public.messenger_messages
    for each row when (old.stamps ? 'live' and old.status = 'processing')
    execute function messenger.broadcast_handled();
  create or replace trigger messenger_failed_messages_live
    after insert on public.messenger_failed_messages
    for each row when (new.stamps ? 'live')
    execute function messenger.broadcast_message();
  create or replace trigger progress_live
    after insert or update on messenger.progress
    for each row execute function messenger.broadcast_progress();

  if not exists (
    select from pg_catalog.pg_policies p
    where p.schemaname = 'realtime' and p.tablename = 'messages'
      and p.policyname = 'messenger: users hear of their own messages'
  ) then
    create policy "messenger: users hear of their own messages" on realtime.messages
      for select to authenticated
      using (
        extension = 'broadcast'
        and (select realtime.topic()) = 'messenger:' || (select auth.jwt() ->> 'sub')
      );
  end if;
  return true;
end
$$;
comment on function public.messenger_enable_live() is
  'Turns live updates on if Realtime is there, and returns whether it is. The migration calls it; call it again if Realtime came later.';

do $$
begin
  perform public.messenger_enable_live();
exception when others then
  raise warning 'live updates are off, messenger_enable_live() turns them on: %', sqlerrm;
end
$$;

-- ==================== 43_user_schedules.sql

-- Users show and change the schedules that they made, over HTTP. The functions that list and remove them are among
-- those that operate schedules.

-- A caller checks a change against the whole schedule, which another change may alter meanwhile. The text names what
-- the caller has seen. It is a hash, for a definition has megabytes, and no payload can forge a hash of this kind.
create function messenger.schedule_seen(p_schedule public.messenger_schedules) returns text
language sql stable
set search_path = ''
as $$
  select encode(
    sha256(convert_to(messenger.schedule_definition(p_schedule)::text, 'UTF8')), 'hex'
  )
$$;
comment on function messenger.schedule_seen(public.messenger_schedules) is
  'A text that names the definition of a schedule: it differs if the definition does.';

create function public.messenger_show_user_schedule(user_id text, id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'schedule', to_jsonb(s) - '{lease_token,leased_until}'::text[]
      || jsonb_build_object('id', s.id::text),
    'seen', messenger.schedule_seen(s), 'now', public.messenger_now()
  )
  from public.messenger_schedules s
  where s.id = messenger_show_user_schedule.id
    and s.stamps -> 'user' ->> 'id' = messenger_show_user_schedule.user_id
$$;
comment on function public.messenger_show_user_schedule(text, bigint) is
  'A schedule that a user has made, with its payload and stamps. Returns {"schedule", "seen", "now"}; seen is for messenger_change_user_schedule. Null alike for an id that is unknown or another user''s.';

-- A user does not resume what an operator has paused: a pause of theirs has a reason of its own.
create function messenger.switch_schedule(p_id bigint, p_enabled boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  own_pause constant text := 'paused by its user';
  known record;
begin
  select s.enabled, s.disabled_by, s.disabled_reason into known
  from public.messenger_schedules s where s.id = p_id;
  if p_enabled is null or p_enabled = known.enabled then
    return;
  end if;
  if p_enabled and known.disabled_by = 'finished' then
    raise sqlstate 'PT409'
      using message = 'enabled: the schedule is finished; change its times or maxRuns';
  end if;
  if p_enabled and known.disabled_by <> 'invalid' and known.disabled_reason is distinct from own_pause then
    raise sqlstate 'PT409' using message = 'enabled: an operator has stopped the schedule';
  end if;
  update public.messenger_schedules s
  set enabled = p_enabled,
    disabled_by = case when not p_enabled then 'pause' end,
    disabled_reason = case when not p_enabled then own_pause end
  where s.id = p_id;
end
$$;
comment on function messenger.switch_schedule(bigint, boolean) is
  'Part of messenger_change_user_schedule: pauses or resumes a schedule for its user; null leaves it as it is. Refuses, PT409, to resume one that is finished or that an operator has stopped.';

-- A change enables a schedule that ended by itself, for it may have runs again. Without a change of its times it has
-- none, which the next tick would find: until then its user would see it enabled, without a next run.
create function messenger.keep_finished(p_known public.messenger_schedules, p_change jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_known.disabled_by = 'finished' and not p_change ?| array[
    'schedule_type', 'cron', 'interval_ms', 'run_at', 'timezone', 'start_at', 'end_at', 'max_runs'
  ] then
    update public.messenger_schedules s
    set enabled = false, disabled_by = 'finished', disabled_reason = p_known.disabled_reason
    where s.id = p_known.id and s.enabled;
  end if;
end
$$;
comment on function messenger.keep_finished(public.messenger_schedules, jsonb) is
  'Part of messenger_change_user_schedule: a schedule that was finished stays so, unless its times are changed.';

-- Takes its locks in the order of all: the quota, the rate limits, the schedule.
create function public.messenger_change_user_schedule(
  user_id text,
  id bigint,
  change jsonb default null,
  seen text default null,
  enabled boolean default null,
  limits jsonb default '[]',
  max_schedules integer default 100
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known public.messenger_schedules;
begin
  perform messenger.lock_schedule_quota(user_id);
  perform messenger.count_dispatches(limits);
  select * into known from public.messenger_schedules s
  where s.id = messenger_change_user_schedule.id
    and s.stamps -> 'user' ->> 'id' = messenger_change_user_schedule.user_id
  for update;
  if known.id is null then
    raise sqlstate 'PT404' using message = 'id: there is no schedule of yours with this id';
  end if;
  if change is not null then
    if seen is distinct from messenger.schedule_seen(known) then
      raise sqlstate 'PT409' using
        message = 'schedule: has changed meanwhile; try again', detail = 'stale';
    end if;
    perform public.messenger_save_schedules(
      jsonb_build_array(change || jsonb_build_object('id', known.id))
    );
    perform messenger.keep_finished(known, change);
  end if;
  perform messenger.switch_schedule(known.id, enabled);
  -- One that was finished did not count.
  if known.disabled_by = 'finished' then
    perform messenger.check_schedule_quota(user_id, 0, max_schedules);
  end if;
  return public.messenger_show_user_schedule(user_id, known.id) -> 'schedule';
end
$$;
comment on function public.messenger_change_user_schedule(
  text, bigint, jsonb, text, boolean, jsonb, integer
) is
  'Changes a schedule that a user has made, within rate limits and the number of schedules that a user may have, and returns it. "change" has columns as messenger_save_schedules takes them, "seen" is what messenger_show_user_schedule returned to the caller who checked them: PT409 with the detail stale if the schedule is another by now. "enabled" pauses or resumes it. All or nothing.';

-- ==================== 44_actions.sql

-- The action log: who changed what through the management API. messenger_act() makes the change and
-- writes the line in one transaction, so that neither is without the other.

create table public.messenger_actions (
  id bigint generated always as identity primary key,
  at timestamptz not null default public.messenger_now(),
  actor text not null check (length(actor) between 1 and 200),
  action text not null,
  target jsonb not null default '{}',
  affected bigint not null
);

comment on table public.messenger_actions is
  'Operators'' changes through the management API: who, when, what, and how many rows.';
comment on column public.messenger_actions.id is
  'Order of the actions.';
comment on column public.messenger_actions.at is
  'When it was done.';
comment on column public.messenger_actions.actor is
  'The operator: the id of a signed-in user, or "secret key" and the key''s name.';
comment on column public.messenger_actions.action is
  'The SQL function that did it, without its prefix messenger_.';
comment on column public.messenger_actions.target is
  'Arguments of the action: ids, filter, settings; never a payload.';
comment on column public.messenger_actions.affected is
  'How many messages, queues or schedules it changed.';

create index messenger_actions_at_idx on public.messenger_actions (at);
comment on index public.messenger_actions_at_idx is
  'Actions by age, for pruning.';

alter table public.messenger_actions enable row level security;

create function messenger.action_target(p_args jsonb, p_answer jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_strip_nulls(
    p_args - '{payload,schedules,dry_run,after,secret_key}'::text[] #- '{message,payload}' #- '{message,stamps}'
  )
    || case when p_args ? 'payload' then '{"payload":"edited"}'::jsonb else '{}' end
    || case when p_args ? 'schedules' then jsonb_build_object('schedules', (
      select jsonb_agg(
        jsonb_strip_nulls((given.value - '{payload,stamps}'::text[]) || saved.value)
        order by given.position
      )
      from jsonb_array_elements(p_args -> 'schedules') with ordinality as given (value, position)
      join jsonb_array_elements(p_answer -> 'schedules') with ordinality as saved (value, position)
        using (position)
    )) else '{}' end
$$;
comment on function messenger.action_target(jsonb, jsonb) is
  'Part of messenger_act: what the log keeps of an operation''s arguments; never a payload or a key.';

-- Calls a function as PostgREST would: by the names of its arguments, those that are not given having
-- their defaults.
create function messenger.call_operation(p_operation text, p_args jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  operations constant text[] := array[
    'messenger_redrive', 'messenger_remove_failed', 'messenger_cancel', 'messenger_run',
    'messenger_create_queue', 'messenger_set_queue', 'messenger_delete_queue',
    'messenger_save_schedules', 'messenger_pause_schedule', 'messenger_resume_schedule',
    'messenger_trigger_schedule', 'messenger_unschedule',
    'messenger_prune', 'messenger_prune_schedule_runs', 'messenger_prune_actions',
    'messenger_prune_job_runs', 'messenger_tidy_queues', 'messenger_setup'
  ];
  known text[];
  required text[];
  given text;
  columns text;
  answer jsonb;
begin
  if p_operation is null or p_operation <> all (operations) then
    raise sqlstate 'PT400' using message = format(
      'operation: has to be one of %s', array_to_string(operations, ', ')
    );
  end if;
  if jsonb_typeof(p_args) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'args: has to be an object';
  end if;

  select array_agg(a.name),
    string_agg(format('%1$I => given.%1$I', a.name), ', ') filter (where p_args ? a.name),
    string_agg(format('%I %s', a.name, pg_catalog.format_type(a.type, null)), ', ')
      filter (where p_args ? a.name),
    coalesce(
      array_agg(a.name) filter (where a.number <= p.pronargs - p.pronargdefaults), '{}'
    )
  into known, given, columns, required
  from pg_catalog.pg_proc p,
    unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, number)
  where p.pronamespace = 'public'::regnamespace and p.proname = p_operation;
  if not p_args ?& required or exists (select from jsonb_object_keys(p_args) as name where name <> all (known)) then
    raise sqlstate 'PT400' using message = format(
      'args: %s takes %s', p_operation, array_to_string(known, ', ')
    );
  end if;
  -- Cast through text, because the result of a function that returns void is the empty text.
  execute format(
    'select nullif(public.%I(%s)::text, '''')::jsonb from jsonb_to_record($1) as given (%s)',
    p_operation, coalesce(given, ''), coalesce(columns, 'nothing text')
  ) into answer using p_args;
  return answer;
end
$$;
comment on function messenger.call_operation(text, jsonb) is
  'Calls one of the operators'' functions with arguments by name. Returns what the function returns.';

-- A dry run, and a call that changed nothing, are not logged.
create function public.messenger_act(actor text, operation text, args jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  affected bigint;
begin
  if coalesce(actor, '') = '' then
    raise sqlstate 'PT400' using message = 'actor: is required';
  end if;
  answer := messenger.call_operation(operation, args);
  affected := case
    when answer ? 'done' then
      (answer ->> 'done')::bigint + coalesce((answer ->> 'running')::bigint, 0)
    when answer ? 'changed' then (answer -> 'changed')::boolean::integer
    when operation = 'messenger_save_schedules' then (
      select count(*) from jsonb_array_elements(answer -> 'schedules') as s (saved)
      where saved ->> 'change' <> 'unchanged'
    )
    when operation = 'messenger_unschedule' then answer::boolean::integer
    else 1
  end;
  if affected > 0 and not coalesce((args ->> 'dry_run')::boolean, false) then
    insert into public.messenger_actions (actor, action, target, affected)
    values (
      actor, substr(operation, length('messenger_') + 1),
      messenger.action_target(args, answer), affected
    );
  end if;
  return answer;
end
$$;
comment on function public.messenger_act(text, text, jsonb) is
  'Calls one of the operators'' functions with arguments by name, and writes who did it into messenger_actions, in one transaction; of a function that works in steps, a line a step. Returns what the function returns.';

-- Each step is committed before the next begins, so that a time limit or a crash undoes one step at most. The procedure
-- has no search_path of its own, because Postgres forbids a procedure with one to commit.
create procedure public.messenger_in_steps(
  operation text, args jsonb, actor text default null, max_minutes integer default 50
)
language plpgsql
as $$
declare
  ends_at constant timestamptz := pg_catalog.clock_timestamp()
    + max_minutes * interval '1 minute';
  step jsonb := '{}'::jsonb;
  done bigint := 0;
begin
  loop
    args := args || pg_catalog.jsonb_strip_nulls(
      pg_catalog.jsonb_build_object('after', step -> 'next')
    );
    step := case
      when actor is null then messenger.call_operation(operation, args)
      else public.messenger_act(actor, operation, args)
    end;
    commit;
    done := done + (step ->> 'done')::bigint;
    exit when step -> 'next' = 'null' or step -> 'next' is null
      or pg_catalog.clock_timestamp() >= ends_at;
    raise notice '% done, % left', done,
      coalesce(step -> 'left' ->> 'count', 'more')
        || case when (step -> 'left' ->> 'capped')::boolean then ' or more' else '' end;
  end loop;
  raise notice '% done', done;
end
$$;
comment on procedure public.messenger_in_steps(text, jsonb, text, integer) is
  'Takes all steps of messenger_redrive, messenger_remove_failed, messenger_cancel, messenger_run or a prune, with arguments by name, each in a transaction of its own, until the end or for max_minutes. With an actor the action log has a line a step.';

create function public.messenger_list_actions(
  before_id bigint default null, max_actions integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select * from public.messenger_actions a
    where a.id < coalesce(before_id, 9223372036854775807)
    order by a.id desc
    limit max_actions
  )
  select jsonb_build_object(
    'actions', coalesce(
      jsonb_agg(to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc), '[]'
    ),
    'next', case when count(*) = max_actions then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_actions(bigint, integer) is
  'The action log, the latest first, those before an id. Returns {"actions", "next"}; next is the id before which the next page begins.';

create function public.messenger_prune_actions(
  older_than interval default interval '90 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  number integer;
begin
  perform messenger.check_age('older_than', older_than);
  number := messenger.prune_before(
    'public.messenger_actions', 'at', public.messenger_now() - older_than, 10000, false
  );
  return jsonb_build_object(
    'matched', number, 'done', number, 'next', case when number = 10000 then '{}'::jsonb end
  );
end
$$;
comment on function public.messenger_prune_actions(interval, jsonb) is
  'Deletes up to 10,000 lines of the action log older than an age. pg_cron calls it hourly. Returns {"matched", "done", "next"}; after a step that is not the last, "next" is not null.';

-- ==================== 45_manage_queues.sql

-- Operators' functions for queues: they show the depth of queues, and set their limits.

create function messenger.capped(p_count bigint, p_max_count integer) returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
  select jsonb_build_object('count', least(p_count, p_max_count), 'capped', p_count > p_max_count)
$$;
comment on function messenger.capped(bigint, integer) is
  'A count that stopped one above p_max_count, as {"count", "capped"}.';

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
  'Part of messenger.queue_depth(): messages of one priority that are due and that are delayed, counted up to a bound each, and since when the first of them is due.';

-- It walks priority by priority along the index of the claim.
create function messenger.queue_depth(
  p_queue text, p_max_count integer default 10000
) returns jsonb
language plpgsql stable
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

  select count(*), count(*) filter (where g.blocked) into grouped, blocked
  from (
    select m.blocked from public.messenger_messages m
    where m.queue = p_queue and m.group_key is not null
      and m.status = 'pending' and not m.heartbeated
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
  'Messages of a queue that wait, without those that have to run alone. Returns {"due", "delayed", "blocked", "oldest_ready_at"}; counts are {"count", "capped"}, at most p_max_count.';

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
    select * from public.messenger_queues q
    where (messenger_list_queues.name is null or q.name = messenger_list_queues.name)
      and (names is null or q.name = any (names))
      and q.name > after_name
    order by q.name
    limit max_queues
  ),
  running as (
    select m.queue, count(*) from (
      select m.queue from public.messenger_messages m
      where m.status = 'processing'
        and m.id = any (array(select unnest(l.ids) from messenger.leases l))
      limit max_count + 1
    ) as m
    group by m.queue
  ),
  -- Quarantined messages; nearly always none.
  quarantined as (
    select m.queue, count(*) from (
      select m.queue from messenger.quarantined_messages m
      order by m.available_at, m.id
      limit max_count + 1
    ) as m
    group by m.queue
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
  'Queues by name, those behind after_name: settings, messages that are due, delayed, blocked behind their group, to be run alone, and processing, and since when the oldest due one waits. Returns {"queues", "next", "now"}; counts are {"count", "capped"}, at most max_count.';

create function messenger.check_queue_settings(p_settings jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  allowed constant text[] := array[
    'paused', 'max_workers', 'concurrency', 'group_concurrency', 'rate_limit', 'rate_period_ms',
    'weight', 'lease_ms', 'runs_on'
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

create function public.messenger_set_queue(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_queues;
  wanted public.messenger_queues;
  field text;
begin
  perform messenger.check_queue_settings(settings);
  select * into before from public.messenger_queues q
  where q.name = messenger_set_queue.name for update;
  if before.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no queue %s', name);
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
      lease_ms, runs_on
    ) = (
      wanted.paused, wanted.max_workers, wanted.concurrency, wanted.group_concurrency,
      wanted.rate_limit, wanted.rate_period_ms, wanted.weight, wanted.lease_ms,
      wanted.runs_on
    )
    where q.name = messenger_set_queue.name;
    -- Messages that a pause or a limit held back start now, not at the next minute.
    if wanted.runs_on = 'tick' and messenger.has_due(p_queues => array[name]) then
      perform messenger.wake();
    end if;
  end if;
  return jsonb_build_object('queue', to_jsonb(wanted), 'changed', wanted is distinct from before);
exception
  when invalid_text_representation or numeric_value_out_of_range or datatype_mismatch then
    raise sqlstate 'PT400' using message = format('%s: %s', field, sqlerrm);
  when not_null_violation then
    get stacked diagnostics field = column_name;
    raise sqlstate 'PT400' using message = format('%s: has to have a value', field);
  when check_violation then
    get stacked diagnostics field = constraint_name;
    raise sqlstate 'PT400' using message = format(
      '%s: has a value that is not allowed',
      regexp_replace(field, '^messenger_queues_(.*)_check\d*$', '\1')
    );
end
$$;
comment on function public.messenger_set_queue(text, jsonb) is
  'Changes those settings of a queue that are given, by the names of its columns, and wakes a tick if something is due then. Returns {"queue", "changed"}.';

create function public.messenger_create_queue(name text, settings jsonb default '{}')
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if name !~ '^[A-Za-z0-9_.:-]{1,100}$' or name is null then
    raise sqlstate 'PT400' using message = format(
      'name: has to be 1 to 100 letters, digits or _ . : - (%L was given)', name
    );
  end if;
  insert into public.messenger_queues as q (name) values (name) on conflict do nothing;
  if not found then
    raise sqlstate 'PT409' using message = format('name: there is a queue %s already', name);
  end if;
  return public.messenger_set_queue(name, settings) || '{"changed": true}';
end
$$;
comment on function public.messenger_create_queue(text, jsonb) is
  'Makes a queue before its first message comes, with settings by the names of its columns. Returns {"queue", "changed"}.';

create function public.messenger_delete_queue(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if name = 'default' then
    raise sqlstate 'PT409' using message = 'name: the queue default stays';
  end if;
  delete from public.messenger_queues q where q.name = messenger_delete_queue.name;
  if not found then
    raise sqlstate 'PT404' using message = format('name: there is no queue %s', name);
  end if;
  return '{"changed": true}'::jsonb;
end
$$;
comment on function public.messenger_delete_queue(text) is
  'Deletes a queue that holds no messages, with its settings. Returns {"changed"}.';

-- ==================== 46_jobs.sql

-- The cron jobs: one list, from which messenger_setup() makes them, and by which a health check judges them.

create function messenger.jobs()
returns table (job_name text, schedule text, command text, calls text)
language sql immutable
set search_path = ''
as $$
  values
    ('symphony-tick', '* * * * *', 'select public.messenger_tick()', 'messenger_tick'),
    (
      'symphony-prune', '17 * * * *',
      'call public.messenger_in_steps(''messenger_prune'', ''{"failed_older_than": "30 days"}'')',
      'messenger_prune'
    ),
    (
      'symphony-prune-job-runs', '27 * * * *',
      'call public.messenger_in_steps(''messenger_prune_job_runs'', ''{"older_than": "2 days"}'')',
      'messenger_prune_job_runs'
    ),
    (
      'symphony-prune-schedule-runs', '37 * * * *',
      'call public.messenger_in_steps(''messenger_prune_schedule_runs'', ''{"older_than": "30 days", "keep": 100}'')',
      'messenger_prune_schedule_runs'
    ),
    (
      'symphony-prune-actions', '37 * * * *',
      'call public.messenger_in_steps(''messenger_prune_actions'', ''{"older_than": "90 days"}'')',
      'messenger_prune_actions'
    ),
    (
      'symphony-tidy-queues', '47 * * * *',
      'call public.messenger_in_steps(''messenger_tidy_queues'', ''{"empty_older_than": "7 days"}'')',
      'messenger_tidy_queues'
    )
$$;
comment on function messenger.jobs() is
  'The cron jobs of the bus: name, schedule and command as they are made, and the function that a job of this name calls whatever ages an operator has given it.';

-- A job counts whichever user it runs as: one that was moved to another user does the work all the same.
create function messenger.job_problems() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if to_regclass('cron.job') is null then
    return '[]'::jsonb;
  end if;
  return (
    select coalesce(
      jsonb_agg(jsonb_build_object('name', judged.job_name, 'problem', judged.problem) order by judged.job_name)
        filter (where judged.problem is not null),
      '[]'
    )
    from (
      select l.job_name, case
        when count(j) = 0 then 'missing'
        when not bool_or(messenger.is_job(j.command, l.calls)) then 'other command'
        when not bool_or(j.active and messenger.is_job(j.command, l.calls)) then 'inactive'
        when count(*) filter (where j.active and messenger.is_job(j.command, l.calls)) > 1 then 'doubled'
      end as problem
      from messenger.jobs() l left join cron.job j on j.jobname = l.job_name
      group by l.job_name
    ) as judged
  );
end
$$;
comment on function messenger.job_problems() is
  'Part of messenger.installation(): cron jobs that are not as they have to be, [{"name", "problem"}]; problem is missing, other command, inactive or doubled.';

create function messenger.is_job(p_command text, p_calls text) returns boolean
language sql immutable
set search_path = ''
as $$ select p_command ~* ('\m' || p_calls || '\M') $$;
comment on function messenger.is_job(text, text) is
  'Whether a cron job''s command calls a function of the bus.';

-- pg_cron's table of jobs does not say since when a job is there. A job that has not run yet is a fault only after
-- some minutes.
create table messenger.jobs_set_up (
  singleton boolean primary key default true check (singleton),
  at timestamptz not null default public.messenger_now()
);
comment on table messenger.jobs_set_up is
  'When messenger_setup() last made, repaired or renewed cron jobs, in one row.';
comment on column messenger.jobs_set_up.singleton is
  'Always true: the table has one row.';
comment on column messenger.jobs_set_up.at is
  'A job that is there since this moment, and has not run within some minutes, never runs.';
alter table messenger.jobs_set_up enable row level security;

-- ==================== 46_list_messages.sql

-- Messages as operators see them, dead letters included: lists a page at a time, without payloads, and
-- single messages in full. Lists name their columns, for a row as a whole is read with its payload.
--
-- A page reads at most `max_scanned` rows, whatever its filter: it may come back short, with a `next`
-- to continue behind. So no list is slow on a large table, and the hot one needs no index for lists.

create function public.messenger_list_messages(
  status text default null,
  type text default null,
  queue text default null,
  before_id bigint default null,
  max_messages integer default 50,
  max_scanned integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select s.id, s.type, s.queue, s.priority, s.status, s.available_at, s.expires_at, s.retry_count,
      s.attempts, s.snoozes, s.interruptions, s.created_at, s.group_key, s.blocked, s.dedupe_key,
      s.quarantined, s.leased_until, s.cancelled, s.errors -> -1 ->> 'message' as error
    from (
      -- Rows that are leased are few, and their leases name them.
      select * from (
        select * from public.messenger_messages m
        where m.status = 'processing' and messenger_list_messages.status = 'processing'
          and m.id = any (array(select unnest(l.ids) from messenger.leases l))
          and m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
      ) as leased
      union all
      select * from (
        select * from public.messenger_messages m
        where messenger_list_messages.status is distinct from 'processing'
          and m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
        limit max_scanned
      ) as latest
    ) as s
    where (messenger_list_messages.status is null or s.status = messenger_list_messages.status)
      and (messenger_list_messages.type is null or s.type = messenger_list_messages.type)
      and (messenger_list_messages.queue is null or s.queue = messenger_list_messages.queue)
    limit max_messages
  )
  select jsonb_build_object(
    'messages', coalesce(
      jsonb_agg(
        to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc
      ),
      '[]'
    ),
    'next', case
      when count(*) = max_messages then min(f.id)
      when messenger_list_messages.status is distinct from 'processing' then (
        select m.id from public.messenger_messages m
        where m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
        offset max_scanned - 1 limit 1
      )
    end::text
  )
  from found f
$$;
comment on function public.messenger_list_messages(text, text, text, bigint, integer, integer) is
  'Messages that wait or run, the latest first, those before an id, without payloads. Returns {"messages", "next"}; a page that met max_scanned is short, and next continues behind it.';

create function messenger.last_failed_scanned(
  p_type text, p_from timestamptz, p_until timestamptz, p_before_at timestamptz, p_before_id bigint,
  p_max_scanned integer
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  from_at constant timestamptz := coalesce(p_from, '-infinity');
  until_at constant timestamptz := coalesce(p_until, 'infinity');
  before_at constant timestamptz := coalesce(p_before_at, 'infinity');
  before_id constant bigint := coalesce(p_before_id, 9223372036854775807);
begin
  -- Two queries, for each has an index of its own.
  if p_type is not null then
    return (
      select jsonb_build_array(f.failed_at, f.id::text) from public.messenger_failed_messages f
      where f.type = p_type and (f.failed_at, f.id) < (before_at, before_id)
        and f.failed_at >= from_at and f.failed_at < until_at
      order by f.failed_at desc, f.id desc
      offset p_max_scanned - 1 limit 1
    );
  end if;
  return (
    select jsonb_build_array(f.failed_at, f.id::text) from public.messenger_failed_messages f
    where (f.failed_at, f.id) < (before_at, before_id)
      and f.failed_at >= from_at and f.failed_at < until_at
    order by f.failed_at desc, f.id desc
    offset p_max_scanned - 1 limit 1
  );
end
$$;
comment on function messenger.last_failed_scanned(
  text, timestamptz, timestamptz, timestamptz, bigint, integer
) is
  'Part of messenger_list_failed: [failed_at, id] of the last dead letter that a page scans; null where there are fewer.';

create function public.messenger_list_failed(
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  before_at timestamptz default null, before_id bigint default null,
  max_messages integer default 50, max_scanned integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select s.id, s.type, s.queue, s.priority, s.status, s.reason, s.error, s.retry_count, s.attempts,
      s.redriven, s.group_key, s.created_at, s.failed_at
    from (
      select * from (
        select * from public.messenger_failed_messages f
        where f.type = messenger_list_failed.type
          and (f.failed_at, f.id)
            < (coalesce(before_at, 'infinity'), coalesce(before_id, 9223372036854775807))
          and f.failed_at >= coalesce(failed_from, '-infinity')
          and f.failed_at < coalesce(failed_until, 'infinity')
        order by f.failed_at desc, f.id desc
        limit max_scanned
      ) as of_type
      union all
      select * from (
        select * from public.messenger_failed_messages f
        where messenger_list_failed.type is null
          and (f.failed_at, f.id)
            < (coalesce(before_at, 'infinity'), coalesce(before_id, 9223372036854775807))
          and f.failed_at >= coalesce(failed_from, '-infinity')
          and f.failed_at < coalesce(failed_until, 'infinity')
        order by f.failed_at desc, f.id desc
        limit max_scanned
      ) as latest
    ) as s
    where (messenger_list_failed.queue is null or s.queue = messenger_list_failed.queue)
      and (messenger_list_failed.reason is null or s.reason = messenger_list_failed.reason)
      and (messenger_list_failed.error is null
        or position(lower(messenger_list_failed.error) in lower(s.error)) > 0)
    limit max_messages
  )
  select jsonb_build_object(
    'messages', coalesce(jsonb_agg(
      to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.failed_at desc, f.id desc
    ), '[]'),
    'next', case
      when count(*) = max_messages then (
        select jsonb_build_array(l.failed_at, l.id::text) from found l
        order by l.failed_at, l.id limit 1
      )
      else messenger.last_failed_scanned(
        messenger_list_failed.type, failed_from, failed_until, before_at, before_id, max_scanned
      ) end
  )
  from found f
$$;
comment on function public.messenger_list_failed(
  text, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer, integer
) is
  'Dead letters, the latest first, those before a moment and id, without payloads. Returns {"messages", "next"}; next is [failed_at, id], and a page that met max_scanned is short.';

create function public.messenger_show_message(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(m) - '{lease_token,heartbeated,dedupe_until_started}'::text[] || jsonb_build_object(
    'id', m.id::text, 'error', m.errors -> -1 ->> 'message', 'errors', coalesce(m.errors, '[]')
  )
  from public.messenger_messages m where m.id = messenger_show_message.id
$$;
comment on function public.messenger_show_message(bigint) is
  'A message that waits or runs, with its payload and history; null if there is none of this id.';

create function public.messenger_show_failed(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(f) || jsonb_build_object('id', f.id::text)
  from public.messenger_failed_messages f where f.id = messenger_show_failed.id
$$;
comment on function public.messenger_show_failed(bigint) is
  'A dead letter with its payload and history; null if there is none of this id.';

-- ==================== 47_health.sql

-- Health: the facts that health checks, dashboards and metrics read, each in one call.

-- Runs with its owner's rights: the service role may not read pg_cron's jobs, Vault's secrets and pg_net's
-- responses. It takes no arguments, and says nothing of the key but whether it can be read.
create function messenger.tick_job() returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  job jsonb;
  last_run jsonb;
begin
  if to_regclass('cron.job') is null then
    return '{}'::jsonb;
  end if;
  select jsonb_build_object(
    'id', j.jobid, 'schedule', j.schedule,
    'active', j.active and j.command ~* '\mmessenger_tick\s*\('
  )
  into job
  from cron.job j
  where j.jobname = 'symphony-tick'
  order by j.active desc limit 1;
  -- The records have no index by job.
  select jsonb_build_object('at', r.start_time, 'status', r.status, 'message', left(r.return_message, 300))
  into last_run
  from (select * from cron.job_run_details d order by d.runid desc limit 1000) as r
  where r.jobid = (job ->> 'id')::bigint and r.status in ('succeeded', 'failed')
  order by r.runid desc limit 1;
  return jsonb_build_object(
    'active', coalesce((job ->> 'active')::boolean, false), 'schedule', job -> 'schedule', 'last_run', last_run,
    'not_run_since', case
      -- With cron.log_run off pg_cron writes no records, and whether it runs the job is not known.
      when last_run is null and not exists (
        select from pg_catalog.pg_settings s where s.name = 'cron.log_run' and s.setting = 'off'
      ) then (select s.at from messenger.jobs_set_up s)
    end
  );
end
$$;
comment on function messenger.tick_job() is
  'Part of messenger.installation(): the cron job that calls the tick, {"active", "schedule", "last_run", "not_run_since"}; empty without pg_cron. not_run_since is null if the job has run.';

create function messenger.has_tick_secrets() returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return to_regclass('vault.decrypted_secrets') is not null and (
    select count(*) filter (where s.name <> 'symphony_url' or s.decrypted_secret ~ '^https?://[^[:space:]]+$') = 2
    from vault.decrypted_secrets s
    where s.name in ('symphony_url', 'symphony_secret_key') and s.decrypted_secret <> ''
  );
exception when others then
  return false;
end
$$;
comment on function messenger.has_tick_secrets() is
  'Part of messenger.installation(): whether Vault holds the project''s URL and its secret key.';

-- Credentials before the host of a URL are a secret.
create function messenger.tick_url() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select regexp_replace(s.decrypted_secret, '//[^/@]*@', '//')
    from vault.decrypted_secrets s where s.name = 'symphony_url'
  );
exception when others then
  return null;
end
$$;
comment on function messenger.tick_url() is
  'Part of messenger.installation(): the URL in Vault, under which the tick function is called; null if it cannot be read.';

create function messenger.last_tick_answer() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if to_regclass('net._http_response') is null then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'at', a.created, 'status', a.status_code, 'timed_out', coalesce(a.timed_out, false),
      'error', a.error_msg, 'content', left(a.content, 200)
    )
    from (
      -- The answers have no index by request.
      select * from net._http_response r
      where r.created > now() - interval '1 hour' order by r.created desc limit 10000
    ) as a
    join messenger.tick_requests q on q.id = a.id
    order by q.asked_at desc limit 1
  );
end
$$;
comment on function messenger.last_tick_answer() is
  'Part of messenger.installation(): the last answer of the tick function to pg_net; null if there is none.';

create function messenger.installation() returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
declare
  job constant jsonb := messenger.tick_job();
begin
  return jsonb_build_object(
    'pg_cron', to_regclass('cron.job') is not null,
    'pg_net', to_regclass('net._http_response') is not null,
    'vault', to_regclass('vault.decrypted_secrets') is not null,
    'cron_job', coalesce((job ->> 'active')::boolean, false),
    'vault_secrets', messenger.has_tick_secrets(),
    'cron_schedule', job -> 'schedule',
    'last_run', job -> 'last_run',
    'not_run_since', job -> 'not_run_since',
    'jobs', messenger.job_problems(),
    'url', messenger.tick_url(),
    'last_answer', messenger.last_tick_answer()
  );
end
$$;
comment on function messenger.installation() is
  'Whether the prerequisites of the bus are there: {"pg_cron", "pg_net", "vault", "cron_job", "vault_secrets"}; the tick job''s "cron_schedule", "last_run" and "not_run_since"; what is wrong with "jobs"; the "url" in Vault; and the tick function''s last answer to pg_net, "last_answer".';

-- It steps from queue to queue along the index of the claim. Leases name the messages that run. A message that is
-- blocked behind its group has a first message that runs or is in that index.
create function messenger.queues_in_use(p_max_queues integer default 10000)
returns text[]
language sql stable
set search_path = ''
as $$
  with recursive met (queue, number) as (
    (
      select m.queue, 1 from public.messenger_messages m
      where not m.quarantined and not m.blocked and not m.heartbeated
      order by m.queue limit 1
    )
    union all
    select
      (
        select m.queue from public.messenger_messages m
        where not m.quarantined and not m.blocked and not m.heartbeated and m.queue > met.queue
        order by m.queue limit 1
      ),
      met.number + 1
    from met where met.queue is not null and met.number < p_max_queues
  )
  select array(
    select met.queue from met where met.queue is not null
    union
    select unnest(l.queues) from (select * from messenger.leases limit 10000) as l
    union
    select a.queue from (
      select m.queue from public.messenger_messages m
      where m.quarantined and not m.blocked and not m.heartbeated
      order by m.available_at, m.id limit 10000
    ) as a
    order by 1
  )
$$;
comment on function messenger.queues_in_use(integer) is
  'Queues that hold messages, by name; it looks at no more queues than its argument says.';

-- The moment since which the most overdue schedule waits. A schedule that was changed and not planned since counts
-- from its change.
create function messenger.schedules_overdue_since() returns timestamptz
language sql stable
set search_path = ''
as $$
  select least(
    (
      select s.next_run_at from public.messenger_schedules s
      where s.enabled
        and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') > '-infinity'
        and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') <= public.messenger_now()
      order by coalesce(nullif(s.next_run_at, 'infinity'), '-infinity'), s.id limit 1
    ),
    (
      select min(unplanned.updated_at) from (
        select s.updated_at from public.messenger_schedules s
        where s.enabled and coalesce(nullif(s.next_run_at, 'infinity'), '-infinity') = '-infinity'
        order by s.id limit 1000
      ) as unplanned
    )
  )
$$;
comment on function messenger.schedules_overdue_since() is
  'The earliest planned time that has passed, of an enabled schedule; null if none has.';

-- Ticks that were asked for since the last one started, more than half a minute ago.
create function messenger.ticks_not_started() returns integer
language sql stable
set search_path = ''
as $$
  select count(*)::integer
  from (select * from public.messenger_ticks latest order by latest.id desc limit 1000) as t
  where t.started_at is null and t.asked_at < clock_timestamp() - interval '30 seconds'
    and t.asked_at > coalesce(
      (
        select max(s.started_at)
        from (select * from public.messenger_ticks latest order by latest.id desc limit 1000) as s
        where s.worker is null
      ),
      '-infinity'
    )
$$;
comment on function messenger.ticks_not_started() is
  'How many ticks were asked for since the last one started, and did not start within half a minute.';

create function messenger.count_failed(
  p_since timestamptz default '-infinity', p_max_count integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.capped(count(*), p_max_count) from (
    select from public.messenger_failed_messages f where f.failed_at >= p_since limit p_max_count + 1
  ) as counted
$$;
comment on function messenger.count_failed(timestamptz, integer) is
  'How many dead letters there are since a moment, as {"count", "capped"}, at most p_max_count.';

-- One search for each queue that runs in workers; there are few.
create function messenger.waiting_for_workers() returns jsonb
language sql volatile
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('queue', w.name, 'since', w.due_at) order by w.due_at), '[]')
  from (
    select q.name, messenger.next_due(array[q.name]) as due_at
    from public.messenger_queues q
    where q.runs_on = 'worker' and not q.paused and not exists (
      select from public.messenger_ticks t
      where t.worker is not null and t.ended_at is null and q.name = any (t.queues)
        and t.heartbeat_at > clock_timestamp() - interval '15 seconds'
    )
    order by q.name limit 100
  ) as w
  where w.due_at <= public.messenger_now()
$$;
comment on function messenger.waiting_for_workers() is
  'Queues that run in workers and have due messages while no worker that serves them gives a sign of life: [{"queue", "since"}], the longest wait first.';

create function public.messenger_health() returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'now', public.messenger_now(),
    'last_tick_at', (
      select t.started_at from public.messenger_ticks t where t.started_at is not null and t.worker is null
      order by t.id desc limit 1
    ),
    'oldest_ready_at', (
      select due from (
        select messenger.next_due() as due
      ) as next
      where due <= public.messenger_now()
    ),
    'dead_letters_last_hour',
      messenger.count_failed(public.messenger_now() - interval '1 hour'),
    'ticks_not_started', messenger.ticks_not_started(),
    'schedules_overdue_since', messenger.schedules_overdue_since(),
    'schedules_invalid', (
      select count(*) filter (where s.disabled_by = 'invalid')
      from (select latest.disabled_by from public.messenger_schedules latest limit 100000) as s
    ),
    'waiting_for_workers', messenger.waiting_for_workers(),
    'stray_queues', to_jsonb(messenger.stray_queues()),
    'sequence_is_behind', messenger.sequence_behind(),
    'default_queue', exists (select from public.messenger_queues q where q.name = 'default'),
    'version', public.messenger_version(),
    'installation', messenger.installation()
  )
$$;
comment on function public.messenger_health() is
  'Facts that a health check judges: {"now", "last_tick_at", "oldest_ready_at", "dead_letters_last_hour", "ticks_not_started", "schedules_overdue_since", "schedules_invalid", "waiting_for_workers", "stray_queues", "sequence_is_behind", "default_queue", "version", "installation"}. Paused queues do not count.';

-- ==================== 48_stats.sql

-- Stats: the state of the bus in one call, for dashboards and metrics.

-- Sums up the work of ticks that ended within a time.
create function messenger.tick_rates(p_within interval) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'seconds', extract(epoch from p_within)::integer,
    'ticks', count(*),
    'claimed', coalesce(sum((t.report ->> 'claimed')::bigint), 0),
    'handled', coalesce(sum((t.report ->> 'handled')::bigint), 0),
    'retried', coalesce(sum((t.report ->> 'retried')::bigint), 0),
    'failed', coalesce(sum((t.report ->> 'failed')::bigint), 0)
  )
  from (select * from public.messenger_ticks latest order by latest.id desc limit 10000) as t
  -- The report of a resident worker covers days.
  where t.ended_at > public.messenger_now() - p_within and t.worker is null
$$;
comment on function messenger.tick_rates(interval) is
  'The work of ticks that ended within a time: {"seconds", "ticks", "claimed", "handled", "retried", "failed"}.';

-- Queues up to a number, those that hold messages first.
create function messenger.queues_to_show(p_max_queues integer) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  used constant text[] := messenger.queues_in_use();
  others text[] := array[]::text[];
  known bigint;
begin
  if cardinality(used) < p_max_queues then
    others := array(
      select q.name from public.messenger_queues q
      where q.name <> all (used)
      order by q.name limit p_max_queues - cardinality(used)
    );
  end if;
  select count(*) into known from (select from public.messenger_queues limit 100000) as q;
  return jsonb_build_object(
    'queues', public.messenger_list_queues(
      names => used[:p_max_queues] || others, max_queues => p_max_queues
    ) -> 'queues',
    'left_out', greatest(0, known - p_max_queues),
    'left_out_in_use', greatest(0, cardinality(used) - p_max_queues)
  );
end
$$;
comment on function messenger.queues_to_show(integer) is
  'Settings and depth of queues up to a number, those that hold messages first: {"queues", "left_out", "left_out_in_use"}; the last is how many of those left out hold messages.';

create function public.messenger_stats() returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.queues_to_show(200) || jsonb_build_object(
    'now', public.messenger_now(),
    'dead_letters', jsonb_build_object(
      'total', messenger.count_failed(),
      'last_hour', messenger.count_failed(public.messenger_now() - interval '1 hour'),
      'groups', (
        select coalesce(jsonb_agg(to_jsonb(g) order by g.count desc, g.type, g.reason), '[]')
        from (
          select f.type, f.reason, count(*), min(f.failed_at) as first_at, max(f.failed_at) as last_at
          from (
            select latest.type, latest.reason, latest.failed_at
            from public.messenger_failed_messages latest
            order by latest.failed_at desc, latest.id desc
            limit 10000
          ) as f
          group by f.type, f.reason
          order by count(*) desc, f.type, f.reason
          limit 50
        ) as g
      )
    ),
    'schedules', (
      select jsonb_build_object(
        'enabled', count(*) filter (where s.enabled),
        'disabled', count(*) filter (where not s.enabled)
      )
      from (select enabled from public.messenger_schedules limit 100000) as s
    ),
    'ticks', jsonb_build_object(
      'last_at', (
        select t.started_at from public.messenger_ticks t where t.started_at is not null and t.worker is null
        order by t.id desc limit 1
      ),
      'awake', (select count(*) from messenger.ticks_awake()),
      'rates', jsonb_build_array(
        messenger.tick_rates(interval '5 minutes'),
        messenger.tick_rates(interval '1 hour')
      )
    )
  )
$$;
comment on function public.messenger_stats() is
  'The state of the bus in one call: {"now", "queues", "left_out", "left_out_in_use", "dead_letters", "schedules", "ticks"}. 200 queues at most, those that hold messages first. Counts stop at 10,000; groups are of the latest 10,000 dead letters.';

create function public.messenger_list_ticks(
  before_id bigint default null, max_ticks integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select * from public.messenger_ticks t
    where t.id < coalesce(before_id, 9223372036854775807)
    order by t.id desc
    limit max_ticks
  )
  select jsonb_build_object(
    'ticks', coalesce(
      jsonb_agg(to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc), '[]'
    ),
    'next', case when count(*) = max_ticks then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_ticks(bigint, integer) is
  'The latest ticks, those before an id. Returns {"ticks", "next"}; next is the id before which the next page begins.';

-- ==================== 49_prune.sql

-- Pruning: what is no longer needed is deleted by pg_cron every hour, a step at a time. The ages stand in
-- the jobs' commands, to be changed there; messenger_setup() makes the jobs.

create function messenger.check_age(p_name text, p_age interval) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_age is null or p_age < interval '0' then
    raise sqlstate 'PT400' using message = format('%s: has to be zero or more', p_name);
  end if;
end
$$;
comment on function messenger.check_age(text, interval) is
  'Part of pruning: refuses an age that is missing or below zero.';

-- Deletes, or counts, rows of a table whose time lies before a moment. Rows that are locked at present stay.
create function messenger.prune_before(
  p_relation regclass, p_time_column name, p_before timestamptz, p_max_rows integer, p_dry_run boolean
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  number integer;
begin
  if p_dry_run then
    execute format(
      'select count(*) from (select from %1$s where %2$I < $1 order by %2$I limit $2) as old',
      p_relation, p_time_column
    ) into number using p_before, p_max_rows;
  else
    execute format(
      'delete from %1$s where ctid = any (array(
         select ctid from %1$s where %2$I < $1 order by %2$I limit $2 for update skip locked
       ))',
      p_relation, p_time_column
    ) using p_before, p_max_rows;
    get diagnostics number = row_count;
  end if;
  return number;
end
$$;
comment on function messenger.prune_before(regclass, name, timestamptz, integer, boolean) is
  'Part of pruning: deletes up to p_max_rows rows of a table whose time lies before a moment, and returns how many; a dry run only counts.';

-- Progress has no time of its own, and goes with its message. `p_place` is the last message looked at.
create function messenger.prune_progress(
  p_max_rows integer, p_dry_run boolean, p_place bigint, out place bigint, out number integer
)
language plpgsql
set search_path = ''
as $$
declare
  seen constant bigint[] := array(
    select p.message_id from messenger.progress p
    where p.message_id > coalesce(p_place, -9223372036854775808)
    order by p.message_id limit p_max_rows
  );
  orphans constant bigint[] := array(
    select i from unnest(seen) as i
    where not exists (select from public.messenger_messages m where m.id = i)
      and not exists (select from public.messenger_failed_messages f where f.id = i)
  );
begin
  if not p_dry_run then
    delete from messenger.progress p where p.message_id = any (orphans);
  end if;
  number := cardinality(orphans);
  place := case when cardinality(seen) = p_max_rows then seen[p_max_rows] end;
end
$$;
comment on function messenger.prune_progress(integer, boolean, bigint) is
  'Part of pruning: deletes the progress of messages that are gone among the next p_max_rows rows, and returns how many, and the place to continue behind, null at the end.';

-- Takes one step, as redrive and remove do. `after` is the "next" of the step before.
create function public.messenger_prune(
  failed_older_than interval default interval '30 days',
  dry_run boolean default false,
  after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A row that is to be deleted at a moment is deleted from that moment on, not only after it.
  instant constant timestamptz := clock + interval '1 microsecond';
  ends_at constant timestamptz := clock_timestamp() + interval '3 seconds';
  chunk integer;
  counts jsonb := '{"failed":0,"idempotency_keys":0,"handled":0,"progress":0,"rate_limits":0}'::jsonb;
  kinds text[] := array['failed', 'idempotency_keys', 'handled', 'rate_limits', 'progress'];
  place bigint := (after ->> 'id')::bigint;
  number integer;
  total integer := 0;
begin
  perform messenger.check_age('failed_older_than', failed_older_than);
  perform messenger.begin_step(null, null, dry_run);
  kinds := kinds[coalesce(array_position(kinds, after ->> 'kind'), 1):];

  while cardinality(kinds) > 0 loop
    -- A thousand payloads of 8 MB would meet the time limit of the call.
    chunk := case when dry_run then 10000 when kinds[1] = 'failed' then 100 else 1000 end;
    case kinds[1]
      when 'failed' then number := messenger.prune_before(
        'public.messenger_failed_messages', 'failed_at', clock - failed_older_than, chunk, dry_run
      );
      when 'idempotency_keys' then number := messenger.prune_before(
        'messenger.idempotency_keys', 'expires_at', instant, chunk, dry_run
      );
      when 'handled' then number := messenger.prune_before(
        'public.messenger_handled_messages', 'keep_until', instant, chunk, dry_run
      );
      when 'rate_limits' then number := messenger.prune_before(
        'messenger.rate_limits', 'full_at', clock - interval '1 minute', chunk, dry_run
      );
      when 'progress' then
        select p.place, p.number into place, number
        from messenger.prune_progress(chunk, dry_run, place) as p;
    end case;
    counts := counts || jsonb_build_object(kinds[1], (counts ->> kinds[1])::integer + number);
    total := total + number;
    if dry_run or (case when kinds[1] = 'progress' then place is null else number < chunk end) then
      kinds := kinds[2:];
    end if;
    exit when not dry_run and (total >= 10000 or clock_timestamp() >= ends_at);
  end loop;

  return counts || jsonb_build_object(
    'matched', total, 'done', case when dry_run then 0 else total end,
    'next', case when cardinality(kinds) > 0 then
      jsonb_build_object('kind', kinds[1], 'id', place::text)
    end
  );
end
$$;
comment on function public.messenger_prune(interval, boolean, jsonb) is
  'Deletes dead letters older than an age, expired idempotency keys, handled messages that were kept long enough, progress of messages that are gone and rate limits that are not in use. Takes one step of about 10,000 rows, behind the "next" of the step before if "after" is given. Returns how many of each, and {"matched", "done", "next"}; dry_run only counts, up to 10,000 of each.';

-- pg_cron never deletes the records of its runs: 1,440 a day for the tick alone. Its users may delete
-- their own.
create function public.messenger_prune_job_runs(
  older_than interval default interval '2 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  number integer;
begin
  perform messenger.check_age('older_than', older_than);
  delete from cron.job_run_details d
  where d.runid = any (array(
    select old.runid from cron.job_run_details old
    join cron.job j on j.jobid = old.jobid and j.jobname like 'symphony-%'
    where old.end_time < now() - older_than
    limit 10000
  ));
  get diagnostics number = row_count;
  return jsonb_build_object(
    'matched', number, 'done', number, 'next', case when number = 10000 then '{}'::jsonb end
  );
end
$$;
comment on function public.messenger_prune_job_runs(interval, jsonb) is
  'Deletes up to 10,000 records of runs of our pg_cron jobs that ended longer ago than an age. For the user who owns the jobs. Returns {"matched", "done", "next"}.';

-- ==================== 50_objects.sql

-- The objects of the bus, as they are: a doctor compares them with the release's.

-- Runs with its owner's rights: the service role may not read the history of migrations. It tells stamps only.
create function messenger.applied_migrations() returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
begin
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return null;
  end if;
  return (
    select coalesce(jsonb_agg(m.version order by m.version), '[]') from supabase_migrations.schema_migrations m
  );
exception when insufficient_privilege then
  return null;
end
$$;
comment on function messenger.applied_migrations() is
  'Part of messenger_objects(): the stamps of the project''s applied migrations, in order; null if the database has no history, or does not show it.';

-- Line ends do not count: a checkout on Windows may have others.
create function public.messenger_objects() returns jsonb
language sql stable
set search_path = ''
as $$
  with schemas as (
    select n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname in ('public', 'messenger')
  )
  select jsonb_build_object(
    'version', public.messenger_version(),
    'routines', (
      select jsonb_object_agg(r.name, r.hashes) from (
        select s.nspname || '.' || p.proname as name,
          jsonb_agg(md5(replace(p.prosrc, e'\r', '')) order by p.oid) as hashes
        from pg_catalog.pg_proc p join schemas s on s.oid = p.pronamespace
        where s.nspname = 'messenger' or p.proname like 'messenger\_%'
        group by 1
      ) as r
    ),
    'relations', (
      select jsonb_agg(s.nspname || '.' || c.relname order by s.nspname, c.relname)
      from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace
      where c.relkind in ('r', 'v') and (s.nspname = 'messenger' or c.relname like 'messenger\_%')
    ),
    'migrations', messenger.applied_migrations(),
    'triggers', (
      select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]')
      from pg_catalog.pg_trigger t
      join pg_catalog.pg_class c on c.oid = t.tgrelid join schemas s on s.oid = c.relnamespace
      where not t.tgisinternal and t.tgenabled <> 'D'
    )
  )
$$;
comment on function public.messenger_objects() is
  'The objects of the bus as they are, for a doctor: {"version", "routines": hashes of bodies by name, "relations", "triggers": those that are enabled, "migrations": stamps that are applied}.';

-- ==================== 50_planner.sql

-- Planner settings: how Postgres may plan the statements of a function, with the reason for each. They hold
-- while the function runs, also in what it calls. A migration that replaces a function of these lists runs
-- this file again, for a new definition has no settings.

do $$
declare
  rule record;
  routine text;
  setting text;
begin
  for rule in select * from (values
    -- Reads through an index. These tables grow and empty within seconds, so their statistics are always
    -- wrong, and a plan that is kept was made for another size: it would read the whole table. A forbidden
    -- plan counts as very dear, and whatever is very dear gets compiled, for 70 ms: so jit is off as well.
    (array['jit = off', 'enable_seqscan = off', 'enable_bitmapscan = off'], array[
      'messenger.queue_holds', 'messenger.stray_queues', 'public.messenger_tidy_queues',
      'messenger.close_leases', 'messenger.lock_expired', 'messenger.free_expired_keys',
      'messenger.group_fronts', 'messenger.reopen_groups', 'messenger.reopen_noted_groups',
      'messenger.note_blocked_groups', 'messenger.admit_groups',
      'messenger.first_of_groups', 'messenger.block_groups', 'messenger.lock_groups',
      'messenger.queue_opens_at', 'messenger.queue_room', 'messenger.count_running',
      'messenger.due_queues', 'messenger.lock_due', 'messenger.lock_quarantined',
      'messenger.lock_past_ttl', 'messenger.next_due', 'public.messenger_claim',
      'messenger.lock_settled', 'public.messenger_settle',
      'public.messenger_heartbeat', 'messenger.next_matches', 'messenger.redrive_ids',
      'messenger.remove_ids', 'messenger.finish_schedule_runs', 'messenger.prune_runs_of',
      'public.messenger_next_schedule_at', 'public.messenger_claim_schedules',
      'messenger.judge_runs', 'public.messenger_advance_schedules', 'messenger.cancel_ids',
      'messenger.run_ids', 'public.messenger_report_progress', 'messenger.queue_depth',
      'public.messenger_list_queues', 'public.messenger_list_messages',
      'public.messenger_list_failed', 'messenger.queues_in_use',
      'messenger.schedules_overdue_since', 'messenger.count_failed',
      'messenger.prune_before', 'messenger.prune_progress', 'messenger.followed',
      'public.messenger_list_user_messages'
    ]),

    -- Reads in the order of an index, and stops at its limit. A sort would read every row before the first.
    (array['enable_sort = off'], array[
      'messenger.stray_queues', 'messenger.group_fronts', 'messenger.note_blocked_groups',
      'messenger.block_groups', 'messenger.due_queues', 'messenger.lock_due',
      'messenger.lock_past_ttl', 'messenger.next_due', 'messenger.queue_depth',
      'public.messenger_list_user_messages'
    ]),

    -- Joins a few given ids to a large table. A hash or a merge would read that table in full; a nested loop
    -- looks up each id.
    (array['enable_hashjoin = off', 'enable_mergejoin = off'], array[
      'messenger.next_due', 'public.messenger_settle', 'public.messenger_heartbeat',
      'messenger.next_matches', 'messenger.redrive_ids', 'messenger.remove_ids',
      'messenger.finish_schedule_runs', 'messenger.cancel_ids', 'messenger.run_ids',
      'public.messenger_report_progress', 'messenger.prune_progress', 'messenger.followed'
    ]),

    -- Part of messenger.admit_groups, whose settings hold here too: these look up each group by an index.
    (array['enable_nestloop = on'], array[
      'messenger.group_fronts', 'messenger.first_of_groups', 'messenger.block_groups'
    ]),

    -- The sizes of its arrays are not known to a plan that is kept. A nested loop would go through one array
    -- for each element of another.
    (array['enable_nestloop = off'], array[
      'messenger.admit_groups'
    ]),

    -- To plan them costs more than to run them: next_due 250 us and 15. With this, Postgres plans each statement
    -- once a session. Without it, it plans again for the arrays of each small call, because it takes an array that
    -- it does not know for ten elements. A claim of 1 to 20 messages takes 15 to 20 % longer then, a settle call
    -- of as many up to 50 %.
    (array['plan_cache_mode = force_generic_plan'], array[
      'messenger.next_due', 'public.messenger_claim', 'public.messenger_settle'
    ]),

    -- A sequence can be read by a sequential scan alone. That counts as very dear here, and would be compiled.
    (array['jit = off', 'enable_seqscan = off'], array[
      'messenger.sequence_behind'
    ]),

    -- Reads JSON only, of whose size the planner expects too much: it would compile the call.
    (array['jit = off'], array[
      'messenger.lock_settled_groups'
    ])
  ) as r (settings, routines) loop
    foreach routine in array rule.routines loop
      foreach setting in array rule.settings loop
        execute format('alter function %s set %s', routine::regproc::oid::regprocedure, setting);
      end loop;
    end loop;
  end loop;
end
$$;

-- ==================== 51_setup.sql

-- Setup: the rows, cron jobs and secrets of the bus, which a schema alone does not bring. A preview branch, a
-- restored schema and a squashed history have the tables and functions, and none of these: dispatches succeed
-- there, and no tick comes. messenger_setup() makes what is missing, and may be called again at any time.

-- `repair` also gives a job its command and its schedule back, and switches it on. Without it a job that runs
-- something else is refused: its name may be a user's own.
create function messenger.set_up_job(
  p_name text, p_schedule text, p_command text, p_calls text, p_repair boolean
) returns text
language plpgsql
set search_path = ''
as $$
declare
  job cron.job;
  is_ours boolean;
  is_whole boolean;
begin
  select * into job from cron.job j where j.jobname = p_name
  order by j.username = current_user desc, j.active desc limit 1;
  if job.jobid is null then
    perform cron.schedule(p_name, p_schedule, p_command);
    return 'created';
  end if;

  is_ours := messenger.is_job(job.command, p_calls);
  if not is_ours and not p_repair then
    raise sqlstate 'PT409' using
      message = format('cron job %s: exists and runs something else (%s)', p_name, left(job.command, 200)),
      hint = format('Give your job another name: select cron.unschedule(%L), then cron.schedule with the new name.', p_name);
  end if;
  -- The tick runs every minute, or every few seconds; an operator may give the other jobs any time.
  is_whole := is_ours and job.active
    and (p_calls <> 'messenger_tick' or job.schedule = p_schedule or job.schedule ~ 'second');
  if not p_repair or is_whole and job.username <> current_user then
    return 'kept';
  end if;
  if job.username <> current_user then
    return 'of another user';
  end if;
  if is_whole then
    -- As it is, so that pg_cron reads its jobs again. If a job was made in the moment in which pg_cron read them,
    -- pg_cron does not know it until some job changes.
    perform cron.schedule(p_name, job.schedule, job.command);
    return 'kept';
  end if;
  perform cron.alter_job(
    job.jobid, case when not is_ours or p_calls = 'messenger_tick' then p_schedule end,
    case when not is_ours then p_command end, active => true
  );
  return 'repaired';
end
$$;
comment on function messenger.set_up_job(text, text, text, text, boolean) is
  'Part of messenger_setup: makes a cron job, or repairs it. Returns created, kept, repaired, or of another user.';

create function messenger.set_up_secret(p_name text, p_value text, p_description text) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  secret_id uuid;
begin
  if p_value is null then
    return false;
  end if;
  select s.id into secret_id from vault.secrets s where s.name = p_name;
  if secret_id is null then
    perform vault.create_secret(p_value, p_name, p_description);
    return true;
  end if;
  -- One that cannot be decrypted is replaced as well: a restored project may have another root key.
  begin
    if p_value = (select s.decrypted_secret from vault.decrypted_secrets s where s.id = secret_id) then
      return false;
    end if;
  exception when others then
    null;
  end;
  perform vault.update_secret(secret_id, p_value);
  return true;
end
$$;
comment on function messenger.set_up_secret(text, text, text) is
  'Part of messenger_setup: writes a secret into Vault. Returns whether it changed; a null changes nothing.';

-- Runs with its owner's rights: the service role may neither schedule cron jobs as their owner nor, in every
-- project, write to Vault. It runs no command that is given to it, and returns no secret.
create function public.messenger_setup(
  url text default null, secret_key text default null, repair boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  jobs jsonb := '{}'::jsonb;
  secrets jsonb := '[]'::jsonb;
  queues integer;
begin
  if url !~ '^https?://[^[:space:]]+$' then
    raise sqlstate 'PT400' using message = 'url: has to begin with http:// or https://, and to have no spaces';
  end if;
  if secret_key !~ '^[^[:space:]]+$' then
    raise sqlstate 'PT400' using message = 'secret_key: is empty, or has spaces';
  end if;

  insert into public.messenger_queues (name) values ('default') on conflict do nothing;
  get diagnostics queues = row_count;
  if to_regclass('cron.job') is not null then
    select jsonb_object_agg(
      j.job_name, messenger.set_up_job(j.job_name, j.schedule, j.command, j.calls, coalesce(repair, false))
    )
    into jobs from messenger.jobs() j;
    if repair or jobs::text ~ '"created"' then
      insert into messenger.jobs_set_up default values
      on conflict (singleton) do update set at = excluded.at;
    end if;
  end if;
  if messenger.set_up_secret('symphony_url', url, 'Where Symphony Messenger''s tick function is called.') then
    secrets := secrets || '"symphony_url"';
  end if;
  if messenger.set_up_secret('symphony_secret_key', secret_key, 'The key for Symphony Messenger''s tick function.') then
    secrets := secrets || '"symphony_secret_key"';
  end if;
  -- Messages may wait already for which no transaction has asked for a tick.
  perform messenger.wake_for_next();
  return jsonb_build_object(
    'changed', queues > 0 or secrets <> '[]' or jobs::text ~ '"(created|repaired)"',
    'queues', case when queues > 0 then '["default"]' else '[]' end::jsonb, 'jobs', jobs, 'secrets', secrets,
    'problems', messenger.job_problems()
  );
end
$$;
comment on function public.messenger_setup(text, text, boolean) is
  'Makes what is missing of the rows, cron jobs and secrets of the bus; may be called again. With url and secret_key it writes Vault''s symphony_url and symphony_secret_key. A job of our name that runs something else is refused, and with repair made ours again; repair also switches jobs on. Returns {"changed", "queues", "jobs", "secrets", "problems"}: what it made, what it did with each job, and what is still wrong with jobs.';

-- ==================== 52_grants.sql

-- Grants: who may use what, made from the catalog, so that no function is forgotten.
--
-- The service role may use everything: the bus runs with its rights, and functions of public call those of
-- the schema messenger as their caller. Users, signed in or not, may use nothing. They come in through the
-- Edge Functions.

do $$
declare
  ours constant text := 'messenger\_%';
  routine regprocedure;
  relation regclass;
begin
  grant usage on schema messenger to service_role;
  revoke all on schema messenger from public, anon, authenticated;

  for routine in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'messenger'::regnamespace
      or p.pronamespace = 'public'::regnamespace and p.proname like ours
  loop
    execute format('revoke execute on routine %s from public, anon, authenticated', routine);
    execute format('grant execute on routine %s to service_role', routine);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind in ('r', 'v') and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on table %s from public, anon, authenticated', relation);
    execute format('grant select, insert, update, delete on table %s to service_role', relation);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind = 'S' and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on sequence %s from public, anon, authenticated', relation);
    execute format('grant usage, select, update on sequence %s to service_role', relation);
  end loop;
end
$$;

-- ==================== 53_install.sql

-- The end of the installation: the rows and cron jobs. Secrets come from `supabase db push`, or from the
-- function `messenger`.

select public.messenger_setup();
