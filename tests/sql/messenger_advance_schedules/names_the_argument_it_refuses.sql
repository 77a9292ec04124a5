-- Before it looks at any schedule.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_advance_schedules(null, '[]')$$, 'PT400', 'token: is required', 'no token'
);
select throws_ok(
  $$select messenger_advance_schedules(test.token(1), '{}')$$,
  'PT400', 'advances: has to be an array of objects', 'no array'
);

select * from finish();
rollback;
