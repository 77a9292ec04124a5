-- A field whose value a message cannot have is named, with its place in the array.
begin;
select plan(57);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_enqueue(null)$$, 'PT400', 'messages: has to be an array', 'no array'
);
select throws_ok(
  $$select messenger_enqueue('{"type":"A"}')$$, 'PT400', 'messages: has to be an array',
  'an object instead of an array'
);
select throws_ok(
  $$select messenger_enqueue('[{"type":"A"},{"type":"A","dealy_ms":5}]')$$, 'PT400',
  'messages.1.dealy_ms: is not known; a message has type, payload, queue, priority, delay_ms, available_at, ttl_ms, idempotency_key, idempotency_scope, group_key, stamps, dedupe_key, dedupe, dedupe_window_ms, dedupe_debounce_ms, dedupe_max_wait_ms, transport',
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

create function pg_temp.refusal(message jsonb) returns text language plpgsql as $$
begin
  perform messenger_enqueue(jsonb_build_array('{"type":"A"}'::jsonb, message));
  return null;
exception when others then
  return sqlstate || ' ' || split_part(sqlerrm, ':', 1);
end
$$;
select is(
  pg_temp.refusal(jsonb_build_object('type', 'A') || jsonb_build_object(field, value)),
  'PT400 messages.1.' || field, field || ' ' || left(value::text, 20)
)
from (values
  ('type', 'null'::jsonb), ('type', '""'), ('type', to_jsonb(repeat('x', 201))), ('type', '{}'),
  ('type', 'true'),
  ('queue', '""'), ('queue', '"no spaces"'), ('queue', '"mäßig"'), ('queue', '["a"]'),
  ('queue', to_jsonb(repeat('q', 101))), ('queue', 'false'),
  ('priority', '"high"'), ('priority', '5000'), ('priority', '-1001'), ('priority', '99999'),
  ('priority', '1.5'), ('priority', '""'), ('priority', '{}'), ('priority', 'true'),
  ('delay_ms', '"1h"'), ('delay_ms', '-1'), ('delay_ms', '1e300'), ('delay_ms', '"NaN"'),
  ('delay_ms', '"Infinity"'), ('delay_ms', 'true'), ('delay_ms', '""'),
  ('delay_ms', '3155760000001'),
  ('ttl_ms', '"soon"'), ('ttl_ms', '-5'), ('ttl_ms', '0'), ('ttl_ms', '1e30'),
  ('available_at', '"soon"'), ('available_at', '"2026-02-30"'), ('available_at', '1767268800'),
  ('available_at', '"999999-01-01"'), ('available_at', '""'), ('available_at', '{}'),
  ('idempotency_key', '""'), ('idempotency_key', to_jsonb(repeat('k', 256))),
  ('idempotency_key', '{"a":1}'), ('idempotency_scope', to_jsonb(repeat('k', 256))),
  ('group_key', '""'), ('group_key', to_jsonb(repeat('k', 256))), ('group_key', '[]'),
  ('dedupe_key', '""'), ('dedupe_key', to_jsonb(repeat('k', 256))),
  ('dedupe', '5'), ('dedupe_window_ms', '"1d"'), ('dedupe_window_ms', '-1')
) as given (field, value);
select is(
  pg_temp.refusal('{"payload":{}}'), 'PT400 messages.1.type', 'a message without a type'
);
select is(
  pg_temp.refusal('{
    "type":"A", "queue":null, "priority":"-5", "delay_ms":"1500.5", "ttl_ms":"2000",
    "idempotency_key":42, "group_key":7, "idempotency_scope":""
  }'),
  null, 'a number may be text, and a key a number'
);
select is(
  pg_temp.refusal('{"type":"A","available_at":"2026-01-02 12:00+01"}'), null,
  'a moment may be written as Postgres writes it'
);

select * from finish();
rollback;
