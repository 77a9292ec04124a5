begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A'), test.dead_letter('A'), test.dead_letter('B');
select test.dispatch('C', 'C', 'D');

create temp table done as
select * from (values
  (1, 'messenger_redrive', '{"type":"A"}'::jsonb),
  (2, 'messenger_remove_failed', '{"type":"B"}'),
  (3, 'messenger_cancel', '{"type":"C"}'),
  (4, 'messenger_set_queue', '{"name":"default","settings":{"weight":2}}'),
  (5, 'messenger_save_schedules',
    '{"schedules":[{"name":"n","message_type":"A","schedule_type":"cron","cron":"@daily"}]}')
) as t (position, operation, args);
select messenger_act('ada', operation, args) from done order by position;
select messenger_act('ada', 'messenger_pause_schedule',
  jsonb_build_object('id', (select id from messenger_schedules), 'reason', 'why'));
select messenger_act('ada', 'messenger_resume_schedule',
  jsonb_build_object('id', (select id from messenger_schedules)));
select messenger_act('ada', 'messenger_trigger_schedule',
  jsonb_build_object('id', (select id from messenger_schedules), 'counted', false, 'queue', null));
select messenger_act('ada', 'messenger_unschedule',
  jsonb_build_object('id', (select id from messenger_schedules)));

select results_eq(
  'select action, affected from messenger_actions order by id',
  $$values ('redrive', 2::bigint), ('remove_failed', 1), ('cancel', 2), ('set_queue', 1),
    ('save_schedules', 1), ('pause_schedule', 1), ('resume_schedule', 1), ('trigger_schedule', 1),
    ('unschedule', 1)$$,
  'each operation, and how many it met'
);
select is((select count(*)::int from messenger_schedules), 0, 'they were all done');

select * from finish();
rollback;
