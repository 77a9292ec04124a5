begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_schedules (id, name, message_type, schedule_type, interval_ms, run_at, cron, enabled, disabled_by)
values
  (1, 'short', 'A', 'interval', 10, null, null, false, 'invalid'),
  (2, 'endless', 'A', 'once', null, null, null, false, 'invalid'),
  (3, 'cron', 'A', 'cron', null, null, 'no cron', false, 'invalid'),
  (4, 'paused', 'A', 'interval', 10, null, null, false, 'pause');

select throws_ok(
  'select messenger_resume_schedule(1)', 'PT400', 'interval_ms: has to be at least 1000, a second; got 10', 'a value'
);
select throws_ok(
  'select messenger_resume_schedule(2)', 'PT400', 'run_at: is required for schedules of type once', 'a value that is missing'
);
select results_eq(
  'select id::integer, enabled, disabled_by from messenger_schedules where id < 3 order by id',
  $$values (1, false, 'invalid'), (2, false, 'invalid')$$, 'both stay as they were'
);
update messenger_schedules set interval_ms = 1000 where id = 1;
select lives_ok('select messenger_resume_schedule(1)', 'the value is mended');
select lives_ok('select messenger_resume_schedule(3)', 'a cron expression is left to the next tick, which says what is wrong');
select lives_ok('select messenger_resume_schedule(4)', 'so is a paused schedule');
select throws_ok('select messenger_resume_schedule(9)', 'PT404', 'id: there is no schedule 9', 'an unknown one');

select * from finish();
rollback;
