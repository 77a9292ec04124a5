-- A caller that waits as long as it says gets through, and not a millisecond before.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.wait_of(limits jsonb) returns text
language plpgsql
as $$
declare
  detail text;
begin
  perform messenger.count_dispatches(limits);
  return 'none';
exception when sqlstate 'PT429' then
  get stacked diagnostics detail = pg_exception_detail;
  return detail;
end
$$;

select is(pg_temp.wait_of(test.limit_of(3, 3, '1 minute')), 'none', 'all three at once');
select is(pg_temp.wait_of(test.limit_of(2, 3, '1 minute')), '40000', 'two more take two shares');
select is(
  pg_temp.wait_of(
    test.limit_of(1, 3, '1 minute') || test.limit_of(1, 1, '1 hour', caller => 'total')
  ),
  '20000', 'of several limits, the one that takes longest'
);
select pg_temp.wait_of(test.limit_of(1, 1, '1 hour', caller => 'total'));
select is(
  pg_temp.wait_of(
    test.limit_of(1, 3, '1 minute') || test.limit_of(1, 1, '1 hour', caller => 'total')
  ),
  '3600000', 'of several that refuse it, the longest'
);
select test.set_clock('2026-01-01 12:00:40Z');
select is(pg_temp.wait_of(test.limit_of(2, 3, '1 minute')), 'none', 'after the wait they pass');

select * from finish();
rollback;
