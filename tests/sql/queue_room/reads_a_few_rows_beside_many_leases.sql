-- 20,000 messages of other queues are leased, and 1,000 of the queue's own: room reads no more of
-- these than its limit, and when it opens is read off them.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, concurrency) values ('mail', 5);
insert into messenger_messages (type, queue, status, heartbeated, lease_token, leased_until)
select 'A', case when n <= 1000 then 'mail' else 'other' end, 'processing', true,
  test.token(1), messenger_now() + n * interval '1 millisecond'
from generate_series(1, 21000) as n;
select is(messenger.queue_room('mail'), 0, 'they leave no room');
select is(
  messenger.queue_opens_at('mail'), '2026-01-01 12:00:00.996Z'::timestamptz,
  'until all but four have ended'
);
select cmp_ok(
  test.rows_read_by($$select messenger.queue_room('mail')$$), '<', 20::bigint, 'without statistics'
);
select cmp_ok(
  test.rows_read_by($$select messenger.queue_opens_at('mail')$$), '<', 1100::bigint,
  'and to say when it opens'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select messenger.queue_room('mail')$$), '<', 20::bigint, 'with statistics'
);
select cmp_ok(
  test.rows_read_by($$select messenger.queue_opens_at('mail')$$), '<', 1100::bigint,
  'and to say when it opens'
);

select * from finish();
rollback;
