-- A run after a restore gets an id that nothing has, and its record names it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select 1000000000 + n, 'D', '{}', 'default', 'exhausted', now() from generate_series(1, 3) as n;
insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at, group_key)
values (7, 'A', 'cron', '@daily', '2026-01-02 00:00Z', null), (8, 'A', 'cron', '@daily', '2026-01-02 00:00Z', 'g');
select setval('messenger_messages_id_seq', 1, false);
select is(messenger_trigger_schedule(7), 1000000004::bigint, 'a triggered run');
select setval('messenger_messages_id_seq', 1, false);
select is(messenger_trigger_schedule(8), 1000000005::bigint, 'one in a group');
select results_eq(
  'select message_id from messenger_schedule_runs order by message_id',
  'values (1000000004::bigint), (1000000005)', 'the records'
);

select * from finish();
rollback;
