-- It returns exactly the changes of a sync, because it makes them and takes them back.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, declared)
values ('gone', 'A', 'cron', '@daily', true);
select is(
  jsonb_path_query_array(messenger_sync_schedules(
    '[{"name": "new", "message_type": "A", "schedule_type": "cron", "cron": "@daily"}]', 'f',
    dry_run => true
  ), '$.schedules[*].change'),
  '["created", "disabled"]', 'what it would do'
);
select results_eq(
  $$select name, enabled, exists (select from messenger.schedule_declarations)
    from messenger_schedules$$,
  $$values ('gone', true, false)$$, 'nothing is done'
);

select * from finish();
rollback;
