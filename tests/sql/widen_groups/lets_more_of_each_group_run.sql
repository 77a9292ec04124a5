-- When group_concurrency is raised; messages already blocked are opened, and a lower one blocks again.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B', 'C');
select test.dispatch_to_group('h', 'D', 'E');
select messenger_dispatch('F', group_key => 'g', queue => 'mail');
select messenger_dispatch('G', group_key => 'g', queue => 'mail');
select test.claimed(1);
select is(test.blocked(), array['B', 'C', 'E', 'G'], 'one of each group runs');
update messenger_queues set group_concurrency = 2 where name = 'default';
select is(test.blocked(), array['C', 'G'], 'two of each group may run, in this queue');
select is(test.claimed(2), array['B', 'E'], 'they are claimed');
update messenger_queues set group_concurrency = 1 where name = 'default';
select test.handle(1, 'A');
select is(test.claimed(3), '{}', 'with one at a time again, the next waits for both');
select test.handle(2, 'B');
select is(test.claimed(4), array['C'], 'and then has its turn');

select * from finish();
rollback;
