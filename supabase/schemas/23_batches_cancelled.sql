-- Cancelling a batch, a bounded number of members at a time, and what follows a message's cancel.

create function messenger.member_positions(p_batch_id bigint, p_chunk integer) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select o.position from messenger.batch_chunks c
    join messenger.outbox o on o.id = any (c.ids)
    where c.batch_id = p_batch_id and c.chunk = p_chunk and o.stamps #>> '{batch,id}' = p_batch_id::text
  );
end
$$;
comment on function messenger.member_positions(bigint, integer) is
  'Part of cancelling a batch: positions in the outbox of the members of a chunk.';

-- Cancels the members of the batch, which the caller has locked, from its next chunk on until the time is over.
-- Members of a chunk that is cut off are looked at again: those that are cancelled are not found again.
create function messenger.cancel_members(p_batch public.messenger_batches, p_until timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  next_chunk integer := p_batch.cancel_chunk;
  slice bigint[];
  outcome jsonb;
  done integer := 0;
  running integer := 0;
begin
  while next_chunk is not null and clock_timestamp() < p_until loop
    slice := array(
      select m.id from messenger.batch_chunks c
      join public.messenger_messages m on m.id = any (c.ids)
      where c.batch_id = p_batch.id and c.chunk = next_chunk and not m.cancelled
        and m.stamps #>> '{batch,id}' = p_batch.id::text
        and not exists (select from messenger.cancel_notes n where n.message_id = m.id)
      order by m.id limit 100
    );
    begin
      if cardinality(slice) = 0 then
        -- Members that wait for another transport, and those that it has.
        select jsonb_build_object('done', cardinality(c.done), 'running', cardinality(c.running)) into outcome
        from messenger.cancel_positions(messenger.member_positions(p_batch.id, next_chunk)) as c;
        next_chunk := case when next_chunk < p_batch.chunks then next_chunk + 1 end;
      else
        outcome := messenger.cancel_ids(slice);
      end if;
    exception when sqlstate 'PT503' then
      -- Other sessions have these members locked.
      if done + running = 0 then raise; end if;
      exit;
    end;
    done := done + (outcome ->> 'done')::integer;
    running := running + (outcome ->> 'running')::integer;
  end loop;
  update public.messenger_batches b set cancel_chunk = next_chunk where b.id = p_batch.id;
  perform messenger.fold_batch(p_batch.id);
  return jsonb_build_object('done', done, 'running', running, 'next', next_chunk);
end
$$;
comment on function messenger.cancel_members(public.messenger_batches, timestamptz) is
  'Part of a batch''s cancel: cancels its members until a moment. Returns {"done", "running", "next"}; next is the chunk to continue with, null at the end.';

create function messenger.sweep_cancelled_batches() returns void
language plpgsql
set search_path = ''
as $$
declare
  batch public.messenger_batches;
  ends_at constant timestamptz := clock_timestamp() + interval '500 milliseconds';
begin
  for batch in
    select * from public.messenger_batches b
    where b.cancel_chunk is not null order by b.id limit 100 for update skip locked
  loop
    begin
      perform messenger.cancel_members(batch, ends_at);
    exception when others then
      raise warning 'batch % was not cancelled further: %', batch.id, sqlerrm;
    end;
    exit when clock_timestamp() >= ends_at;
  end loop;
end
$$;
comment on function messenger.sweep_cancelled_batches() is
  'Part of a sweep: continues the cancel of batches, for half a second at most.';

-- A cancelled message may name a message to dispatch, and may wait for batches. The stamp may come from a user's own
-- SQL: one that is no message is left out, because a cancel has to succeed.
create function messenger.after_cancels(p_cancelled jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := array(select (c ->> 'id')::bigint from jsonb_array_elements(p_cancelled) as c);
  given jsonb;
  due jsonb := '[]'::jsonb;
begin
  for given in select c -> 'message' from jsonb_array_elements(p_cancelled) as c loop
    continue when coalesce(given, 'null') = 'null';
    if jsonb_typeof(given) = 'object' and messenger.message_fault(given) is null then
      due := due || given;
    else
      raise warning 'onCancelled: is no message (was %)', left(given::text, 200);
    end if;
  end loop;
  if due <> '[]' then
    perform public.messenger_enqueue(due, true);
  end if;
  insert into messenger.batch_deltas (batch_id, cancels)
  select b.id, true from public.messenger_batches b
  where b.parent_id = any (ids) and (
      b.finished_at is null and b.cancelled_at is null
      -- Children that were redriven run for a batch that has ended before.
      or messenger.batch_state(b) -> 'pending' <> '0'
    )
  order by b.id;
end
$$;
comment on function messenger.after_cancels(jsonb) is
  'Part of a settle call: dispatches the onCancelled of messages that were cancelled, and has the batches cancelled that they wait for.';

-- `after` is the "next" of the step before. A step that is not the last is continued by the sweep as well.
create function public.messenger_cancel_batch(id bigint, dry_run boolean default false, after jsonb default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  batch public.messenger_batches;
  step jsonb;
  answer jsonb;
  fault_detail text;
begin
  if dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  select * into batch from public.messenger_batches b where b.id = messenger_cancel_batch.id for update;
  if not found then
    raise sqlstate 'PT404' using message = format('id: no batch %s', coalesce(messenger_cancel_batch.id::text, 'null'));
  end if;
  if not dry_run then
    -- A cancel that is repeated reads all members again; some may have been redriven.
    update public.messenger_batches b
    set cancelled_at = coalesce(b.cancelled_at, public.messenger_now()),
      sealed_at = coalesce(b.sealed_at, public.messenger_now()),
      key_until = coalesce(b.key_until, public.messenger_now() + interval '24 hours'),
      cancel_chunk = case
        when b.chunks = 0 then null
        when coalesce(after, 'null') = 'null' then 1
        else b.cancel_chunk
      end
    where b.id = batch.id
    returning * into batch;
    step := messenger.cancel_members(batch, clock_timestamp() + interval '3 seconds');
  end if;
  answer := (
    select jsonb_build_object(
      'matched', case when dry_run then s.pending
        else (step ->> 'done')::integer + (step ->> 'running')::integer end,
      'done', coalesce((step ->> 'done')::integer, 0), 'running', coalesce((step ->> 'running')::integer, 0),
      'left', jsonb_build_object(
        'count', case when step -> 'next' <> 'null' then s.pending else 0 end, 'capped', false
      ),
      'missing', '[]'::jsonb,
      'next', case when step -> 'next' <> 'null' then jsonb_build_object('chunk', step -> 'next') end
    )
    from (
      select (messenger.batch_state(b) ->> 'pending')::bigint as pending
      from public.messenger_batches b where b.id = batch.id
    ) as s
  );
  perform messenger.check_deferred('messenger_cancel_batch');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_cancel_batch(bigint, boolean, jsonb) is
  'Cancels a batch: no further member is taken, those that wait become dead letters, those that run are stopped at their worker''s next heartbeat. Takes one step of about three seconds, behind the "next" of the step before if "after" is given; a sweep takes the steps that no caller takes. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';
