begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('oldest_ready');
insert into messenger_queues (name, runs_on) values ('heavy', 'worker'), ('empty', 'worker');
select is(test.measured(), '[0,null]', 'nothing waits');
select messenger_dispatch('A', queue => 'heavy', available_at => '2026-01-01 11:50Z');
select is(test.measured(), '[600000,null]', 'a message of a queue that runs on workers counts');
select messenger_dispatch('A', available_at => '2026-01-01 11:40Z');
select is(test.measured(), '[1200000,null]', 'an older one of another queue counts more');
delete from messenger_messages where queue = 'default';
update messenger_queues set paused = true where name = 'heavy';
select is(test.measured(), '[0,null]', 'a paused queue does not count');
select test.alert('oldest_ready', '{"queue":"heavy"}');
update messenger_queues set paused = false where name = 'heavy';
select is(test.measured(), '[600000,"heavy"]', 'by its name it is measured as before');

select * from finish();
rollback;
