-- A message that was in a crash stays quarantined through all its retries.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 1, 'quarantined', true
  ))
)));
select is((select quarantined from messenger_messages), true, 'a retry may ask for it');
select test.claim(test.token(2), run_alone => true);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(2),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 2, 'quarantined', false
  ))
)));
select is((select quarantined from messenger_messages), true, 'a later one does not take it back');

select * from finish();
rollback;
