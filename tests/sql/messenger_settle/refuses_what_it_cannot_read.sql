-- Nothing of the call is written, also what stood before the fault.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1));
select throws_ok(
  $$select messenger_settle(null)$$, 'PT400', 'settlements: has to be an array', 'no array'
);
select throws_ok(
  $$select messenger_settle('{}')$$, 'PT400', 'settlements: has to be an array', 'an object'
);
select throws_ok(
  $$select messenger_settle(jsonb_build_array(
    jsonb_build_object('token', test.token(1), 'handled', test.ids('A')),
    jsonb_build_object('handled', test.ids('B'))
  ))$$,
  'PT400', 'settlements: an entry has no token', 'an entry without a token'
);
select is((select count(*) from messenger_messages), 2::bigint, 'both messages are still there');
select is(messenger_settle('[]'), '{"stale":[]}', 'nothing to settle is no error');

select * from finish();
rollback;
