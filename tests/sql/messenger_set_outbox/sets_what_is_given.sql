begin;
select plan(5);
select is(
  messenger_set_outbox(max_bytes => 2097152), '{"max_bytes": 2097152, "keep_sent": "01:00:00", "keep_handled": "24:00:00"}', 'the rest has its default'
);
select is(messenger_set_outbox(keep_sent => '2 hours') ->> 'max_bytes', '2097152', 'what is not given stays');
select throws_ok($$select messenger_set_outbox(max_bytes => 1)$$, 'PT400', 'max_bytes: has to be at least 1048576', 'a bound has a bound');
select throws_ok($$select messenger_set_outbox(keep_sent => '8 days')$$, 'PT400', 'keep_sent: has to be from 0 to 7 days', 'so has the window');
select throws_ok(
  $$select messenger_set_outbox(keep_handled => '1 second')$$, 'PT400', 'keep_handled: has to be from 1 minute to 90 days', 'and the memory'
);
select * from finish();
rollback;
