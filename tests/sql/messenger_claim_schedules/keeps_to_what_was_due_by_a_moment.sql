-- So a run of many batches comes to an end, however short the intervals.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, interval_ms, next_run_at) values
  ('A', 'interval', 1, '2026-01-01 11:00Z'), ('A', 'interval', 1, '2026-01-01 11:30Z');
select is(
  jsonb_array_length(
    messenger_claim_schedules(test.token(1), until => '2026-01-01 11:29Z') -> 'schedules'
  ), 1, 'the earlier one'
);
select is(
  jsonb_array_length(
    messenger_claim_schedules(test.token(2), until => '2030-01-01 00:00Z') -> 'schedules'
  ), 1, 'the clock holds all the same'
);

select * from finish();
rollback;
