-- Unless it broke off, for its successor would as well.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select messenger_end_tick(test.tick('awake'));
select is_empty('select id from net.http_request_queue', 'nothing is left');
select messenger_dispatch('later', delay => interval '1 hour');
select messenger_end_tick(test.tick('awake'));
select is_empty('select id from net.http_request_queue', 'nothing is due');
select messenger_dispatch('soon', delay => interval '1 second');
truncate net.http_request_queue, messenger_ticks;
select messenger_end_tick(test.tick('awake'));
select is((select count(*) from net.http_request_queue), 1::bigint, 'something is, before the next minute');

select test.dispatch('A');
truncate net.http_request_queue, messenger_ticks;
select messenger_end_tick(test.tick('awake'), successor => false);
select is_empty('select id from net.http_request_queue', 'none is wanted');
select messenger_end_tick(test.tick('awake'));
select is((select count(*) from net.http_request_queue), 1::bigint, 'one successor');

select * from finish();
rollback;
