-- More lanes with a row of their own than a claim could read one by one.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, weight) select 'reports/a' || n, 2 from generate_series(1, 12000) as n;
insert into messenger_queues (name, paused) values ('reports/zz', true);
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/zz', messenger_now() - interval '1 hour' from generate_series(1, 2);
select is(test.claim(test.token(1)) -> 'messages', '[]', 'a lane that is paused gives none, however many have rows');
select test.dispatch_many(2, 'reports/a1');
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2), 1)$$), '<', 14000::bigint,
  'a claim reads no row of a lane more than once'
);
select is(test.claim(test.token(3)) #>> '{messages,0,queue}', 'reports/a1', 'the other lanes are served');

select * from finish();
rollback;
