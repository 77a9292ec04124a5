-- A delivery without an outcome becomes a running message of home, which a sweep finds if its worker dies.
begin;
select plan(6);
create temp table delivery as select jsonb_build_array(jsonb_build_object(
  'id', 7, 'origin', messenger.installation_id(), 'source_id', 7, 'publication', 2, 'token', test.token(1),
  'type', 'Report', 'payload', '{"a":1}'::jsonb, 'queue', 'reports', 'priority', 5, 'created_at', now(), 'retry_count', 1,
  'attempts', 2, 'snoozes', 0, 'interruptions', 0
)) as d;
select is(messenger_settle_deliveries('events', adopted => d) , '{"stale": [], "repeated": []}', 'it is adopted') from delivery;
select results_eq(
  'select id::int, type, queue collate "default", priority::int, status, retry_count, attempts, lease_token, leased_until - now() from messenger_messages',
  $$values (7, 'Report', 'reports', 5, 'processing', 1, 2, test.token(1), interval '1 minute')$$, 'it runs under its lease'
);
select is(messenger_settle_deliveries('events', adopted => d) -> 'repeated', '["7"]', 'its next copy is dropped') from delivery;
update messenger_messages set leased_until = now() - interval '1 s' where id = 7;
update messenger.leases set leased_until = now() - interval '1 s' where true;
select messenger_claim(test.token(2), sweep => true);
select results_eq(
  'select status, lease_token = test.token(1) from messenger_messages', $$values ('processing', false)$$, 'a sweep finds it when its worker has died'
);
select is((select count(*)::int from messenger.outbox), 0, 'it is no message of the outbox any more');
select throws_ok($$select messenger_settle_deliveries('events', lease_ms => 0)$$, 'PT400', 'lease_ms: has to be from 1 to 86400000', 'a lease has a length');
select * from finish();
rollback;
