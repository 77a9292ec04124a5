-- And leases nothing.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_claim_schedules(null)$$, 'PT400', 'token: is required', 'no token'
);
select throws_ok(
  $$select messenger_claim_schedules(test.token(1), 0)$$,
  'PT400', 'max_schedules: has to be from 1 to 1000', 'none'
);
select throws_ok(
  $$select messenger_claim_schedules(test.token(1), 1001)$$,
  'PT400', 'max_schedules: has to be from 1 to 1000', 'too many'
);
select throws_ok(
  $$select messenger_claim_schedules(test.token(1), lease_ms => 0)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'no lease'
);
select throws_ok(
  $$select messenger_claim_schedules(test.token(1), lease_ms => null)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'a lease without end'
);

select * from finish();
rollback;
