begin;
select plan(8);

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at, enabled, disabled_by)
values ('A', 'cron', '@daily', now() + interval '1 hour', true, null);
update messenger_schedules set next_run_at = now() - interval '2 hours' where true;
select cmp_ok(
  (messenger_health() ->> 'schedules_overdue_since')::timestamptz, '<=', now() - interval '2 hours',
  'a schedule that is overdue'
);
update messenger_schedules set enabled = false, disabled_by = 'invalid' where true;
select is(messenger_health() -> 'schedules_overdue_since', 'null', 'not one that is disabled');
select is(messenger_health() -> 'schedules_invalid', '1', 'which is counted where it is invalid');

insert into messenger_messages (type, queue) values ('A', 'x'), ('A', 'y');
alter table messenger_queues disable trigger user;
delete from messenger_queues where name = 'y';
select is(messenger_health() -> 'stray_queues', '["y"]', 'a queue without a row');

select setval('messenger_messages_id_seq', 1, false);
select is(messenger_health() -> 'sequence_is_behind', 'true', 'a sequence behind its ids');
select setval('messenger_messages_id_seq', 1000000);

insert into messenger_ticks (asked_at, started_at) values
  (now() - interval '3 minutes', null), (now() - interval '2 minutes', now() - interval '2 minutes'),
  (now() - interval '1 minute', null), (now() - interval '40 seconds', null), (now(), null);
select is(
  messenger_health() -> 'ticks_not_started', '2', 'ticks that were asked for since the last began'
);
insert into messenger_ticks (asked_at, started_at) values (now(), now());
select is(messenger_health() -> 'ticks_not_started', '0', 'none once one begins again');

insert into messenger_messages (type, queue) select 'Bulk', 'many.' || n from generate_series(1, 2000) as n;
select cmp_ok(
  test.rows_read_by('select messenger_health()'), '<', 60000::bigint, 'it reads a bounded number of rows'
);

select * from finish();
rollback;
