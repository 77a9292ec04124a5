-- And nothing of others, nor what is the operators' business.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron, stamps, queue)
values (1, 'A', 'cron', '@daily', '{"user": {"id": "ada"}}', 'mail'),
  (2, 'B', 'cron', '@daily', '{"user": {"id": "bob"}}', null),
  (3, 'C', 'cron', '@daily', '{"user": {"id": "ada"}}', null),
  (4, 'D', 'cron', '@daily', null, null);
create function pg_temp.ids(answer jsonb) returns jsonb language sql as $$
  select jsonb_path_query_array(answer, '$.schedules[*].id')
$$;
select is(pg_temp.ids(messenger_list_user_schedules('ada')), '["1", "3"]', 'their own');
select is(
  pg_temp.ids(messenger_list_user_schedules('ada', after_id => 1)), '["3"]', 'the next page'
);
select is(
  pg_temp.ids(messenger_list_user_schedules('ada', max_schedules => 1)), '["1"]', 'a page'
);
select ok(
  not (messenger_list_user_schedules('ada') #> '{schedules,0}') ?| array['stamps', 'queue', 'priority'],
  'without queue, priority and stamps'
);
select ok(not messenger_unschedule(2, 'ada'), 'what is another''s is not removed');
select ok(messenger_unschedule(1, 'ada'), 'their own is');

select * from finish();
rollback;
