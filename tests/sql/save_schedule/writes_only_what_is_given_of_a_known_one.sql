-- Another session's change at the same moment stays.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules
  (id, name, message_type, payload, schedule_type, cron, timezone, catch_up, max_runs, next_run_at)
values (7, 'a', 'A', '{"n":1}', 'cron', '@daily', 'Asia/Tokyo', 'all', 3, '2026-01-01 15:00Z');
select messenger.save_schedule('{"id": 7, "max_runs": 5}');
select messenger.save_schedule('{"id": 7, "payload": null, "catch_up": null}');
select results_eq(
  $$select name, payload, cron, timezone, catch_up, max_runs, next_run_at from messenger_schedules$$,
  $$values ('a', 'null'::jsonb, '@daily', 'Asia/Tokyo', 'latest', 5, '2026-01-01 15:00Z'::timestamptz)$$,
  'the rest stays; null is a value as a payload, and else the default'
);
select is(
  messenger.save_schedule('{"id": 7, "max_runs": 5}') ->> 'change', 'unchanged', 'the same again'
);
select messenger.save_schedule('{"id": 7, "cron": "@hourly", "next_run_at": "2026-01-01T13:00:00Z",
  "assumed": {"cron": "@hourly", "timezone": "Asia/Tokyo"}}');
select is(
  (select next_run_at from messenger_schedules), '2026-01-01 13:00Z'::timestamptz,
  'its next run, where the times are those it was computed with'
);
select messenger.save_schedule('{"id": 7, "cron": "@daily", "next_run_at": "2026-01-02T00:00:00Z",
  "assumed": {"cron": "@daily", "timezone": "UTC"}}');
select is(
  (select next_run_at from messenger_schedules), null,
  'else the next tick computes it'
);
select lives_ok(
  $$select messenger.save_schedule('{"id": 7, "cron": "@weekly", "refused": "endAt: none is left",
    "assumed": {"cron": "@weekly", "timezone": "UTC"}}')$$,
  'nor is it refused for times that it does not have'
);

select * from finish();
rollback;
