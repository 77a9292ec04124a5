-- A change may give it something to do again.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, enabled, disabled_by)
values
  ('ended', 'A', 'cron', '@daily', false, 'finished'),
  ('wrong', 'A', 'cron', '@daily', false, 'invalid'),
  ('gone', 'A', 'cron', '@daily', false, 'undeclared'),
  ('paused', 'A', 'cron', '@daily', false, 'pause'),
  ('unticked', 'A', 'cron', '@daily', false, null);
select messenger.save_schedule(jsonb_build_object(
  'name', name, 'message_type', 'A', 'schedule_type', 'cron', 'cron', '@hourly'
)) from messenger_schedules;
select is(
  array(select name from messenger_schedules where enabled order by id),
  array['ended', 'wrong', 'gone'], 'those that had ended by themselves'
);
select is(
  (select count(disabled_by)::integer from messenger_schedules where enabled), 0,
  'without a reason left'
);

select * from finish();
rollback;
