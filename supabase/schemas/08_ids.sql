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
    and not exists (select from messenger.outbox o where o.id > last and o.id <= most)
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
    (select max(o.id) from messenger.outbox o where o.id > last and o.id <= most),
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
      (select max(o.id) from messenger.outbox o where o.id <= most),
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

-- The ids of other tables: of ticks, schedules, batches, events and records. A restore that leaves their sequences
-- behind would stop ticks and all else that is written, until the sequences have counted past what is there. So the
-- minute's tick moves them. As above, an id that no sequence reaches by counting moves none.
create function messenger.mend_sequences() returns void
language plpgsql
set search_path = ''
as $$
declare
  own record;
  last bigint;
  highest bigint;
begin
  for own in
    select c.oid::regclass as relation, a.attname as id, q.seqrelid::regclass as sequence, q.seqmax / 18 as most
    from pg_catalog.pg_class c
    join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnatts = 1
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] and a.attidentity <> ''
    join pg_catalog.pg_sequence q
      on q.seqrelid = pg_get_serial_sequence(c.oid::regclass::text, a.attname)::regclass
    where c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%' and c.relname <> 'messenger_messages'
  loop
    -- In this order: an id that is there was drawn before the sequence is read, unless the sequence is behind.
    execute format('select max(t.%1$I) from %2$s t where t.%1$I <= %3$s', own.id, own.relation, own.most) into highest;
    execute format('select s.last_value - (not s.is_called)::integer from %s s', own.sequence) into last;
    if highest > last then
      perform setval(own.sequence, highest);
    end if;
  end loop;
exception when others then
  raise warning 'the sequences of ids were not looked at: %', sqlerrm;
end
$$;
comment on function messenger.mend_sequences() is
  'Moves the sequences of all other ids past the ids that are in use, as a restore may leave them behind.';
