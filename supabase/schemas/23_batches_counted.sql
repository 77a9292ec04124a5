-- Counts of batches. Members of one batch end in many calls at once, and must not meet on the batch's row: what
-- settles them appends a delta. A fold takes the deltas, adds them to the batch and dispatches what is due: in a call
-- of its own after the settle call's commit, or at the latest in the next sweep. A fold locks the batch and deletes
-- the deltas that it adds, so that each is added once, and what is due is dispatched once.

create table messenger.batch_deltas (
  batch_id bigint not null,
  id bigint generated always as identity,
  handled integer not null default 0,
  dead integer not null default 0,
  redriven integer not null default 0,
  cancels boolean not null default false,
  primary key (batch_id, id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.batch_deltas is
  'Fates of members of batches that are not yet added to the batches'' counts. Nearly always empty.';
comment on column messenger.batch_deltas.batch_id is
  'The batch.';
comment on column messenger.batch_deltas.id is
  'Identity of the delta.';
comment on column messenger.batch_deltas.handled is
  'Members that were handled.';
comment on column messenger.batch_deltas.dead is
  'Members that became dead letters, or were deleted in SQL.';
comment on column messenger.batch_deltas.redriven is
  'Dead letters that were put back.';
comment on column messenger.batch_deltas.cancels is
  'The message that waits for the batch was cancelled, and the batch is to be cancelled too.';

alter table messenger.batch_deltas enable row level security;

-- A stamp may come from the user's own SQL, so that it may hold anything.
create function messenger.batch_of(p_stamps jsonb) returns bigint
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql immutable
set search_path = ''
as $$
declare
  id constant text := p_stamps #>> '{batch,id}';
begin
  return case when id ~ '^[0-9]{1,18}$' then id::bigint end;
end
$$;
comment on function messenger.batch_of(jsonb) is
  'The id of the batch whose member has these stamps; null for other messages.';

-- The id may come from a user's SQL, so that it is checked.
create function messenger.note_members_of(p_batch text, p_number integer, p_is_dead boolean) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into messenger.batch_deltas (batch_id, handled, dead)
  select p_batch::bigint, case when p_is_dead then 0 else p_number end, case when p_is_dead then p_number else 0 end
  where p_batch ~ '^[0-9]{1,18}$' and p_number > 0;
end
$$;
comment on function messenger.note_members_of(text, integer, boolean) is
  'Part of a settle call: notes for one batch that a number of its members were handled or became dead letters.';

-- Nearly always all members of a call are of one batch, which is found without a sort or a hash of their ids. The stamps
-- may come from a user's SQL, so that an id is checked: once for each batch, because a check costs more than all else
-- that a member adds to a settle call.
create function messenger.note_members(p_batches text[], p_is_dead boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  number constant integer := cardinality(p_batches);
begin
  if array_remove(p_batches, p_batches[1]) = '{}' then
    perform messenger.note_members_of(p_batches[1], number, p_is_dead);
    return;
  end if;
  insert into messenger.batch_deltas (batch_id, handled, dead)
  select g.id::bigint, case when p_is_dead then 0 else g.number end, case when p_is_dead then g.number else 0 end
  from (select b.id, count(*)::integer as number from unnest(p_batches) as b (id) group by b.id offset 0) as g
  where g.id ~ '^[0-9]{1,18}$';
end
$$;
comment on function messenger.note_members(text[], boolean) is
  'Part of a settle call: notes for batches, named once for each member, that members were handled or became dead letters.';

-- A member that is deleted in SQL counts as one that was cancelled. A settle call deletes its messages and notes them
-- itself, and a setting of its transaction turns this trigger off. A message without stamps costs no call.
create function messenger.leave_batch() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into messenger.batch_deltas (batch_id, dead)
  select left_batch.id, 1 from messenger.batch_of(old.stamps) as left_batch (id) where left_batch.id is not null;
  return null;
end
$$;
comment on function messenger.leave_batch() is
  'Trigger: notes for a batch that a member was deleted in SQL.';

create trigger messenger_messages_batch_left
  after delete on public.messenger_messages
  for each row when (
    old.stamps is not null and current_setting('messenger.settles', true) is distinct from 'true' and old.stamps ? 'batch'
  )
  execute function messenger.leave_batch();

create function messenger.leave_batches() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into messenger.batch_deltas (batch_id, dead)
  select p.id, p.pending from (
    select b.id, (messenger.batch_state(b) ->> 'pending')::integer as pending
    from public.messenger_batches b where b.finished_at is null
  ) as p
  where p.pending > 0;
  return null;
end
$$;
comment on function messenger.leave_batches() is
  'Trigger: notes for all batches that members were truncated.';

create trigger messenger_messages_batches_left
  after truncate on public.messenger_messages
  for each statement execute function messenger.leave_batches();

create function messenger.has_deltas(p_id bigint) returns boolean
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (select from messenger.batch_deltas d where d.batch_id = p_id);
end
$$;
comment on function messenger.has_deltas(bigint) is
  'Whether something has become of members of a batch that its counts do not have yet.';

create function messenger.batch_message(
  p_message jsonb, p_event text, p_batch public.messenger_batches
) returns jsonb
language sql immutable
set search_path = ''
as $$
  select p_message || jsonb_build_object('stamps', coalesce(nullif(p_message -> 'stamps', 'null'), '{}')
    || jsonb_build_object('ofBatch', jsonb_build_object(
      'id', p_batch.id::text, 'name', p_batch.name, 'event', p_event,
      'total', p_batch.total, 'handled', p_batch.handled, 'failed', p_batch.failed
    )))
$$;
comment on function messenger.batch_message(jsonb, text, public.messenger_batches) is
  'Part of a fold: the message that a batch dispatches at an event, with the stamp ofBatch: {"id", "name", "event", "total", "handled", "failed"}.';

-- The caller has locked the batch. A batch that is not there any more loses its deltas.
create function messenger.fold_batch(p_id bigint) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  before public.messenger_batches;
  batch public.messenger_batches;
  added record;
begin
  with gone as (
    delete from messenger.batch_deltas d
    where (d.batch_id, d.id) in (
      select w.batch_id, w.id from messenger.batch_deltas w where w.batch_id = p_id order by w.id limit 10000
    )
    returning d.*
  )
  select coalesce(sum(g.handled), 0) as handled, coalesce(sum(g.dead), 0) as dead,
    coalesce(sum(g.redriven), 0) as redriven, coalesce(bool_or(g.cancels), false) as cancels
  into added from gone g;
  select * into before from public.messenger_batches b where b.id = p_id;
  if not found then
    return;
  end if;
  batch := before;
  batch.handled := batch.handled + added.handled;
  batch.failed := batch.failed + added.dead - added.redriven;
  if added.cancels then
    batch.cancelled_at := coalesce(batch.cancelled_at, clock);
    batch.cancel_chunk := case when batch.chunks > 0 then 1 end;
    batch.sealed_at := coalesce(batch.sealed_at, clock);
    batch.key_until := coalesce(batch.key_until, clock + interval '24 hours');
  end if;
  if added.dead > 0 then
    batch.failed_at := coalesce(batch.failed_at, clock);
  end if;
  if batch.sealed_at is not null and batch.handled + batch.failed >= batch.total then
    batch.finished_at := coalesce(batch.finished_at, clock);
  end if;
  if batch.sealed_at is not null and batch.handled >= batch.total then
    batch.succeeded_at := coalesce(batch.succeeded_at, clock);
  end if;
  perform messenger.tell_of_batch(before, batch);
  if batch.parent_id is not null and batch.finished_at is not null then
    perform messenger.wake_parent(batch);
  end if;
end
$$;
comment on function messenger.fold_batch(bigint) is
  'Adds the deltas of a batch, which the caller has locked, to its counts, and dispatches what is due.';

-- A parent that still runs, or that another session has locked, is noted: by a delta without counts, so that the next
-- fold reads again. Its worker folds the batch after it has parked the parent.
create function messenger.wake_parent(p_batch public.messenger_batches) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  parent constant bigint[] := array(
    select p.id from public.messenger_messages p
    where p.id = p_batch.parent_id and p.status = 'pending' and p.available_at > clock
    for update skip locked
  );
begin
  if messenger.wake_messages(parent, clock, true) = '{}' and exists (
    select from public.messenger_messages p
    where p.id = p_batch.parent_id and (p.status = 'processing' or p.available_at > clock)
  ) then
    insert into messenger.batch_deltas (batch_id) values (p_batch.id);
  end if;
end
$$;
comment on function messenger.wake_parent(public.messenger_batches) is
  'Part of a fold: lets the message continue that waits for a batch, which is finished.';

create function messenger.tell_of_batch(p_before public.messenger_batches, p_batch public.messenger_batches)
returns void
language plpgsql
set search_path = ''
as $$
declare
  due constant jsonb := (
    select jsonb_agg(messenger.batch_message(e.message, e.event, p_batch) order by e.place)
    from (values
      (1, 'failed', p_batch.on_failed, p_before.failed_at is null and p_batch.failed_at is not null
        and p_batch.cancelled_at is null),
      (2, 'finished', p_batch.on_finished, p_before.finished_at is null and p_batch.finished_at is not null),
      (3, 'succeeded', p_batch.on_succeeded, p_before.succeeded_at is null and p_batch.succeeded_at is not null)
    ) as e (place, event, message, has_come)
    where e.has_come and e.message is not null
  );
  is_turn constant boolean := (p_before.failed_at, p_before.finished_at, p_before.succeeded_at, p_before.cancelled_at)
    is distinct from (p_batch.failed_at, p_batch.finished_at, p_batch.succeeded_at, p_batch.cancelled_at);
begin
  update public.messenger_batches b
  set handled = p_batch.handled, failed = p_batch.failed, sealed_at = p_batch.sealed_at,
    key_until = p_batch.key_until, failed_at = p_batch.failed_at, finished_at = p_batch.finished_at,
    succeeded_at = p_batch.succeeded_at, cancelled_at = p_batch.cancelled_at, cancel_chunk = p_batch.cancel_chunk,
    -- Realtime tells each turn of the batch, and its counts once a second.
    told_at = case
      when p_batch.live and (is_turn or (p_batch.told_at > public.messenger_now() - interval '1 second') is not true)
      then clock_timestamp() else p_batch.told_at
    end
  where b.id = p_batch.id and p_before is distinct from p_batch;
  if due is not null then
    perform public.messenger_enqueue(due, true);
  end if;
end
$$;
comment on function messenger.tell_of_batch(public.messenger_batches, public.messenger_batches) is
  'Part of a fold: writes the new counts of a batch, and dispatches the messages of the events that it has come to.';

-- Called by workers after their settle calls. A batch that another session folds is waited for, because that fold may
-- have begun before these members were settled; for how long, the lock's timeout says.
create function public.messenger_fold_batches(ids bigint[]) returns jsonb
language plpgsql
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  batch_id bigint;
  number integer := 0;
  fault_detail text;
begin
  if cardinality(ids) > 1000 then
    raise sqlstate 'PT400' using message = 'ids: have to be at most 1000';
  end if;
  for batch_id in select distinct i from unnest(ids) as i order by i loop
    continue when not messenger.has_deltas(batch_id);
    perform from public.messenger_batches b where b.id = batch_id for update;
    perform messenger.fold_batch(batch_id);
    number := number + 1;
  end loop;
  perform messenger.check_deferred('messenger_fold_batches');
  return jsonb_build_object('folded', number);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_fold_batches(bigint[]) is
  'Adds what has become of members to the counts of their batches, and dispatches what is due. Workers call it after they have settled members; the sweep does the same later. Returns {"folded"}.';

-- Never waits: it skips a batch that another session has locked. An error of one batch, such as one of a user's
-- trigger on its message, must not end the claim that sweeps.
create function messenger.sweep_batches() returns void
language plpgsql
set search_path = ''
as $$
declare
  batch_id bigint;
begin
  -- An older snapshot may not show what was settled meanwhile.
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  for batch_id in
    select d.batch_id from (select w.batch_id from messenger.batch_deltas w limit 1000) as d
    group by d.batch_id order by d.batch_id limit 100
  loop
    begin
      perform from public.messenger_batches b where b.id = batch_id for update skip locked;
      if found or not exists (select from public.messenger_batches b where b.id = batch_id) then
        perform messenger.fold_batch(batch_id);
      end if;
    exception when others then
      raise warning 'batch % was not counted: %', batch_id, sqlerrm;
    end;
  end loop;
  if exists (select from public.messenger_batches b where b.cancel_chunk is not null) then
    perform messenger.sweep_cancelled_batches();
  end if;
end
$$;
comment on function messenger.sweep_batches() is
  'Part of a sweep: folds up to 100 batches that have deltas, and cancels members of batches whose cancel was interrupted.';
