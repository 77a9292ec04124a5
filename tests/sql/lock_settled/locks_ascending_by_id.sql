-- Before statements that would meet the messages in another order. tests/race has the deadlocks that there are not.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C');
select lives_ok($$
  select messenger.lock_settled(jsonb_build_array(
    jsonb_build_object('token', test.token(1), 'handled', test.ids('C'), 'retries', '[]'::jsonb),
    jsonb_build_object('token', test.token(2), 'handled', test.ids('B'), 'dead',
      jsonb_build_array(jsonb_build_object('id', test.id_of('A')::text)))
  ))
$$, 'whatever the outcomes');
select is(
  (select count(*) from messenger_messages where xmax <> '0'), 3::bigint, 'all of them'
);

select * from finish();
rollback;
