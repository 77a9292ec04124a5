-- Two users may choose the same key; neither learns of the other's message.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[
  {"type":"A","payload":"SQL","idempotency_key":"k"},
  {"type":"A","payload":"Ann","idempotency_key":"k","idempotency_scope":"ann"},
  {"type":"A","payload":"Bob","idempotency_key":"k","idempotency_scope":"bob"}
]');
select messenger_enqueue('[{"type":"A","payload":"Ann","idempotency_key":"k","idempotency_scope":"ann"}]');
select is(
  array(select payload #>> '{}' from messenger_messages order by 1), array['Ann', 'Bob', 'SQL'],
  'a key counts within its scope'
);

select * from finish();
rollback;
