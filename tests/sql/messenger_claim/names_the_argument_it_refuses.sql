-- And leaves the messages as they are.
begin;
select plan(13);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select throws_ok(
  $$select test.claim(null)$$, 'PT400', 'token: is required', 'no token'
);
select throws_ok(
  $$select test.claim(test.token(1), max_messages => -1)$$,
  'PT400', 'max_messages: has to be from 0 to 10000', 'fewer than none'
);
select throws_ok(
  $$select test.claim(test.token(1), max_messages => 10001)$$,
  'PT400', 'max_messages: has to be from 0 to 10000', 'too many'
);
select throws_ok(
  $$select test.claim(test.token(1), max_messages => null)$$,
  'PT400', 'max_messages: has to be from 0 to 10000', 'no number'
);
select throws_ok(
  $$select test.claim(test.token(1), lease_ms => 0)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'no lease'
);
select throws_ok(
  $$select test.claim(test.token(1), lease_ms => 86400001)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'a lease of more than a day'
);
select throws_ok(
  $$select test.claim(test.token(1), lease_ms => null)$$,
  'PT400', 'lease_ms: has to be from 1 to 86400000', 'a lease without end'
);
select throws_ok(
  $$select test.claim(test.token(1), slots => -1)$$,
  'PT400', 'slots: has to be zero or more', 'fewer slots than none'
);
select throws_ok(
  $$select test.claim(test.token(1), start_within_ms => 0)$$,
  'PT400', 'start_within_ms: has to be from 1 to 60000', 'no time to start'
);
select throws_ok(
  $$select test.claim(test.token(1), start_within_ms => 60001)$$,
  'PT400', 'start_within_ms: has to be from 1 to 60000', 'more than a minute to start'
);
select throws_ok(
  $$select test.claim(test.token(1), start_within_ms => null)$$,
  'PT400', 'start_within_ms: has to be from 1 to 60000', 'no end of the time to start'
);
select throws_ok(
  $$select test.claim(test.token(1), max_bytes => -1)$$,
  'PT400', 'max_bytes: has to be zero or more', 'fewer bytes than none'
);
select is((select status from messenger_messages), 'pending', 'the message waits');

select * from finish();
rollback;
