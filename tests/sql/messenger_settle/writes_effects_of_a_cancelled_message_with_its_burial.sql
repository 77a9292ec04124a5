-- Handlers that have succeeded do not run again after a redrive, so their effects go with the dead letter.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select messenger_cancel(type => 'A');
create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.ids('A') -> 0, 'delay_ms', 0, 'retry_count', 1, 'stamps', '{"handledBy": ["mail"]}'::jsonb
  )),
  'effects', jsonb_build_array(jsonb_build_object(
    'id', test.ids('A') -> 0,
    'messages', jsonb_build_array(jsonb_build_object('id', messenger_reserve_ids(1) #> '{ids,0}', 'type', 'Child'))
  ))
))) as answer;

select is((select answer from answer), jsonb_build_object('stale', test.ids('A')), 'the retry is not written');
select results_eq(
  'select reason, stamps -> $$handledBy$$ from messenger_failed_messages',
  $$values ('cancelled', '["mail"]'::jsonb)$$, 'the message is a dead letter, with its handlers'
);
select results_eq('select type from messenger_messages', array['Child'], 'the child of its handler is written');

select * from finish();
rollback;
