-- The wait of a resident worker.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger_await_due('{heavy}', 0), false, 'nothing waits');
insert into messenger_messages (type, queue, available_at) values ('later', 'heavy', '2026-01-01 13:00Z');
select is(messenger_await_due('{heavy}', 30), false, 'a delayed message is not due');
select messenger_dispatch('now', queue => 'heavy');
select is(messenger_await_due('{heavy}', 5000), true, 'a due one ends the wait at once');
select throws_ok(
  $$select messenger_await_due('{}', 0)$$, 'PT400', 'queues: has to name at least one queue'
);
select throws_ok(
  $$select messenger_await_due('{heavy}', 5001)$$, 'PT400', 'wait_ms: has to be from 0 to 5000'
);

select * from finish();
rollback;
