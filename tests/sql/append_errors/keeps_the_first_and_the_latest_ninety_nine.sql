-- The first tells how it began, the latest how it stands.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.numbers(first integer, last integer) returns jsonb
language sql
as $$ select jsonb_agg(n) from generate_series(first, last) as n $$;

select is(
  messenger.append_errors(pg_temp.numbers(1, 99), '[100]'), pg_temp.numbers(1, 100),
  'a hundred are kept'
);
select is(
  messenger.append_errors(pg_temp.numbers(1, 100), '[101]'), '[1]' || pg_temp.numbers(3, 101),
  'of 101 the second goes'
);
select is(
  messenger.append_errors(pg_temp.numbers(1, 100), pg_temp.numbers(101, 350)),
  '[1]' || pg_temp.numbers(252, 350),
  'also when many come at once'
);

select * from finish();
rollback;
