-- The plan is made in TypeScript, in one place only.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select messenger_schedule_interval(
  'A', '{}', every => '90 minutes', name => 'x', max_runs => 3, overlap => 'skip'
);
select results_eq(
  $$select schedule_type, interval_ms, next_run_at, max_runs, overlap, enabled
    from messenger_schedules$$,
  $$values ('interval', 5400000::bigint, null::timestamptz, 3, 'skip', true)$$, 'the schedule'
);
select throws_ok(
  $$select messenger_schedule_interval('A', '{}', '0.999 seconds')$$,
  'PT400', 'every: has to be at least 1 second; got 00:00:00.999', 'less than a second'
);
select throws_ok(
  $$select messenger_schedule_interval('A', '{}', '-5 minutes')$$,
  'PT400', 'every: has to be at least 1 second; got -00:05:00', 'backwards'
);
select throws_like(
  $$select messenger_schedule_interval('A', '{}', '1 month')$$, 'every: months%', 'a month'
);
select throws_ok(
  $$select messenger_schedule_interval('A', '{}', '1 hour', end_at => '2025-01-01')$$,
  'PT400', 'end_at: has to come after start_at and after now', 'an end that is past'
);
select throws_ok(
  $$select messenger_schedule_interval('A', '{}', '1 hour', max_runs => 0)$$,
  'PT400', 'max_runs: has a value that is not allowed (was 0); it has to fit max_runs > 0', 'no runs'
);
select throws_ok(
  $$select messenger_schedule_interval(null, '{}', '1 hour')$$,
  'PT400', 'type: is required', 'no type'
);

select * from finish();
rollback;
