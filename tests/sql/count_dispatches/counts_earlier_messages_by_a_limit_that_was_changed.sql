-- The messages of an allowance that was used stay counted when the limit changes, by the new limit.
begin;
select plan(13);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.dispatch(limits jsonb) returns text language sql as $$
  select format('select messenger.count_dispatches(%L)', limits)
$$;

select lives_ok(pg_temp.dispatch(test.limit_of(10, 10, '1 second')), 'ten of ten a second');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'PT429', null, 'are all of ten an hour');
select test.set_clock('2026-01-01 12:05:59Z');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'PT429', null, 'still when the old period is over');
select test.set_clock('2026-01-01 12:06Z');
select lives_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'until a tenth of the new one');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'PT429', null, 'which gives one');
select throws_ok(pg_temp.dispatch(test.limit_of(991, 1000, '1 hour')), 'PT429', null, 'they are ten of a thousand, too');
select lives_ok(pg_temp.dispatch(test.limit_of(990, 1000, '1 hour')), 'so that 990 more may come at once');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'PT429', null, 'a smaller number again has none left');
select test.set_clock('2026-01-01 12:12Z');
select lives_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 hour')), 'but for no longer than its period');
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 second')), 'PT429', null, 'a period of a second begins with the last message');
select test.set_clock('2026-01-01 12:12:01Z');
select lives_ok(pg_temp.dispatch(test.limit_of(10, 10, '1 second')), 'and is over a second later');

update messenger.rate_limits set share_ms = null;
select throws_ok(pg_temp.dispatch(test.limit_of(1, 10, '1 second')), 'PT429', null, 'a row of 0.1.0 counts as it stands');
update messenger.rate_limits set full_at = 'infinity', share_ms = 5;
select throws_ok(pg_temp.dispatch(test.limit_of(1, 1000000, '1 second')), 'PT429', null, 'and so does a time without end');

select * from finish();
rollback;
