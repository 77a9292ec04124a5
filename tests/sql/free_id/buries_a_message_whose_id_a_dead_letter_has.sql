-- Neither is lost: the dead letter keeps its id, and the message gets another. Cancelling does the same.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('dies', 'cancelled');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select id, 'older', '{}', 'default', 'exhausted', now() from messenger_messages;
select setval('messenger_messages_id_seq', 1, false);
select test.claim(test.token(1), 1);
create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'dead', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('dies')::text, 'reason', 'exhausted'
  ))
))) as answer;
select is((select answer from answer), '{"stale":[]}', 'it is settled');
select is(
  (select count(*) from messenger_messages where type = 'dies'), 0::bigint, 'it waits no more'
);
select lives_ok(
  $$select messenger_cancel(ids => array[test.id_of('cancelled')])$$, 'one is cancelled'
);
select is((select count(*) from messenger_messages), 0::bigint, 'nothing is left');
select results_eq(
  $$select type, count(distinct id)::integer from messenger_failed_messages group by type order by 1$$,
  $$values ('cancelled', 1), ('dies', 1), ('older', 2)$$, 'all of them are dead letters'
);

select * from finish();
rollback;
