-- The outbox: messages of other transports, until their engine has confirmed them. They are written in the transaction
-- of their dispatch, together with messages of home, so that a rollback takes them back. All that waits is here: delays,
-- retries and snoozes. A relay publishes what is due (24_relays.sql).
--
-- A row is one publication of a message. A retry is a new row with the same id and the next number.
--
-- Ids commit out of order, so that no relay remembers how far it has come: it looks for rows that are not sent. Within a
-- group the order has to be that of the dispatches. A dispatch takes the group's lock before it draws the position and
-- reads the clock, and holds it until its commit: what is dispatched later stands behind it, and is committed later.

create table messenger.outbox (
  position bigint generated always as identity primary key,
  id bigint not null,
  publication integer not null default 1 check (publication > 0),
  transport text not null check (length(transport) between 1 and 100),
  shard smallint not null,
  type text not null check (length(type) between 1 and 200),
  payload jsonb not null,
  queue text not null default 'default',
  priority smallint not null default 0 check (priority between -1000 and 1000),
  available_at timestamptz not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  group_key text check (length(group_key) between 1 and 255),
  retry_count integer not null default 0,
  attempts integer not null default 0,
  snoozes integer not null default 0,
  interruptions integer not null default 0,
  stamps jsonb,
  errors jsonb,
  bytes integer not null,
  repeated boolean not null default false,
  refusals integer not null default 0,
  refusal text,
  sent_at timestamptz,
  unique (id, publication),
  constraint "payload: has to have at most 8388608 bytes" check (pg_column_size(payload) <= 8388608)
) with (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table messenger.outbox is
  'Messages of other transports that wait to be published, and those that were published a short while ago, so that they can be sent again.';
comment on column messenger.outbox.position is
  'Order of the publications of a group: drawn under the group''s lock.';
comment on column messenger.outbox.id is
  'Identity of the message, from the sequence of all messages; a retry keeps it.';
comment on column messenger.outbox.publication is
  'Number of this writing of the message into its engine; a retry or a snooze is the next one.';
comment on column messenger.outbox.transport is
  'Name of the transport in the project''s configuration.';
comment on column messenger.outbox.shard is
  'Share of the transport that one relay publishes at a time: by the group, or by the id where it has none.';
comment on column messenger.outbox.type is
  'Name of the message definition.';
comment on column messenger.outbox.payload is
  'Content for the handler.';
comment on column messenger.outbox.queue is
  'Queue of the engine to which it goes.';
comment on column messenger.outbox.priority is
  'Priority of the message in its engine, -1000 to 1000.';
comment on column messenger.outbox.available_at is
  'Not published before this moment.';
comment on column messenger.outbox.expires_at is
  'After this moment the message is a dead letter, expired, and not published.';
comment on column messenger.outbox.created_at is
  'When the message was dispatched.';
comment on column messenger.outbox.group_key is
  'Key of the ordered group the message belongs to, if any.';
comment on column messenger.outbox.retry_count is
  'Retries charged to the retry strategy so far.';
comment on column messenger.outbox.attempts is
  'How often a worker has got the message from the engine.';
comment on column messenger.outbox.snoozes is
  'How often its handlers have asked for a later run.';
comment on column messenger.outbox.interruptions is
  'How often in succession its worker ended before its handlers did.';
comment on column messenger.outbox.stamps is
  'Data that travels with the message besides its payload.';
comment on column messenger.outbox.errors is
  'Failed attempts, oldest first.';
comment on column messenger.outbox.bytes is
  'Size of payload, stamps and errors as they are stored, for the bounds of a batch and of the outbox.';
comment on column messenger.outbox.repeated is
  'It may be in the engine already, because its relay was killed or it is sent again: the receiver looks whether it was handled.';
comment on column messenger.outbox.refusals is
  'How often the engine has refused this publication.';
comment on column messenger.outbox.refusal is
  'Text of the latest refusal.';
comment on column messenger.outbox.sent_at is
  'When the engine confirmed it; null while it waits.';

create index outbox_due_idx on messenger.outbox (transport, shard, available_at, position)
  include (bytes) where sent_at is null;
comment on index messenger.outbox_due_idx is
  'Order in which a relay publishes a shard.';
create index outbox_sent_idx on messenger.outbox (sent_at, position) where sent_at is not null;
comment on index messenger.outbox_sent_idx is
  'Publications that the engine confirmed, by time: to be sent again, and to be pruned.';
create index outbox_user_idx on messenger.outbox ((stamps #>> '{user,id}'), id) where stamps #>> '{user,id}' is not null;
comment on index messenger.outbox_user_idx is
  'Messages of users, to be listed.';
create index outbox_refused_idx on messenger.outbox (transport, shard, queue, group_key, position)
  where sent_at is null and refusals > 0 and group_key is not null;
comment on index messenger.outbox_refused_idx is
  'Refused publications of groups, behind which the others of their group wait.';
alter table messenger.outbox enable row level security;

create table messenger.outbox_state (
  singleton boolean primary key default true check (singleton),
  max_bytes bigint not null default 1073741824 check (max_bytes > 0),
  keep_sent interval not null default '1 hour' check (keep_sent >= '0'),
  keep_handled interval not null default '24 hours' check (keep_handled >= '0'),
  unsent_bytes bigint not null default 0,
  table_bytes bigint not null default 0,
  sampled_at timestamptz not null default now()
);
comment on table messenger.outbox_state is
  'Bounds of the outbox, and its size when it was last measured.';
comment on column messenger.outbox_state.singleton is
  'There is one row.';
comment on column messenger.outbox_state.max_bytes is
  'Most bytes that may wait: SQL refuses dispatches above it, functions above 80 % of it.';
comment on column messenger.outbox_state.keep_sent is
  'How long confirmed publications are kept to be sent again.';
comment on column messenger.outbox_state.keep_handled is
  'How long a handled delivery is remembered; a copy that comes later runs again.';
comment on column messenger.outbox_state.unsent_bytes is
  'Bytes that waited at the last measurement.';
comment on column messenger.outbox_state.table_bytes is
  'Size of the table at the last measurement: what it has grown since counts as waiting.';
comment on column messenger.outbox_state.sampled_at is
  'When it was measured last.';
alter table messenger.outbox_state enable row level security;

-- `p_messages` is an array as messenger_enqueue takes it, each with its `transport`; with `p_reserved` also with its `id`.
create function messenger.write_outbox(p_messages jsonb, p_reserved boolean) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  answer jsonb;
  conflict bigint;
  is_late boolean;
begin
  perform messenger.check_outbox_room();
  perform messenger.make_relays(array(
    select distinct m.value ->> 'transport' from jsonb_array_elements(p_messages) as m
  ));
  with numbered as materialized (
    select k.*, p_messages -> (k.place - 1)::integer ->> 'transport' as transport
    from messenger.take_keys(p_messages, clock, p_reserved) as k
  ),
  -- A row is projected only when all groups are locked, so that its position and its time are read under the lock.
  locked as materialized (
    select count(pg_advisory_xact_lock(g.lock_key)) as groups
    from (
      select distinct messenger.outbox_group_lock(n.transport, n.queue, n.group_key) as lock_key
      from numbered n where n.is_new and n.group_key is not null
      order by lock_key
    ) as g
  ),
  written as (
    insert into messenger.outbox (
      id, transport, shard, type, payload, queue, priority, available_at, expires_at, created_at, group_key,
      stamps, bytes
    )
    select n.id, n.transport, messenger.outbox_shard(n.id, n.queue, n.group_key), n.type, n.payload, n.queue, n.priority,
      case when n.group_key is not null and n.available_at <= clock then messenger.clock() else n.available_at end, n.expires_at, clock,
      n.group_key, n.stamps, pg_column_size(n.payload) + coalesce(pg_column_size(n.stamps), 0)
    from locked l cross join numbered n
    where n.is_new and l.groups >= 0
    order by n.place
  )
  select jsonb_build_object('ids', coalesce(jsonb_agg(n.id::text order by n.place), '[]')),
    min(n.place) filter (where n.is_other), bool_or(n.expires_at <= n.available_at) filter (where n.is_new)
  into answer, conflict, is_late from numbered n;
  if conflict is not null then
    perform messenger.refuse_other_content(conflict);
  elsif is_late then
    perform messenger.refuse_late();
  end if;
  return answer;
end
$$;
comment on function messenger.write_outbox(jsonb, boolean) is
  'Part of messenger_enqueue: writes messages of other transports to the outbox. Returns {"ids": [...]} in their order.';

create function messenger.outbox_shard(p_id bigint, p_queue text, p_group_key text) returns smallint
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return case
    when p_group_key is null then p_id & 3
    else pg_catalog.hashtextextended(p_group_key, pg_catalog.hashtextextended(p_queue, 0)) & 3
  end;
end
$$;
comment on function messenger.outbox_shard(bigint, text, text) is
  'The shard of a message, 0 to 3: all messages of a group are in one.';

create function messenger.outbox_group_lock(p_transport text, p_queue text, p_group_key text) returns bigint
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return pg_catalog.hashtextextended('symphony_messenger.outbox_group', 0) + (pg_catalog.hashtextextended(
    p_group_key, pg_catalog.hashtextextended(p_queue, pg_catalog.hashtextextended(p_transport, 0))
  ) & 2047);
end
$$;
comment on function messenger.outbox_group_lock(text, text, text) is
  'The advisory lock of a group in the outbox, one of 2,048: Postgres has room for some thousand locks.';

-- The size is measured once a minute. The growth of the table since then counts as waiting: reading it takes microseconds.
-- Only where that comes to too much, the rows that wait are counted: most of the growth may be sent already.
create function messenger.check_outbox_room() returns void
language plpgsql
set search_path = ''
as $$
declare
  state messenger.outbox_state;
  -- An Edge Function asks its caller to come back later; the rest is for SQL, whose transaction would fail.
  share constant numeric := case
    when current_setting('request.path', true) in (
      '/rpc/messenger_enqueue_body', '/rpc/messenger_enqueue_limited', '/rpc/messenger_write_batch'
    ) then 0.8
    else 1
  end;
  table_bytes constant bigint := pg_table_size('messenger.outbox');
  bound bigint;
  waiting bigint;
begin
  select * into state from messenger.outbox_state;
  bound := share * coalesce(state.max_bytes, 1073741824);
  waiting := coalesce(state.unsent_bytes, 0) + greatest(table_bytes - coalesce(state.table_bytes, 0), 0);
  if waiting >= bound and coalesce(state.unsent_bytes, 0) < bound then
    waiting := messenger.waiting_bytes();
  end if;
  if waiting >= bound then
    raise sqlstate 'PT503' using
      message = format(
        'outbox: holds some %s bytes that wait for their transports, of at most %s', waiting,
        coalesce(state.max_bytes, 1073741824)
      ),
      hint = 'A transport is away or too slow: see messenger_health. The bound is messenger_set_outbox(max_bytes => ...).';
  end if;
end
$$;
comment on function messenger.check_outbox_room() is
  'Part of messenger_enqueue: refuses messages of other transports while too much waits for them, PT503.';

create function messenger.waiting_bytes() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  return (select coalesce(sum(o.bytes + 200), 0) from messenger.outbox o where o.sent_at is null);
end
$$;
comment on function messenger.waiting_bytes() is
  'The bytes that wait in the outbox, 200 of them for each row''s columns. Reads an entry of an index for each row that waits.';

create function messenger.sample_outbox() returns void
language plpgsql
set search_path = ''
as $$
begin
  -- A project that routes nothing has no row, and keeps none.
  if not exists (select from messenger.relays) then
    return;
  end if;
  insert into messenger.outbox_state as known (unsent_bytes, table_bytes, sampled_at)
  values (messenger.waiting_bytes(), pg_table_size('messenger.outbox'), public.messenger_now())
  on conflict on constraint outbox_state_pkey do update
  set unsent_bytes = excluded.unsent_bytes, table_bytes = excluded.table_bytes, sampled_at = excluded.sampled_at;
end
$$;
comment on function messenger.sample_outbox() is
  'Part of messenger_sample_backlog: measures how many bytes wait in the outbox.';

-- Only the rows that were written: a read of what is due in the whole outbox passes all rows that were sent while an
-- older transaction keeps their entries in the index, 100,000 of them in 0.1 s.
create function messenger.wake_for_outbox() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  -- While its transport is away, or a relay is at work, a row waits for the relay's next batch.
  due_at constant timestamptz := (
    select min(greatest(w.available_at, messenger.shard_opens_at(r)))
    from (
      select a.transport, a.shard, min(a.available_at) as available_at from written a group by a.transport, a.shard
    ) as w
    join messenger.relays r on r.transport = w.transport and r.shard = w.shard
    where exists (select from messenger.transports t where t.name = w.transport)
  );
begin
  if due_at < messenger.next_minute() then
    perform messenger.wake(greatest(due_at, public.messenger_now()));
  end if;
  return null;
end
$$;
comment on function messenger.wake_for_outbox() is
  'Trigger: wakes a tick where what was written to the outbox is due, or falls due before the next minute''s tick.';

create trigger outbox_wake
  after insert on messenger.outbox
  referencing new table as written
  for each statement execute function messenger.wake_for_outbox();
