-- A tick that died gives way to the next.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
values ('A', 'cron', '* * * * *', '2026-01-01 12:00Z');
create function pg_temp.claimed(worker integer) returns integer language sql as
  $$select jsonb_array_length(messenger_claim_schedules(test.token(worker)) -> 'schedules')$$;
select is(pg_temp.claimed(1), 1, 'claimed');
select test.set_clock('2026-01-01 12:00:29.999Z');
select is(pg_temp.claimed(2), 0, 'held');
select test.set_clock('2026-01-01 12:00:30Z');
select is(pg_temp.claimed(3), 1, 'claimed by another');

select * from finish();
rollback;
