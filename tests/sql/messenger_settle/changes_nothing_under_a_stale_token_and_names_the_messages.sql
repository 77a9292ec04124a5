-- The lease has moved on: another worker may be at it, and it alone decides.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('handled', 'released', 'retried', 'dead', 'pending', 'good');
select test.claim(test.token(1));
update messenger_messages
set status = 'pending', lease_token = null, leased_until = null where type = 'pending';
update messenger_messages set lease_token = test.token(2)
where type in ('handled', 'released', 'retried', 'dead');
create temp table before as select * from messenger_messages where type <> 'good';

create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', test.ids('handled', 'good', 'pending') || '["999999999"]',
  'released', test.ids('released'),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('retried')::text, 'delay_ms', 0, 'retry_count', 1
  )),
  'dead', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('dead')::text, 'reason', 'exhausted'
  ))
))) as answer;

select results_eq(
  'select * from messenger_messages order by id', 'select * from before order by id',
  'no row of another lease is changed'
);
select is_empty('select id from messenger_failed_messages', 'or moved');
select results_eq(
  $$select jsonb_array_elements(answer -> 'stale') from answer order by 1$$,
  $$select jsonb_array_elements(
      test.ids('handled', 'released', 'retried', 'dead', 'pending') || '["999999999"]'
    ) order by 1$$,
  'each is named, and so is one that is gone'
);
select is_empty(
  $$select id from messenger_messages where type = 'good'$$, 'while the others are settled'
);

select * from finish();
rollback;
