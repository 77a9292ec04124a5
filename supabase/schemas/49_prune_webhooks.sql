-- Pruning of webhooks: attempts and events.

create function public.messenger_prune_webhooks(
  older_than interval default interval '30 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before timestamptz;
  deliveries integer;
  events integer;
  fault_detail text;
begin
  perform messenger.check_age('older_than', older_than);
  before := public.messenger_now() - older_than;
  deliveries := messenger.prune_before('public.messenger_webhook_deliveries', 'sent_at', before, 5000, false);
  events := messenger.prune_before('public.messenger_webhook_events', 'created_at', before, 1000, false);
  perform messenger.check_deferred('messenger_prune_webhooks');
  return jsonb_build_object(
    'matched', deliveries + events, 'done', deliveries + events,
    'next', case when deliveries = 5000 or events = 1000 then '{"id": null}'::jsonb end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune_webhooks(interval, jsonb) is
  'Deletes webhook events and attempts to send them that are older than an age. Takes one step of up to 5,000 attempts and 1,000 events. Returns {"matched", "done", "next"}.';
