-- Nothing was sent, so that it says nothing of the endpoint.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","disable_after_ms":60000}');
create function record() returns jsonb
language sql as $$
  select messenger_record_webhook(
    '{"endpoint":"a","event_id":7,"event":"x","message_id":2,"attempt":1,"delivered":false,"duration_ms":3,"error":"eventId: the event 7 was deleted"}'
  )
$$;

select is(record(), '{}', 'a refusal');
select is((select failing_since from messenger_webhook_endpoints), null, 'is no failure of the endpoint');
select test.set_clock('2026-01-01 12:05Z');
select is(record(), '{}', 'and disables nothing, however long');
select is((select count(*) from messenger_webhook_deliveries), 2::bigint, 'it is noted all the same');

select * from finish();
rollback;
