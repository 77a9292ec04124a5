-- Others say nothing about how many ticks are of use now.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger.fleet_size(), 1, 'one where nothing waits');
select messenger_dispatch('A');
select is(messenger.fleet_size(), 1, 'one for an ordinary queue');
select messenger_dispatch(q, queue => q) from unnest(array['few', 'many', 'paused']) as q;
select messenger_dispatch('later', queue => 'later', delay => interval '1 hour');
update messenger_queues q set max_workers = s.workers, paused = q.name = 'paused'
from (values ('few', 2), ('many', 4), ('paused', 8), ('later', 16)) as s (name, workers)
where q.name = s.name;
select is(messenger.fleet_size(), 4, 'the largest of those with due messages');
delete from messenger_messages where queue = 'many';
select is(messenger.fleet_size(), 2, 'and the next where that is drained');

select * from finish();
rollback;
