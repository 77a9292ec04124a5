-- A worker about to stop takes on no judgement.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select test.set_clock('2026-01-01 12:05Z');
select is(test.claim(test.token(2), sweep => false) -> 'crashed', '[]', 'the lease stays expired');

select * from finish();
rollback;
