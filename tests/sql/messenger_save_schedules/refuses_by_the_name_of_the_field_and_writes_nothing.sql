-- All or none.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.refused(more jsonb, code text, message text) returns text language sql as $$
  select throws_ok(
    format('select messenger_save_schedules(%L)', jsonb_build_array(
      '{"message_type": "A", "schedule_type": "cron", "cron": "@daily"}'::jsonb,
      '{"message_type": "A", "schedule_type": "cron", "cron": "@daily"}'::jsonb || more
    )), code, message, message
  )
$$;
select pg_temp.refused('{"queue": "a b"}', 'PT400', 'queue: has a value that is not allowed');
select pg_temp.refused('{"catch_up": "some"}', 'PT400', 'catch_up: has a value that is not allowed');
select pg_temp.refused(
  '{"interval_ms": 999}', 'PT400', 'interval_ms: has to be at least 1000, a second; got 999'
);
select pg_temp.refused(
  '{"while_paused": "drop"}', 'PT400', 'while_paused: has a value that is not allowed'
);
select pg_temp.refused('{"id": 999999}', 'PT404', 'id: there is no schedule 999999');
select pg_temp.refused('{"refused": "config.at: is past"}', 'PT400', 'config.at: is past');
select throws_ok(
  $$select messenger_save_schedules('{}')$$, 'PT400', 'schedules: has to be an array', 'no array'
);
select is((select count(*)::integer from messenger_schedules), 0, 'nothing is written');

select * from finish();
rollback;
