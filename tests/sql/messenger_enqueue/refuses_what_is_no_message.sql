-- The last defence: the HTTP edge and messenger_dispatch have better words for most of these.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_enqueue(null)$$, 'PT400', 'messages: has to be an array', 'no array'
);
select throws_ok(
  $$select messenger_enqueue('{"type":"A"}')$$, 'PT400', 'messages: has to be an array',
  'an object instead of an array'
);
select throws_ok($$select messenger_enqueue('[{"payload":{}}]')$$, '23502', null, 'no type');
select throws_ok($$select messenger_enqueue('[{"type":""}]')$$, '23514', null, 'an empty type');
select throws_ok(
  $$select messenger_enqueue(jsonb_build_array(jsonb_build_object('type', repeat('x', 201))))$$,
  '23514', null, 'a type of 201 characters'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A","queue":"no spaces"}]')$$, '23514', null,
  'a queue with a space in its name'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A","priority":-1001}]')$$, '23514', null,
  'a priority below -1000'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A","idempotency_key":""}]')$$, '23514', null,
  'an empty idempotency key'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A","available_at":"soon"}]')$$, '22007', null,
  'a due time that is none'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A"},{"type":"A","dealy_ms":5}]')$$, 'PT400',
  'messages.1.dealy_ms: is not known; a message has type, payload, queue, priority, delay_ms, available_at, ttl_ms, idempotency_key, idempotency_scope, group_key, stamps, dedupe_key, dedupe, dedupe_window_ms',
  'a field that is not known'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A"},5]')$$, 'PT400',
  'messages.1: has to be an object (was a JSON number)', 'a number in the place of a message'
);
select throws_like(
  $$select messenger_enqueue('[{"type":"A","payload":{"id":1970670598291982290}}]')$$,
  'messages.0.payload.id: has to be a number that is kept exactly%', 'an id beyond 2^53'
);

select * from finish();
rollback;
