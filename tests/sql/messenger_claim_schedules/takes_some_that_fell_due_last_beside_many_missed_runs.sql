-- Schedules with many missed runs stay the first to be due through many claims.
begin;
select plan(3);
select test.set_clock('2026-01-08 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, catch_up)
select 'late ' || n, 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', 'all' from generate_series(1, 150) n;
insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at) values
  ('now', 'A', 'cron', '* * * * *', '2026-01-08 12:00Z'),
  ('a second ago', 'A', 'cron', '* * * * *', '2026-01-08 11:59:59Z');
create temp table claim as
select s ->> 'name' as name from jsonb_array_elements(
  messenger_claim_schedules(test.token(1), 100, payloads => true) -> 'schedules'
) s;
select is(count(*), 100::bigint, 'a claim is no larger') from claim;
select is(count(*) filter (where name in ('now', 'a second ago')), 2::bigint, 'what falls due now waits for no missed run')
from claim;
select is(
  (select count(*) from messenger_schedules where lease_token = test.token(1)), 100::bigint, 'no other is leased'
);

select * from finish();
rollback;
