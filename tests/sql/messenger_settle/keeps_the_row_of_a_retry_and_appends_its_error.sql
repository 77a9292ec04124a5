-- The same id, the history of all attempts, a due time of the strategy's choosing.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{"type":"A","stamps":{"user":"u"}}]');
select test.claim(test.token(1));
create temp table before as select id from messenger_messages;
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 1500.5, 'retry_count', 1,
    'errors', '[{"message":"first"}]'::jsonb
  ))
)));

select results_eq(
  $$select id, status, attempts, retry_count, available_at, lease_token, leased_until, quarantined
    from messenger_messages$$,
  $$select id, 'pending', 1, 1, '2026-01-01 12:00:01.5005Z'::timestamptz, null::uuid,
      null::timestamptz, false
    from before$$,
  'the row waits for its retry'
);
select is(
  (select errors from messenger_messages), '[{"message":"first"}]', 'with its first error'
);
select is(
  (select stamps from messenger_messages), '{"user":"u"}', 'and the stamps it had'
);

select test.set_clock('2026-01-01 12:01Z');
select test.claim(test.token(2));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(2),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 2,
    'stamps', '{"done":["mail"]}'::jsonb, 'errors', '[{"message":"second"}]'::jsonb
  ))
)));
select results_eq(
  'select errors, stamps, retry_count, attempts from messenger_messages',
  $$values ('[{"message":"first"},{"message":"second"}]'::jsonb, '{"done":["mail"]}'::jsonb, 2, 2)$$,
  'the second retry appends its error and may replace the stamps'
);

select * from finish();
rollback;
