-- A message exists if and only if what it tells of has happened.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

savepoint before;
select messenger_dispatch('undone', queue => 'undone', idempotency_key => 'k');
rollback to savepoint before;
select messenger_dispatch('kept');

select is(
  array(select type from messenger_messages), array['kept'],
  'a rollback takes the message with it'
);
select is_empty(
  $$select name from messenger_queues where name = 'undone'$$, 'and its queue'
);
select is_empty(
  $$select key from messenger.idempotency_keys$$, 'and its idempotency key'
);

select * from finish();
rollback;
