-- A queue is given a concurrency while its messages run.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.heartbeated() returns table (queue text, status text, number bigint)
language sql as $$
  select queue, status, count(*) from messenger_messages where heartbeated group by 1, 2 order by 1
$$;

select test.dispatch_many(3, 'mail'), test.dispatch_many(2);
select test.claim(test.token(1));
select test.dispatch_many(2, 'mail');
select messenger_set_queue('mail', '{"max_workers":3}');
select is_empty('select * from pg_temp.heartbeated()', 'no other setting counts them');

select messenger_set_queue('mail', '{"concurrency":4}');
select results_eq(
  'select * from pg_temp.heartbeated()', $$values ('mail', 'processing', 3::bigint)$$,
  'what runs of the queue is heartbeated, and what waits is not'
);
select is(jsonb_array_length(test.claim(test.token(2)) -> 'messages'), 1, 'a place is left');

select messenger_set_queue('mail', '{"concurrency":null}');
select is(jsonb_array_length(test.claim(test.token(3)) -> 'messages'), 1, 'no bound without one');
select messenger_set_queue('mail', '{"concurrency":5}');
select is(messenger.queue_room('mail'), 0, 'what was claimed meanwhile counts as well');
select test.set_clock('2026-01-01 12:01Z');
select is(messenger.queue_room('mail'), 5, 'as long as its lease runs');

select test.dispatch_many(3, 'reports/a'), test.dispatch_many(1, 'report');
select test.claim(test.token(4));
select messenger_set_queue('reports', '{"lane_concurrency":3}');
select results_eq(
  $$select * from pg_temp.heartbeated() where queue like 'report%'$$, $$values ('reports/a', 'processing', 3::bigint)$$,
  'what runs of a lane takes its places'
);
select test.dispatch_many(1, 'reports/a');
select is(jsonb_array_length(test.claim(test.token(5)) -> 'messages'), 0, 'so that the lane is full');

select * from finish();
rollback;
