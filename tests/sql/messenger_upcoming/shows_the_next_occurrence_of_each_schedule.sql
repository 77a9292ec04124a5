-- And the messages of the latest occurrences that still wait.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (id, type, available_at) values (7, 'A', '2026-01-01 12:30Z');
insert into messenger_schedules (name, message_type, schedule_type, cron, interval_ms, next_run_at, last_message_id, enabled)
values
  ('daily', 'A', 'cron', '0 9 * * *', null, '2026-01-02 09:00Z', 7, true),
  ('soon', 'B', 'interval', null, 60000, '2026-01-01 12:01Z', 999, true),
  ('new', 'C', 'cron', '@hourly', null, null, null, true),
  ('changed', 'C', 'cron', '@hourly', null, 'infinity', null, true),
  ('off', 'C', 'cron', '@hourly', null, '2026-01-01 13:00Z', null, false);
select results_eq(
  'select schedule, state, occurrence_at, message_id, type, rule from messenger_upcoming',
  $$values
    ('new', 'unplanned', null::timestamptz, null::bigint, 'C', '@hourly'),
    ('changed', 'unplanned', null, null, 'C', '@hourly'),
    ('soon', 'planned', '2026-01-01 12:01Z', null, 'B', 'every 60000 ms'),
    ('daily', 'dispatched', '2026-01-01 12:30Z', 7, 'A', '0 9 * * *'),
    ('daily', 'planned', '2026-01-02 09:00Z', null, 'A', '0 9 * * *')$$,
  'in order; a disabled schedule has none'
);

select * from finish();
rollback;
