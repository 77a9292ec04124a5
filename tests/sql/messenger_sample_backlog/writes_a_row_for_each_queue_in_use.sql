-- Once a minute; a queue without messages has no row.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00:30Z');

select is(messenger_sample_backlog(), 0, 'without messages');
select is_empty('select from messenger.backlog_points', 'nothing is written');

insert into messenger_messages (type, queue, available_at) values
  ('A', 'a', '2026-01-01 11:59:30Z'), ('A', 'a', '2026-01-01 11:59:50Z'), ('A', 'a', '2026-01-01 13:00Z'),
  ('A', 'b', '-infinity');
select messenger_claim(test.token(1), 1, queues => '{a}');
select is(messenger_sample_backlog(), 2, 'with messages');
select results_eq(
  'select queue, at, due, delayed, processing, oldest_s from messenger.backlog_points order by queue',
  $$values ('', '2026-01-01 12:00Z'::timestamptz, 2, 1, 1, 40), ('a', '2026-01-01 12:00Z', 1, 1, 1, 40),
    ('b', '2026-01-01 12:00Z', 1, 0, 0, 0)$$,
  'each queue has a row, and all of them have one'
);
select is(messenger_sample_backlog(), 0, 'the same minute is not sampled again');

select * from finish();
rollback;
