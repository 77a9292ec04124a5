-- The attempt that crashed was charged when it began.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select test.set_clock('2026-01-01 12:01Z');
create temp table claim as select test.claim(test.token(2)) as answer;

select is((select answer -> 'crashed' -> 0 ->> 'attempts' from claim), '1', 'in the envelope');
select is((select attempts from messenger_messages), 1, 'in the row');

select * from finish();
rollback;
