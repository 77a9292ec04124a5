-- An idle minute costs this one call.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger_start_tick(awake => true) -> 'proceed', 'false', 'nothing waits');
select ok(
  (select ended_at is not null and rested_at is not null and report is null from messenger_ticks),
  'it has ended'
);
select messenger_dispatch('later', delay => interval '10 seconds');
select is(
  messenger_start_tick(awake => true, budget_ms => 9000) -> 'proceed', 'false',
  'nothing falls due in its time'
);
select is(
  messenger_start_tick(awake => true, budget_ms => 10000) -> 'proceed', 'true', 'something does'
);
delete from messenger_messages;
select test.dispatch('crashed');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:00:01Z');
select is(messenger_start_tick(awake => true) -> 'proceed', 'true', 'a lease has run out');

select * from finish();
rollback;
