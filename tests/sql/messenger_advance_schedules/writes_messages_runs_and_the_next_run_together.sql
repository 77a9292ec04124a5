-- The state that the tick has computed becomes the state of the schedule.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules
  (id, name, message_type, payload, schedule_type, cron, next_run_at, group_key, stamps)
values
  (7, 'daily', 'A', '{"n":1}', 'cron', '@daily', '2026-01-01 12:00Z', 'g', '{"user":{"id":"u"}}');
-- Advances every schedule in the same way.
create function pg_temp.advance(worker integer, more jsonb) returns jsonb language sql as $$
  select messenger_advance_schedules(test.token(worker), (
    select jsonb_agg(jsonb_build_object($_$id$_$, s.id) || more order by s.id)
    from messenger_schedules s
  ))
$$;
select messenger_claim_schedules(test.token(1));
select is(
  pg_temp.advance(1, '{
    "next_run_at": "2026-01-02T12:00:00.000Z",
    "occurrences": [{"occurrence": "2026-01-01T12:00:00.000Z", "delay_ms": 1500}],
    "missed": {"occurrence": "2025-12-31T12:00:00.000Z", "reason": "missed"},
    "queue": "mail", "priority": 3, "ttl_ms": 60000
  }'),
  '{"dispatched": 1, "skipped": 1, "stale": []}', 'the answer'
);
select results_eq(
  $$select type, payload, queue collate "default", priority, available_at, expires_at, created_at, group_key collate "default" as group_key, stamps
    from messenger_messages$$,
  $$values ('A', '{"n":1}'::jsonb, 'mail', 3::smallint,
    '2026-01-01 12:00:01.5Z'::timestamptz, '2026-01-01 12:01Z'::timestamptz,
    '2026-01-01 12:00Z'::timestamptz, 'g', '{"user": {"id": "u"}, "schedule":
    {"id": "7", "name": "daily", "run": 1, "occurrence": "2026-01-01T12:00:00.000Z"}}'::jsonb)$$,
  'the message'
);
select results_eq(
  $$select r.occurrence, r.run, r.message_id = m.id, r.outcome, r.reason, r.enqueued_at
    from messenger_schedule_runs r, messenger_messages m order by r.occurrence$$,
  $$values ('2025-12-31 12:00Z'::timestamptz, null::integer, null::boolean, 'skipped', 'missed',
      null::timestamptz),
    ('2026-01-01 12:00Z', 1, true, 'enqueued', null, '2026-01-01 12:00Z')$$,
  'its record, and that of the missed one'
);
select results_eq(
  $$select next_run_at, last_run_at, run_count, enabled, lease_token, leased_until
    from messenger_schedules$$,
  $$values ('2026-01-02 12:00Z'::timestamptz, '2026-01-01 12:00Z'::timestamptz, 1, true,
    null::uuid, null::timestamptz)$$,
  'the schedule'
);

select * from finish();
rollback;
