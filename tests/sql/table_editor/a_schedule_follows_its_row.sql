-- A typed schedule is planned by the next tick, a typed next run is made at its time, a deleted schedule makes no more.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron) values ('typed', 'A', 'cron', '0 9 * * *');
insert into messenger_schedules (name, message_type, schedule_type, interval_ms, next_run_at) values
  ('moved', 'A', 'interval', 60000, '2026-01-01 13:00Z'), ('paused', 'A', 'interval', 60000, '2026-01-01 11:00Z'),
  ('deleted', 'A', 'interval', 60000, '2026-01-01 11:00Z'), ('changed', 'A', 'interval', 60000, '2026-01-01 13:00Z');
update messenger_schedules set next_run_at = '2026-01-01 12:00Z' where name = 'moved';
update messenger_schedules set enabled = false where name = 'paused';
update messenger_schedules set interval_ms = 30000 where name = 'changed';
insert into messenger_messages (type, stamps)
select 'A', jsonb_build_object('schedule', jsonb_build_object('id', id::text)) from messenger_schedules where name = 'deleted';
insert into messenger_schedule_runs (schedule_id, occurrence, outcome)
select id, '2026-01-01 10:00Z', 'enqueued' from messenger_schedules where name = 'deleted';
delete from messenger_schedules where name = 'deleted';
select is_empty('select from messenger_schedule_runs', 'the records of a deleted schedule go with it');
select isnt_empty('select from messenger_messages', 'its messages stay');

select is(
  (select disabled_by from messenger_schedules where name = 'paused'), 'pause', 'a disabled schedule counts as paused'
);
select is(
  (select next_run_at from messenger_schedules where name = 'changed'), null, 'changed times are planned again'
);
select bag_eq(
  $$select s ->> 'name' from jsonb_array_elements(messenger_claim_schedules(test.token(1), 10) -> 'schedules') as s$$,
  $$values ('typed'), ('moved'), ('changed')$$, 'the next tick sees to those that are new, due or changed'
);
update messenger_schedules set payload = '{"n": 2}' where name = 'moved';
select is(
  (select lease_token from messenger_schedules where name = 'moved'), null,
  'a change takes the schedule away from the tick that plans it'
);
update messenger_schedules set enabled = true where name = 'paused';
select is(
  (select next_run_at from messenger_schedules where name = 'paused'), null,
  'runs that were planned while it was disabled are not made up'
);
select is_empty('select from messenger_actions', 'the action log knows nothing of it');

select * from finish();
rollback;
