-- The answer of the first call was lost.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
select 'A', 'cron', '* * * * *', '2026-01-01 11:00Z' from generate_series(1, 5);
create temp table claim as select messenger_claim_schedules(test.token(1), 2) as answer;
insert into claim select messenger_claim_schedules(test.token(1), 2, repeated => true);
select is((select count(distinct answer)::integer from claim), 1, 'the same');
select is(
  jsonb_array_length(messenger_claim_schedules(test.token(2), 2, repeated => true) -> 'schedules'),
  2, 'a new claim if the first call never arrived'
);

select * from finish();
rollback;
