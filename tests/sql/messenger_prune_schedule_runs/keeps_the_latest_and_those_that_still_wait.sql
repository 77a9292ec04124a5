-- By number and by age.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron)
values (7, 'A', 'cron', '@daily'), (8, 'A', 'cron', '@daily');
insert into messenger_schedule_runs (schedule_id, occurrence, outcome, message_id)
select 7, '2026-01-01 12:00Z'::timestamptz - n * interval '1 hour', 'handled', -n
from generate_series(1, 10) n;
insert into messenger_schedule_runs (schedule_id, occurrence, outcome)
values (8, '2025-11-01', 'skipped'), (8, '2025-12-31', 'skipped');
insert into messenger_messages (id, type) values (-10, 'A');
select is(
  messenger_prune_schedule_runs('30 days', 4, dry_run => true) -> 'schedule_runs', '6',
  'a dry run counts'
);
select is((select count(*)::integer from messenger_schedule_runs), 12, 'and deletes nothing');
select messenger_prune_schedule_runs('30 days', 4);
select is(
  array(
    select message_id::integer from messenger_schedule_runs
    where schedule_id = 7 order by occurrence
  ),
  array[-10, -4, -3, -2, -1], 'the latest four, and one whose message waits'
);
select is(
  array(select occurrence::date from messenger_schedule_runs where schedule_id = 8),
  array['2025-12-31'::date], 'nothing older than 30 days'
);

select * from finish();
rollback;
