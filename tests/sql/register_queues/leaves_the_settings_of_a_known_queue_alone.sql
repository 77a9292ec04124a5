-- A message to a paused queue does not resume it.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, paused) values ('mail', true);
select messenger_dispatch('A', queue => 'mail');
select is(
  (select paused from messenger_queues where name = 'mail'), true, 'the queue stays paused'
);

select * from finish();
rollback;
