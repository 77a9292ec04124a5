-- Ids: a message and a dead letter never share one. The sequence that gives them falls behind where a restore, or
-- an operator, sets it back; whatever writes messages looks at it once a call, and has it pass over what is taken.

create or replace function public.messenger_sequence_behind() returns boolean
-- Not in SQL, which would be planned again by each call.
language plpgsql
set search_path = ''
-- Without it the cost of a sequence's only row, which can be read in no other way, has it compiled.
set jit = off
set enable_seqscan = off
as $$
begin
  return exists (
    select from public.messenger_messages_id_seq s
    where exists (
        select from public.messenger_messages m where m.id >= s.last_value + s.is_called::integer
      )
      or exists (
        select from public.messenger_failed_messages f
        where f.id >= s.last_value + s.is_called::integer
      )
  );
end
$$;
comment on function public.messenger_sequence_behind() is
  'Whether the sequence of the ids is behind messages or dead letters, as a restore leaves it. The next dispatch mends it; for messenger_health.';

create or replace function public.messenger_mend_sequence() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(pg_catalog.hashtextextended('symphony_messenger.sequence', 0));
  -- Another session may have mended it meanwhile.
  if public.messenger_sequence_behind() then
    perform setval('public.messenger_messages_id_seq', greatest(
      (select max(m.id) from public.messenger_messages m),
      (select max(f.id) from public.messenger_failed_messages f)
    ));
  end if;
end
$$;
comment on function public.messenger_mend_sequence() is
  'Has the sequence of the ids pass over those of messages and dead letters.';

create or replace function public.messenger_new_id() returns bigint
language plpgsql
set search_path = ''
as $$
begin
  perform public.messenger_mend_sequence();
  return nextval('public.messenger_messages_id_seq');
end
$$;
comment on function public.messenger_new_id() is
  'An id that neither a message nor a dead letter has, for one whose own is taken.';

create or replace function public.messenger_free_id(id bigint) returns bigint
language plpgsql
set search_path = ''
as $$
begin
  if not exists (
    select from public.messenger_failed_messages f where f.id = messenger_free_id.id
  ) then
    return id;
  end if;
  return public.messenger_new_id();
end
$$;
comment on function public.messenger_free_id(bigint) is
  'The id under which a message goes to the dead letters: its own, or a new one where a dead letter has that.';

revoke execute on function
  public.messenger_sequence_behind(), public.messenger_mend_sequence(),
  public.messenger_new_id(), public.messenger_free_id(bigint)
from public, anon, authenticated;
grant execute on function
  public.messenger_sequence_behind(), public.messenger_mend_sequence(),
  public.messenger_new_id(), public.messenger_free_id(bigint)
to service_role;
