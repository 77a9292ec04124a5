-- A repeated call finds the step stored, and writes its dispatches no second time.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1));
create temp table saves as select jsonb_agg(jsonb_build_object(
  'id', test.id_of(type)::text, 'token', test.token(worker), 'version', null, 'steps', jsonb_build_array(
    jsonb_build_object(
      'handler', 'h', 'name', 's', 'key', '', 'nth', 1, 'kind', 'step', 'status', 'done', 'result', 1,
      'messages', jsonb_build_array(jsonb_build_object('id', messenger_reserve_ids(1) #> '{ids,0}', 'type', 'of ' || type))
    ),
    jsonb_build_object('handler', 'h', 'name', 's', 'key', 'k', 'nth', 1, 'kind', 'step', 'status', 'done')
  )
)) as saves
from (values ('A', 1), ('B', 2)) as v (type, worker);

select is(
  (select messenger_save_steps(saves) from saves), jsonb_build_object('stale', test.ids('B')),
  'one message has another lease'
);
select results_eq(
  $$select type from messenger_messages where type like 'of %'$$, array['of A'], 'its dispatch is not written'
);
select lives_ok('select messenger_save_steps(saves) from saves', 'the call is repeated');
select is(
  (select count(*) from messenger_messages where type like 'of %'), 1::bigint, 'and nothing is written twice'
);

select * from finish();
rollback;
