-- Inside the transaction of the caller.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

create temp table answer as select messenger_schedule_once(
  'A', '{"n":1}', at => '2026-01-01 12:00Z', name => 'x', queue => 'mail', ttl => '1 hour'
) as id;
select results_eq(
  $$select message_type, payload, schedule_type, run_at, next_run_at, name, queue, ttl_ms
    from messenger_schedules join answer using (id)$$,
  $$values ('A', '{"n":1}'::jsonb, 'once', '2026-01-01 12:00Z'::timestamptz,
    '2026-01-01 12:00Z'::timestamptz, 'x', 'mail', 3600000::bigint)$$, 'the schedule'
);
select throws_like(
  $$select messenger_schedule_once('A', '{}', '2026-01-01 11:59:59Z')$$,
  'at: %in the past%', 'the past'
);
select lives_ok(
  $$select messenger_schedule_once('A', '{}', '2026-01-01 11:59:59Z', allow_past => true)$$,
  'unless asked for'
);
select throws_ok(
  $$select messenger_schedule_once('A', '{}', 'infinity')$$,
  'PT400', 'at: has to be a moment', 'never'
);
select throws_ok(
  $$select messenger_schedule_once(null, '{}', '2027-01-01')$$,
  'PT400', 'type: is required', 'no type'
);

select * from finish();
rollback;
