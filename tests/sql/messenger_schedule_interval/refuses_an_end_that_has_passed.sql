-- Whether or not the schedule would have begun before it.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_schedule_interval('A', '{}', '1 minute', end_at => '2026-01-01 11:00Z')$$,
  'PT400', 'end_at: has to come after start_at and after now', 'without a start'
);
select throws_ok(
  $$select messenger_schedule_interval(
    'A', '{}', '1 minute', start_at => '2026-01-01 10:00Z', end_at => '2026-01-01 11:00Z'
  )$$,
  'PT400', 'end_at: has to come after start_at and after now', 'with a start before it'
);
select throws_ok(
  $$select messenger_schedule_interval(
    'A', '{}', '1 minute', start_at => '2026-01-01 14:00Z', end_at => '2026-01-01 13:00Z'
  )$$,
  'PT400', 'end_at: has to come after start_at and after now', 'before the start'
);
select is((select count(*) from messenger_schedules), 0::bigint, 'nothing is written');

select * from finish();
rollback;
