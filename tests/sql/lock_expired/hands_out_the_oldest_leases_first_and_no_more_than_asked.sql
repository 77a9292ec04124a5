begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('last', 'last', 'first', 'first', 'second', 'second', 'runs');
select test.claim(test.token(1), 2, lease_ms => 3000), test.claim(test.token(2), 2, lease_ms => 1000),
  test.claim(test.token(3), 2, lease_ms => 2000), test.claim(test.token(4), 1, lease_ms => 90000);
select is(messenger.lock_expired(array['default']), '{}', 'nothing as long as they run');
select test.set_clock('2026-01-01 12:01Z');
select is(messenger.lock_expired(array['default'], 0), '{}', 'nothing where nothing is asked for');

create temp table locked as select messenger.lock_expired(array['default'], 3) as places;
select is(
  (select test.types_at(places) from locked), array['first', 'first', 'second'],
  'three of the two that ended first'
);
select results_eq(
  $$select token, open, cardinality(ids) from messenger.leases order by 1$$,
  $$values (test.token(1), 2, 2), (test.token(3), 1, 1), (test.token(4), 1, 1)$$,
  'the others stay named by their leases'
);
select is(
  test.types_at(messenger.lock_expired(array['default'])), array['second', 'last', 'last'],
  'and are next'
);

select * from finish();
rollback;
