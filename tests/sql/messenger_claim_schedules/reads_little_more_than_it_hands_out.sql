-- Of 20,000 schedules, with and without statistics.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
select 'A', 'cron', '* * * * *', '2026-01-01 11:00Z'::timestamptz + n * interval '1 second'
from generate_series(1, 20000) n;
select cmp_ok(
  test.rows_read_by($$select messenger_claim_schedules(test.token(1))$$, 'messenger_schedules'),
  '<', 1000::bigint, 'without statistics'
);
analyze messenger_schedules;
select cmp_ok(
  test.rows_read_by($$select messenger_claim_schedules(test.token(2))$$, 'messenger_schedules'),
  '<', 1000::bigint, 'with statistics'
);

select * from finish();
rollback;
