begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, payload, schedule_type, cron, stamps)
values (7, 'A', '{"n":1}', 'cron', '@daily', '{"user":{"id":"u"}}');
select is(messenger_show_schedule(7) #> '{schedule,payload}', '{"n":1}', 'its payload');
select is(messenger_show_schedule(7) #> '{schedule,stamps}', '{"user":{"id":"u"}}', 'its stamps');
select is((messenger_show_schedule(7) ->> 'now')::timestamptz, '2026-01-01 12:00Z', 'the clock');
select is(messenger_show_schedule(8) -> 'schedule', 'null', 'null where there is none');

select * from finish();
rollback;
