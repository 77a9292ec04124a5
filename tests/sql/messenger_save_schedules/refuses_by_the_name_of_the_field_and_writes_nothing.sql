-- All or none.
begin;
select plan(35);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.refused(more jsonb, code text, message text) returns text language sql as $$
  select throws_ok(
    format('select messenger_save_schedules(%L)', jsonb_build_array(
      '{"message_type": "A", "schedule_type": "cron", "cron": "@daily"}'::jsonb,
      '{"message_type": "A", "schedule_type": "cron", "cron": "@daily"}'::jsonb || more
    )), code, message, message
  )
$$;
select pg_temp.refused('{"queue": "a b"}', 'PT400', 'queue: has a value that is not allowed; it has to be 1 to 100 letters, digits or _ . : -, and may name a lane behind a slash');
select pg_temp.refused('{"catch_up": "some"}', 'PT400', 'catch_up: has a value that is not allowed; it has to be one of ''latest'', ''all'', ''none''');
select pg_temp.refused(
  '{"interval_ms": 999}', 'PT400', 'interval_ms: has to be at least 1000, a second; got 999'
);
select pg_temp.refused(
  '{"while_paused": "drop"}', 'PT400', 'while_paused: has a value that is not allowed; it has to be one of ''enqueue'', ''skip'''
);
select pg_temp.refused('{"id": 999999}', 'PT404', 'id: there is no schedule 999999');
select pg_temp.refused('{"refused": "config.at: is past"}', 'PT400', 'config.at: is past');

create function pg_temp.refusal(given jsonb) returns text language plpgsql as $$
begin
  perform messenger_save_schedules(jsonb_build_array(given));
  return null;
exception when others then
  return sqlstate || ' ' || split_part(sqlerrm, ':', 1);
end
$$;
select is(
  pg_temp.refusal('{"message_type":"A","schedule_type":"cron","cron":"@daily"}' || given),
  'PT400 ' || field, given::text
)
from (values
  ('{"priority":"high"}'::jsonb, 'priority'), ('{"priority":99999}', 'priority'),
  ('{"priority":1001}', 'priority'), ('{"start_at":"soon"}', 'start_at'),
  ('{"end_at":"infinity"}', 'end_at'), ('{"start_at":"290000-01-01"}', 'start_at'),
  ('{"start_at":"2026-02-02","end_at":"2026-02-01"}', 'end_at'),
  ('{"max_runs":"all"}', 'max_runs'), ('{"jitter_ms":"1h"}', 'jitter_ms'),
  ('{"ttl_ms":1000,"jitter_ms":1000}', 'ttl_ms'), ('{"message_type":null}', 'message_type'),
  ('{"schedule_type":null}', 'schedule_type'), ('{"catchup":"all"}', 'catchup'),
  ('{"enabled":false}', 'enabled'), ('{"run_count":5}', 'run_count'),
  ('{"catch_up_limit":5}', 'catch_up_limit'),
  ('{"catch_up":"none","catch_up_limit":5}', 'catch_up_limit'),
  ('{"interval_ms":5000}', 'interval_ms'), ('{"run_at":"2027-01-01"}', 'run_at'),
  ('{"schedule_type":"interval","interval_ms":5000}', 'cron'),
  ('{"schedule_type":"interval","cron":null,"interval_ms":5000,"timezone":"Asia/Tokyo"}', 'timezone'),
  ('{"schedule_type":"interval","cron":null,"interval_ms":4000000000000}', 'interval_ms'),
  ('{"schedule_type":"once","cron":null,"run_at":"2027-01-01","max_runs":5}', 'max_runs'),
  ('{"schedule_type":"once","cron":null,"run_at":"2027-01-01","overlap":"skip"}', 'overlap')
) as refused (given, field);
select is(pg_temp.refusal('5'), 'PT400 schedules', 'a number');
select throws_like(
  $$select messenger_schedule_interval('A', '{}', every => '1m', catch_up_limit => 5)$$,
  'catch_up_limit: %', 'a limit to nothing, in SQL'
);
select throws_like(
  $$select messenger_schedule_once('A', '{}', at => '2027-01-01', jitter => '1h', ttl => '1m')$$,
  'ttl_ms: %', 'a jitter beyond the ttl, in SQL'
);
select throws_ok(
  $$select messenger_save_schedules('{}')$$, 'PT400', 'schedules: has to be an array', 'no array'
);
select is((select count(*)::integer from messenger_schedules), 0, 'nothing is written');

select * from finish();
rollback;
