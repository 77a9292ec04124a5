-- Pruning of events, of used tokens, of waits whose messages are gone, and of deliveries of alerts.

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
  deliveries integer;
  waits record;
  fault_detail text;
begin
  perform messenger.check_age('older_than', older_than);
  events := messenger.prune_before(
    'public.messenger_events', 'created_at', clock - older_than, 5000, false
  );
  -- The clock of an edge function, which refuses expired tokens, may be behind.
  tokens := messenger.prune_before(
    'messenger.used_tokens', 'expires_at', clock - interval '1 hour', 5000, false
  );
  deliveries := messenger.prune_before(
    'public.messenger_alert_deliveries', 'created_at', clock - older_than, 5000, false
  );
  -- A wait goes with its message, and is not kept with a dead letter.
  waits := messenger.prune_orphans('messenger.waits', false, 5000, false, messenger.place_after(after));
  perform messenger.check_deferred('messenger_prune_events');
  return jsonb_build_object(
    'matched', events + tokens + deliveries + waits.number, 'done', events + tokens + deliveries + waits.number,
    'next', case when events = 5000 or tokens = 5000 or deliveries = 5000 or waits.place is not null then
      jsonb_build_object('id', waits.place::text)
    end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune_events(interval, jsonb) is
  'Deletes events and deliveries of alerts older than an age, used tokens that have expired, and waits of messages that are gone. Takes one step of up to 5,000 rows of each, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "next"}.';
