-- Ids: a message and a dead letter never share one. The sequence that gives them falls behind where a restore, or
-- an operator, sets it back; whatever writes messages looks at it once a call, and has it pass over what is taken.

-- An id beyond 5 * 10^17 was given by an operator, for no sequence gets there: it is not passed over, which
-- would leave no ids behind it, nor any that the API takes, of up to 18 digits. A sequence that was set near
-- its end goes back in the same way. Ids that are only remembered are taken as well: what is told of the old
-- message would be told of the new one.
create function messenger.sequence_behind() returns boolean
-- Not in SQL, which would be planned again by each call.
language plpgsql
set search_path = ''
as $$
declare
  most constant bigint := 500000000000000000;
  last bigint;
begin
  -- A sum with is_called would have no room at the end of the range.
  select s.last_value - (not s.is_called)::integer into last from public.messenger_messages_id_seq s;
  return last > most + most / 2
    or exists (select from public.messenger_messages m where m.id > last and m.id <= most)
    or exists (select from public.messenger_failed_messages f where f.id > last and f.id <= most)
    or exists (select from public.messenger_handled_messages h where h.id > last and h.id <= most)
    or exists (
      select from public.messenger_schedule_runs r
      where r.message_id > last and r.message_id <= most
    );
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
  -- Another session may have mended it meanwhile.
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
  'Has the sequence of the ids pass over those of messages, dead letters, and whatever is remembered of messages.';

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
  'An id that neither a message nor a dead letter has, for one whose own is taken.';

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
  'The id under which a message goes to the dead letters: its own, or a new one where a dead letter has that.';
