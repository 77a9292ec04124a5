-- A caller who had used up the old allowance waits no longer than the new period, counted from then.
begin;
select plan(7);
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

-- A clock that was set back, or a restore, leaves rows of the future: they count as counted now.
update messenger.rate_limits set full_at = 'infinity', counted_at = 'infinity';
select throws_like(
  pg_temp.dispatch(test.limit_of(1, 10, '1 minute')), 'type: too many messages %',
  'a row of the future has used up the allowance'
);
update messenger.rate_limits set full_at = '2099-01-01Z', counted_at = '2099-01-01Z';
create function pg_temp.wait_of(limits jsonb) returns text language plpgsql as $$
declare
  wait text;
begin
  perform messenger.count_dispatches(limits);
  return null;
exception when sqlstate 'PT429' then
  get stacked diagnostics wait = pg_exception_detail;
  return wait;
end
$$;
select is(
  pg_temp.wait_of(test.limit_of(1, 10, '1 minute')), '6000', 'and is waited for as one of now'
);

select * from finish();
rollback;
