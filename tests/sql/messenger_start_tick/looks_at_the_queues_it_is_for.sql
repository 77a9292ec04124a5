-- A tick for one queue has nothing to do where another's messages are due.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'mail');
select is(
  messenger_start_tick(queues => array['default']) -> 'proceed', 'false', 'another queue''s work'
);
select is(messenger_start_tick(queues => array['mail']) -> 'proceed', 'true', 'its own');

select * from finish();
rollback;
