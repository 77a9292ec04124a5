-- The request is sent at the commit. After some seconds the tick counts as lost for others.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A');
update messenger_ticks set asked_at = asked_at - interval '1 minute' where true;
select is_empty('select from messenger.ticks_awake()', 'a minute has gone by in the transaction');
select messenger_dispatch('B'), messenger_dispatch('C', delay => interval '2 seconds');
update messenger_messages set priority = 5 where type = 'A';
select is((select count(*) from net.http_request_queue), 1::bigint, 'one tick is asked for in all');

-- As in another transaction, in which nothing has been asked for.
select set_config('symphony_messenger.asked', '', true), set_config('symphony_messenger.woken', '', true);
delete from messenger_ticks;
savepoint before;
select messenger_dispatch('D');
select is((select count(*) from net.http_request_queue), 2::bigint, 'a second one');
rollback to before;
select is((select count(*) from net.http_request_queue), 1::bigint, 'its request is undone');
select messenger_dispatch('E');
select is((select count(*) from net.http_request_queue), 2::bigint, 'and made again for what is written afterwards');

select * from finish();
rollback;
