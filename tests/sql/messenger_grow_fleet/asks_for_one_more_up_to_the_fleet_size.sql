-- Those asked for count, so that a burst of calls does not ask for too many.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.tick('awake');
select is(messenger_grow_fleet(), null, 'nothing is due: one is enough');
select messenger_dispatch('A', queue => 'mail');
select is(messenger_grow_fleet(), null, 'an ordinary queue is drained by one');
update messenger_queues set max_workers = 3 where name = 'mail';
select results_eq(
  'select messenger_grow_fleet() is not null from generate_series(1, 4)',
  'values (true), (true), (false), (false)', 'two more make three'
);
delete from messenger_messages;
delete from messenger_ticks;
select is(messenger_grow_fleet() is not null, true, 'with none awake, one is asked for');

select * from finish();
rollback;
