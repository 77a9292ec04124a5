-- Cancelling messages that are not wanted any more, by an operator or by their user. One that waits goes to
-- the dead letters at once; one that runs is marked, and goes there when its worker stops it, or gives
-- it back, or fails. If its handler succeeds before, it counts as handled.

-- A message may be locked for as long as its SQL function runs (ctx.effect), or a user's transaction has changed it. A
-- cancel waits 200 ms for it and then leaves a note; the next sweep that finds the message free cancels it. So does the
-- function's own transaction at its end. A group may be locked as long as a user's transaction that has deleted one of
-- its messages: then all messages of the call get notes. A note goes with its message. With one note for each message,
-- two cancels would wait for each other.
create table messenger.cancel_notes (
  message_id bigint not null,
  id bigint generated always as identity primary key
);
comment on table messenger.cancel_notes is
  'Messages that a cancel found locked, to be cancelled by a sweep. Nearly always empty.';
comment on column messenger.cancel_notes.message_id is
  'The message.';

comment on column messenger.cancel_notes.id is
  'Identity of the note.';

create index cancel_notes_message_idx on messenger.cancel_notes (message_id);
comment on index messenger.cancel_notes_message_idx is
  'The notes of a message.';

alter table messenger.cancel_notes enable row level security;

create function messenger.note_cancels(p_ids bigint[], p_taken bigint[]) returns integer
language plpgsql
set search_path = ''
as $$
begin
  insert into messenger.cancel_notes (message_id)
  select m.id from public.messenger_messages m
  where m.id = any (p_ids) and m.id <> all (p_taken) and not m.cancelled
    and not exists (select from messenger.cancel_notes n where n.message_id = m.id)
  order by m.id;
  delete from messenger.cancel_notes n where n.message_id = any (p_taken);
  -- A note may be left of a message that is gone.
  return (
    select count(*) from public.messenger_messages m
    where m.id = any (p_ids) and exists (select from messenger.cancel_notes n where n.message_id = m.id)
  );
end
$$;
comment on function messenger.note_cancels(bigint[], bigint[]) is
  'Part of a cancel: notes its messages but those that it has locked, and returns the number of messages with a note.';

create function messenger.lock_cancelled(
  p_ids bigint[], p_waits boolean, out matched bigint[], out passed_over integer
)
language plpgsql
set search_path = ''
as $$
begin
  if p_waits then
    perform from public.messenger_messages m where m.id = any (p_ids) and not m.cancelled order by m.id for update;
  end if;
  matched := array(
    select m.id from public.messenger_messages m
    where m.id = any (p_ids) and not m.cancelled order by m.id for update skip locked
  );
  passed_over := messenger.note_cancels(p_ids, matched);
end
$$;
comment on function messenger.lock_cancelled(bigint[], boolean) is
  'Part of a cancel: locks its messages, and notes those that others have locked. Returns the ids of the locked ones, and the number of the others.';

-- A sweep passes 1 for `p_tries`, waits for no message, and leaves the notes that it found.
create function messenger.cancel_ids(p_ids bigint[], p_tries integer default 10) returns jsonb
language plpgsql
set search_path = ''
-- A settle call may hold a lock that this cancel needs, and wait for one that this cancel holds. The cancel gives way
-- long before Postgres would detect a deadlock, and tries again.
set lock_timeout = '200ms'
as $$
declare
  clock constant timestamptz := public.messenger_now();
  fence constant uuid := gen_random_uuid();
  locked record;
  taken bigint[];
  told integer;
begin
  for try in 1..p_tries loop
    begin
      perform messenger.lock_groups(p_ids);
      locked := messenger.lock_cancelled(p_ids, try = 1 and p_tries > 1);

      -- Messages that no worker runs are taken under a lease of their own, and settled. A lease that ran out
      -- protects no worker.
      update public.messenger_messages m
      set cancelled = true
      where m.id = any (locked.matched) and m.status = 'processing' and m.leased_until > clock;
      get diagnostics told = row_count;

      with leased as (
        update public.messenger_messages m
        set status = 'processing', lease_token = fence, leased_until = clock
        where m.id = any (locked.matched) and not m.cancelled
        returning m.id
      )
      select coalesce(array_agg(l.id), '{}') into taken from leased l;
      perform messenger.refuse_skipped('messenger_messages', told + cardinality(taken), cardinality(locked.matched));
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
      if try = p_tries then
        return jsonb_build_object('done', 0, 'running', messenger.note_cancels(p_ids, '{}'));
      end if;
    end;
  end loop;
  return jsonb_build_object(
    'done', cardinality(taken), 'running', cardinality(locked.matched) - cardinality(taken) + locked.passed_over
  );
end
$$;
comment on function messenger.cancel_ids(bigint[], integer) is
  'Part of a step: cancels messages. Returns {"done", "running"}; running are also those that others have locked, or whose groups they have locked, which are noted.';

-- One message that refuses it keeps back no other. The loop ends in half a second: the next sweep finds the rest.
create function messenger.cancel_apart(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  ends_at constant timestamptz := clock_timestamp() + interval '500 milliseconds';
  one bigint;
begin
  -- In another order each time, so that those that are refused do not always come first.
  for one in select i from unnest(p_ids) as i order by random() loop
    exit when clock_timestamp() > ends_at;
    begin
      perform messenger.cancel_ids(array[one], 1);
    exception when others then
      raise warning 'message % was not cancelled: %', one, sqlerrm;
    end;
  end loop;
end
$$;
comment on function messenger.cancel_apart(bigint[]) is
  'Part of a sweep: cancels messages one by one, because one of them refuses it.';

-- An error must not end the claim that sweeps. A group that another session works on is passed over, for one such group
-- would keep back all notes.
create function messenger.sweep_cancels() returns void
language plpgsql
set search_path = ''
as $$
declare
  free bigint[];
begin
  if not exists (select from messenger.cancel_notes) then
    return;
  end if;
  delete from messenger.cancel_notes n
  where n.message_id in (
    select g.message_id from messenger.cancel_notes g
    where not exists (select from public.messenger_messages m where m.id = g.message_id)
    limit 1000 for update skip locked
  );
  with noted as materialized (
    select m.id, m.queue, m.group_key from public.messenger_messages m
    where m.id in (select n.message_id from messenger.cancel_notes n order by n.id limit 1000)
  ),
  locked as materialized (
    select l.queue, l.group_key
    from (select distinct n.queue, n.group_key from noted n where n.group_key is not null) as g
    cross join lateral messenger.group_locks(array[g.queue], array[g.group_key]) as l
    where pg_try_advisory_xact_lock(l.lock_key)
  )
  select array_agg(n.id) into free from noted n
  where n.group_key is null or exists (
    select from locked l where l.queue = n.queue and l.group_key = n.group_key
  );
  if free is null then
    return;
  end if;
  begin
    perform messenger.cancel_ids(free, 1);
  exception when others then
    perform messenger.cancel_apart(free);
  end;
exception when others then
  raise warning 'messages that a cancel has found locked were not cancelled: %', sqlerrm;
end
$$;
comment on function messenger.sweep_cancels() is
  'Part of a sweep: cancels up to 1,000 messages that a cancel has found locked, without waiting for those that still are.';

create function public.messenger_cancel(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  dry_run boolean default false,
  max_messages integer default null,
  "all" boolean default false,
  after jsonb default null,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null,
  error text default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  answer := messenger.take_step(
    'cancel',
    messenger.check_filter(jsonb_build_object(
      'ids', ids, 'type', type, 'queue', queue, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until, 'error', error
    ), "all"),
    '{}', max_messages, dry_run, after
  );
  perform messenger.check_deferred('messenger_cancel');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_cancel(
  bigint[], text, text, boolean, integer, boolean, jsonb, text, text, timestamptz, timestamptz, text
) is
  'Cancels messages by ids, by filter or "all". Those that wait go to the dead letters at once, reason cancelled; those that run are stopped at their worker''s next heartbeat. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';
