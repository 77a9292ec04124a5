begin;
select plan(3);
update messenger_queues set paused = true where name = 'default';
select test.dispatch('A');
select is_empty('select * from messenger_ticks', 'a paused queue wakes no tick');
select messenger_set_queue('default', '{"weight":2}');
select is_empty('select * from messenger_ticks', 'as long as it is paused');
select messenger_set_queue('default', '{"paused":false}');
select is((select count(*)::int from messenger_ticks), 1, 'a tick was asked for');

select * from finish();
rollback;
