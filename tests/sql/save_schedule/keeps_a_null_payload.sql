-- As a dispatch does.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger.save_schedule('{"message_type": "A", "schedule_type": "cron", "payload": null}');
select is((select payload from messenger_schedules), 'null'::jsonb, 'null is a payload');

select * from finish();
rollback;
