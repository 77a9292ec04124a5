-- An operator does not wait for the minute's tick.
begin;
select plan(6);
-- How many ticks were asked for since the last look.
create function pg_temp.asked() returns bigint language sql as $$
  with gone as (delete from messenger_ticks where true returning id) select count(*) from gone
$$;

insert into messenger_queues (name, paused) values ('mail', true);
select messenger_dispatch('A', queue => 'mail'), messenger_dispatch('B', queue => 'mail');
select is(pg_temp.asked(), 0::bigint, 'a paused queue wakes no tick');
update messenger_queues set paused = false where name = 'mail';
select is(pg_temp.asked(), 1::bigint, 'when it is resumed');

-- With a lease that outlasts the next minute: one that ends before lets messages start before as well.
update messenger_queues set concurrency = 1, lease_ms = 300000 where name = 'mail';
select test.claim(test.token(1)), pg_temp.asked();
update messenger_queues set weight = 2 where name = 'mail';
select is(pg_temp.asked(), 0::bigint, 'not while its limits let nothing start');
update messenger_queues set concurrency = 2 where name = 'mail';
select is(pg_temp.asked(), 1::bigint, 'when a limit is raised');

select messenger_dispatch('C', group_key => 'g'), messenger_dispatch('D', group_key => 'g');
select test.claim(test.token(2)), pg_temp.asked();
update messenger_queues set group_concurrency = 2 where name = 'default';
select is(pg_temp.asked(), 1::bigint, 'when more of a group may run');
select test.claim(test.token(3));
update messenger_queues set group_concurrency = 3 where name = 'default';
select is(pg_temp.asked(), 0::bigint, 'not where nothing waits');

select * from finish();
rollback;
