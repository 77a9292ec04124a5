-- A backlog of a million costs what one of the cap does.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, priority, available_at)
select 'A', 'q', n % 3, '2026-01-01 13:00Z' from generate_series(1, 20000) as n;
insert into messenger_messages (type, queue, priority, available_at)
select 'A', 'q', n % 3, '2026-01-01 11:00Z' from generate_series(1, 20000) as n;

select is(
  messenger.queue_depth('q', 100) -> 'due', '{"count":100,"capped":true}', 'counts up to the cap'
);
select cmp_ok(
  test.rows_read_by($$select messenger.queue_depth('q', 100)$$), '<', 500::bigint,
  'and reads little more'
);
select cmp_ok(
  test.rows_read_by($$select messenger.queue_depth('unknown', 100)$$), '<', 10::bigint,
  'an empty queue costs nothing'
);

select * from finish();
rollback;
