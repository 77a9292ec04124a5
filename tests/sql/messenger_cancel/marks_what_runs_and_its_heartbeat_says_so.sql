-- Its worker stops it; until then no other worker may have it.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A');
select test.claim(test.token(1), 1);

select is(
  messenger_cancel(type => 'A') - '{left,missing,next}'::text[],
  '{"matched":1,"done":0,"running":1}', 'it says that one runs'
);
select is(
  messenger_heartbeat(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'ids', jsonb_build_array(test.id_of('A')::text)
  ))),
  jsonb_build_object('lost', '[]'::jsonb, 'cancelled', jsonb_build_array(test.id_of('A')::text)),
  'the heartbeat names it'
);
select is(test.claim(test.token(2), 1) -> 'messages', '[]', 'no other worker is given it');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 1
  ))
)));
select is_empty('select from messenger_messages', 'a retry of it is not waited for');
select results_eq(
  'select type, reason from messenger_failed_messages', $$values ('A', 'cancelled')$$,
  'it is a dead letter instead, cancelled'
);

select * from finish();
rollback;
