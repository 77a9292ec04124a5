begin;
select plan(5);
-- As with a backlog of the future, and dead letters, runs and steps that are long over.
insert into messenger_messages (type, available_at) select 'A', now() + interval '1 day' from generate_series(1, 5000);
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select -n, 'A', '{}', 'default', 'exhausted', now(), now() - interval '2 hours' from generate_series(1, 5000) n;
insert into messenger_steps (message_id, handler, name, status)
select -n, 'h', 's', 'done' from generate_series(1, 5000) n;
insert into messenger_schedules (name, message_type, schedule_type, interval_ms, next_run_at)
values ('s', 'A', 'interval', 60000, now() + interval '1 minute');
insert into messenger_schedule_runs (schedule_id, occurrence, outcome)
select s.id, now() - n * interval '1 minute', 'handled' from messenger_schedules s, generate_series(1, 5000) n;
analyze messenger_messages, messenger_failed_messages, messenger_steps, messenger_schedule_runs;

select cmp_ok(test.rows_read_by('select messenger_check_alerts()', relation::regclass), '<', 100::bigint, relation)
from unnest(array[
  'messenger_messages', 'messenger_failed_messages', 'messenger_steps', 'messenger_schedule_runs'
]) as relation;
select is((select count(*) from messenger_alerts where error is not null), 0::bigint, 'all were checked');

select * from finish();
rollback;
