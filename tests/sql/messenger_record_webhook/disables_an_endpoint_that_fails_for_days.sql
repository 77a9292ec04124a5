begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
insert into messenger_webhook_events (id, event, data) overriding system value values (1, 'x', '{}');

create function record(delivered boolean, status integer, error text default null) returns jsonb
language sql as $$
  select messenger_record_webhook(jsonb_build_object(
    'endpoint', 'a', 'event_id', 1, 'event', 'x', 'message_id', 2, 'attempt', 1, 'delivered', delivered,
    'status', status, 'duration_ms', 3, 'answer', repeat('y', 2000), 'error', error
  ))
$$;
create temporary view a as select * from messenger_webhook_endpoints where name = 'a';

select is(record(false, 500), '{}', 'the first failure');
select is((select failing_since from a), '2026-01-01 12:00Z'::timestamptz, 'begins the count');
select test.set_clock('2026-01-06 11:59Z');
select record(true, 200);
select is((select failing_since from a), null, 'a success ends it');
select record(false, 500);
select test.set_clock('2026-01-11 11:58Z');
select is(record(false, null, 'timed out'), '{}', 'less than five days of failures');
select test.set_clock('2026-01-11 11:59Z');
select is(
  record(false, null, 'timed out') ->> 'disabled',
  'every call failed since 2026-01-06 11:59 UTC; the last: timed out', 'five days of failures disable it'
);
select results_eq(
  'select disabled_by, disabled_at from a', $$values ('failures', '2026-01-11 11:59Z'::timestamptz)$$, 'with the moment'
);
select is(
  messenger_health() -> 'webhooks_disabled' -> 0 ->> 'name', 'a', 'and health names it'
);
select is(max(length(answer)), 1000, 'answers are cut') from messenger_webhook_deliveries;

select messenger_set_webhook_endpoint('a', '{"disabled":false}');
select is((select failing_since from a), null, 'an endpoint that is enabled again begins without failures');
select is(record(false, 410) ->> 'disabled', 'it answered 410 Gone', '410 disables it at once');

select * from finish();
rollback;
