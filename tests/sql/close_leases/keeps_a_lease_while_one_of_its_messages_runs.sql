-- Whatever became of its other messages, and whichever worker took them meanwhile.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('handled', 'retried', 'released', 'snoozed', 'dead', 'runs', 'expired');
select test.claim(test.token(1));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('handled'), 'released', test.ids('released'),
  'retries', jsonb_build_array(
    jsonb_build_object('id', test.id_of('retried')::text, 'delay_ms', 0, 'retry_count', 1)
  ),
  'snoozed', jsonb_build_array(
    jsonb_build_object('id', test.id_of('snoozed')::text, 'delay_ms', 0)
  ),
  'dead', jsonb_build_array(
    jsonb_build_object('id', test.id_of('dead')::text, 'reason', 'exhausted')
  )
)));
select is((select open from messenger.leases), 2, 'five are taken off, each once');

select test.claim(test.token(2));
select test.set_clock('2026-01-01 12:00:40Z');
select messenger_heartbeat(
  jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids('runs')))
);
select test.set_clock('2026-01-01 12:01Z');
select test.claim(test.token(3));
select results_eq(
  $$select ids, open from messenger.leases where token = test.token(1)$$,
  $$select array[test.id_of('runs')], 1$$, 'a sweep leaves it what runs'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('expired', 'retried', 'released', 'snoozed')
)));
select is(
  (select open from messenger.leases where token = test.token(1)), 1,
  'what came again is not taken off'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('runs')
)));
select is_empty($$select * from messenger.leases where token = test.token(1)$$, 'the last is');

select * from finish();
rollback;
