-- Each of 3,000 lanes runs the one message that it may run at a time, and has another that waits. Their messages have
-- waited for longest.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, lane_concurrency) values ('reports', 1);
insert into messenger_messages (type, queue, status, lease_token, leased_until, heartbeated)
select 'T', 'reports/a' || lpad(n::text, 5, '0'), 'processing', test.token(9), messenger_now() + interval '1 hour', true
from generate_series(1, 3000) n;
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/a' || lpad(n::text, 5, '0'), messenger_now() - interval '1 day' from generate_series(1, 3000) n;

select is(test.claim(test.token(1)) -> 'messages', '[]', 'where none is open, a claim gives none');
insert into messenger_messages (type, queue, available_at)
values ('T', 'reports/z', messenger_now() - interval '1 minute');
select is(messenger.next_due() <= messenger_now(), true, 'a message of an open lane is due');
select is(
  test.claim(test.token(2)) #>> '{messages,0,queue}', 'reports/z', 'and the first claim gives it'
);

select * from finish();
rollback;
