-- A share of a microsecond's fraction is rounded so that the last of `max` still fits.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select lives_ok(
  format(
    $$select messenger.count_dispatches(test.limit_of(1, %1$s, '1 second', caller => 'user:%1$s'))
      from generate_series(1, %1$s)$$,
    max
  ),
  format('%s within a second', max)
)
from unnest(array[6, 7, 700]) as max;

select * from finish();
rollback;
