-- And leaves the leases as they are.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select throws_ok(
  $$select messenger_heartbeat('[]', 0)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'no lease'
);
select throws_ok(
  $$select messenger_heartbeat('[]', null)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'a lease without end'
);
select throws_ok(
  $$select messenger_heartbeat(null)$$, 'PT400', 'leases: has to be an array', 'no array'
);
select throws_ok(
  $$select messenger_heartbeat('{}')$$, 'PT400', 'leases: has to be an array', 'an object'
);

select * from finish();
rollback;
