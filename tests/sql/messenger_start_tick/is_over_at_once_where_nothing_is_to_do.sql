-- An idle minute costs this one call.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger_start_tick(awake => true) -> 'proceed', 'false', 'nothing waits');
select ok(
  (select ended_at is not null and rested_at is not null and report is null from messenger_ticks),
  'it has ended'
);
select messenger_dispatch('later', delay => interval '2 hours');
select is(
  messenger_start_tick(awake => true, budget_ms => 9000) -> 'proceed', 'false',
  'nothing falls due before the next minute''s tick'
);
select messenger_dispatch('soon', delay => interval '1 second');
select is(
  messenger_start_tick(awake => true, budget_ms => 9000) -> 'proceed', 'false',
  'something does, but the dispatch has asked for a tick'
);
delete from messenger_ticks;
select is(
  messenger_start_tick(awake => true, budget_ms => 9000) -> 'proceed', 'true', 'no other tick waits for it'
);
delete from messenger_messages;
select test.dispatch('crashed');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:00:01Z');
select is(messenger_start_tick(awake => true) -> 'proceed', 'true', 'a lease has run out');

delete from messenger_messages where true;
delete from messenger.leases where true;
select messenger_dispatch('brief', queue => 'mail', ttl => interval '1 second');
update messenger_queues set paused = true where name = 'mail';
select test.set_clock('2026-01-01 12:00:03Z');
select is(
  messenger_start_tick(awake => true) -> 'proceed', 'true', 'a message of a paused queue has expired'
);

select * from finish();
rollback;
