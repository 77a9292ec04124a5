-- Its user made it, and an operator who saves it again by its name says nothing of that.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create temp table given as select '{"name": "a", "message_type": "A", "schedule_type": "cron", "cron": "@daily"}'::jsonb
  as schedule;
select messenger.save_schedule(schedule || '{"stamps": {"user": {"id": "ann"}}}') from given;
select messenger.save_schedule(schedule || '{"cron": "@hourly"}') from given;
select is((select stamps from messenger_schedules), '{"user": {"id": "ann"}}', 'they stay');
select messenger.save_schedule(schedule || '{"stamps": {"user": {"id": "bob"}}}') from given;
select is((select stamps from messenger_schedules), '{"user": {"id": "bob"}}', 'unless others are given');

select * from finish();
rollback;
