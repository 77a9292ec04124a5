-- The moment that a tick waits for.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger_next_schedule_at(), null, 'null where there is none');
insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, enabled) values
  ('paused', 'A', 'cron', '* * * * *', '2026-01-01 11:00Z', false),
  ('later', 'A', 'cron', '* * * * *', '2026-01-01 12:05Z', true),
  ('soon', 'A', 'cron', '* * * * *', '2026-01-01 12:01Z', true);
select is(
  messenger_next_schedule_at(), '2026-01-01 12:01Z', 'the earliest of those that are enabled'
);
select is(
  (messenger_claim_schedules(test.token(1)) ->> 'next_at')::timestamptz, '2026-01-01 12:01Z',
  'a claim says so as well'
);
insert into messenger_schedules (name, message_type, schedule_type, cron)
values ('new', 'A', 'cron', '* * * * *');
select is(messenger_next_schedule_at(), '2026-01-01 12:00Z', 'now where one waits to be planned');
select messenger_claim_schedules(test.token(2), lease_ms => 10000);
select is(
  messenger_next_schedule_at(), '2026-01-01 12:00:10Z', 'where another tick holds it, its lease''s end'
);
delete from messenger_schedules where name = 'new';
update messenger_schedules set next_run_at = 'infinity' where name = 'later';
select is(
  messenger_next_schedule_at(), '2026-01-01 12:00Z', 'a next run that never comes is planned again at once'
);
select is(
  messenger_claim_schedules(test.token(3)) #>> '{schedules,0,name}', 'later', 'and claimed'
);

select * from finish();
rollback;
