-- A schedule counts as one message.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select lives_ok(
  $$select messenger_save_schedules_limited(
    '[{"message_type":"A","schedule_type":"cron","cron":"0 * * * *"}]', test.limit_of(1, 1, '1 hour')
  )$$,
  'the first'
);
select throws_ok(
  $$select messenger_save_schedules_limited(
    '[{"message_type":"A","schedule_type":"cron","cron":"0 * * * *"}]', test.limit_of(1, 1, '1 hour')
  )$$,
  'PT429', null, 'the second is refused'
);
select is((select count(*) from messenger_schedules), 1::bigint, 'and is not there');

select * from finish();
rollback;
