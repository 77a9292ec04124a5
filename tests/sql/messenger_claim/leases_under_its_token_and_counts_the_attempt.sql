-- The attempt counts at the claim, so that a crash counts too.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1), lease_ms => 30000);
select results_eq(
  $$select status, lease_token, leased_until, attempts, retry_count from messenger_messages$$,
  $$values ('processing', test.token(1), '2026-01-01 12:00:30Z'::timestamptz, 1, 0)$$,
  'the message is leased'
);
select is(
  test.claim(test.token(2)) -> 'messages', '[]', 'and no other claim gets it'
);

select * from finish();
rollback;
