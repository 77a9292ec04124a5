-- Pruning of events, of used tokens, and of waits whose messages are gone.

-- A wait has no time of its own, and goes with its message. `p_place` is the last message looked at.
create function messenger.prune_waits(p_max_rows integer, p_place bigint, out place bigint, out number integer)
language plpgsql
set search_path = ''
as $$
declare
  seen constant bigint[] := array(
    select w.message_id from messenger.waits w
    where w.message_id > coalesce(p_place, -9223372036854775808)
    order by w.message_id limit p_max_rows
  );
begin
  delete from messenger.waits w
  where w.message_id = any (seen)
    and not exists (select from public.messenger_messages m where m.id = w.message_id);
  get diagnostics number = row_count;
  place := case when cardinality(seen) = p_max_rows then seen[p_max_rows] end;
end
$$;
comment on function messenger.prune_waits(integer, bigint) is
  'Part of pruning: deletes the waits of messages that are gone among the next p_max_rows rows, and returns how many, and the place to continue behind, null at the end.';

create function public.messenger_prune_events(
  older_than interval default interval '30 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  events integer;
  tokens integer;
  waits record;
begin
  perform messenger.check_age('older_than', older_than);
  events := messenger.prune_before(
    'public.messenger_events', 'created_at', clock - older_than, 5000, false
  );
  -- The clock of an edge function, which refuses expired tokens, may be behind.
  tokens := messenger.prune_before(
    'messenger.used_tokens', 'expires_at', clock - interval '1 hour', 5000, false
  );
  waits := messenger.prune_waits(5000, messenger.place_after(after));
  return jsonb_build_object(
    'matched', events + tokens + waits.number, 'done', events + tokens + waits.number,
    'next', case when events = 5000 or tokens = 5000 or waits.place is not null then
      jsonb_build_object('id', waits.place::text)
    end
  );
end
$$;
comment on function public.messenger_prune_events(interval, jsonb) is
  'Deletes events older than an age, used tokens that have expired, and waits of messages that are gone. Takes one step of about 10,000 rows, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "next"}.';
