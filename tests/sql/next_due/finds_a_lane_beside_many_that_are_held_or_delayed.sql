-- 1,500 lanes whose messages fall due later come first by name, and a paused lane has the oldest messages.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, priority, available_at)
select 'Later', 'reports/a' || n, n % 3, messenger_now() + interval '1 hour' from generate_series(1, 1500) as n;
insert into messenger_queues (name, weight) values ('reports/a7', 2);
select cmp_ok(
  test.rows_read_by($$select messenger.next_due(array['reports'])$$), '<', 200::bigint,
  'a lane with a row of its own costs no look at each lane'
);
update messenger_queues set lane_concurrency = 2 where name = 'reports';
insert into messenger_queues (name, lane_concurrency) values ('reports', 2) on conflict do nothing;
select cmp_ok(
  test.rows_read_by($$select messenger.next_due(array['reports'])$$), '<', 200::bigint, 'nor does a limit of each lane'
);
select is(messenger.next_due(array['reports']), '2026-01-01 13:00Z'::timestamptz, 'the time is known');

select test.dispatch_many(1500, 'reports/held');
insert into messenger_queues (name, paused) values ('reports/held', true);
select is(messenger.next_due(array['reports']), '2026-01-01 13:00Z'::timestamptz, 'what is paused does not count');
insert into messenger_messages (type, queue, priority, available_at) values
  ('Later', 'reports/z', 5, messenger_now() + interval '2 hours'), ('Due', 'reports/z', 0, messenger_now() - interval '1 minute');
select is(
  messenger.next_due(array['reports']), '2026-01-01 11:59Z'::timestamptz, 'another lane''s message is found behind both'
);
select is(messenger.has_due(), true, 'so that a tick is asked for');
select is(
  test.types(test.claim(test.token(1), 20) -> 'messages'), array['Due'], 'and the next claim takes it'
);
select is((test.claim(test.token(2), 20) ->> 'next_due_at')::timestamptz, '2026-01-01 13:00Z', 'then only the others wait');

select * from finish();
rollback;
