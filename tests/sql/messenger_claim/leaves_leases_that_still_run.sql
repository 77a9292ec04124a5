-- Up to the instant of its end a lease is its worker's.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1), lease_ms => 60000);
select test.set_clock('2026-01-01 12:00:59.999Z');
select is(test.claim(test.token(2)) -> 'crashed', '[]', 'a millisecond before its end');
select is((select lease_token from messenger_messages), test.token(1), 'the lease is the same');

select * from finish();
rollback;
