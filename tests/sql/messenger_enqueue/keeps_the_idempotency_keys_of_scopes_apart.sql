-- Two users may choose the same key; neither learns of the other's message.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[
  {"type":"SQL","idempotency_key":"k"},
  {"type":"Ann","idempotency_key":"k","idempotency_scope":"ann"},
  {"type":"Bob","idempotency_key":"k","idempotency_scope":"bob"}
]');
select messenger_enqueue('[{"type":"again","idempotency_key":"k","idempotency_scope":"ann"}]');
select is(
  array(select type from messenger_messages order by type), array['Ann', 'Bob', 'SQL'],
  'a key counts within its scope'
);

select * from finish();
rollback;
