-- By name, by id, or new.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

create temp table given as select '{"name": "a", "message_type": "A", "schedule_type": "cron",
  "cron": "@daily", "next_run_at": "2026-01-02T00:00:00Z"}'::jsonb as schedule;
select is(messenger.save_schedule(schedule) ->> 'change', 'created', 'new') from given;
select test.set_clock('2026-01-01 13:00Z');
select is(
  messenger.save_schedule(schedule || '{"next_run_at": "2026-01-05T00:00:00Z"}') ->> 'change',
  'unchanged', 'the same'
) from given;
select is(
  messenger.save_schedule(schedule || '{"max_runs": 5}') ->> 'change', 'changed', 'another limit'
) from given;
select is(
  (select next_run_at from messenger_schedules), '2026-01-02 00:00Z'::timestamptz,
  'the next run has not moved'
);
select messenger.save_schedule(
  schedule || '{"cron": "@hourly", "next_run_at": "2026-01-01T14:00:00Z"}'
) from given;
select results_eq(
  $$select cron, payload, timezone, catch_up, overlap, jitter_ms, max_runs, next_run_at
    from messenger_schedules$$,
  $$values ('@hourly', '{}'::jsonb, 'UTC', 'latest', 'allow', 0::bigint, null::integer,
    '2026-01-01 14:00Z'::timestamptz)$$,
  'other times have another next run, and omitted fields have their defaults'
);
select messenger.save_schedule(schedule || jsonb_build_object('id', id, 'name', 'b'))
from given, messenger_schedules;
select is(array(select name from messenger_schedules), array['b'], 'by its id it can be renamed');

select * from finish();
rollback;
