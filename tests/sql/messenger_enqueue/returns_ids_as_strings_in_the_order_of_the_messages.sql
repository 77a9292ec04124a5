-- A caller matches ids with messages by position; JSON numbers would lose digits of a bigint.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table call as select messenger_enqueue(
  '[{"type":"one"},{"type":"two","idempotency_key":"k"},{"type":"three"}]'
) as answer;

select is(
  (select answer -> 'ids' from call), test.ids('one', 'two', 'three'),
  'the ids stand in the order of the messages'
);
select is(
  (select jsonb_typeof(answer -> 'ids' -> 0) from call), 'string', 'an id is a string'
);
select is(messenger_enqueue('[]'), '{"ids":[]}', 'no message, no id');

select * from finish();
rollback;
