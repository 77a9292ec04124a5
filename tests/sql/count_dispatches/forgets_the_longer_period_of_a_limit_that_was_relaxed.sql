-- A caller who had used up the old allowance waits no longer than the new period, counted from then.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.dispatch(limits jsonb) returns text language sql as $$
  select format('select messenger.count_dispatches(%L)', limits)
$$;

select lives_ok(pg_temp.dispatch(test.limit_of(10, 10, '1 day')), 'all of a day at once');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 minute')), 'PT429');
select test.set_clock('2026-01-01 12:00:05Z');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 minute')), 'PT429');
select test.set_clock('2026-01-01 12:00:06Z');
select lives_ok(
  pg_temp.dispatch(test.limit_of(1, 10, '1 minute')), 'one after a tenth of the new period'
);
select throws_ok(
  pg_temp.dispatch(test.limit_of(1, 10, '1 minute')), 'PT429', null, 'and no more than one'
);

select * from finish();
rollback;
