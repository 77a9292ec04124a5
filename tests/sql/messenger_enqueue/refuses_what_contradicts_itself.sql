-- An array is held to the rules of messenger_dispatch.
begin;
select plan(22);
select test.set_clock('2026-01-01 12:00Z');

select throws_like(
  format('select messenger_enqueue(%L)', jsonb_build_array('{"type":"A"}'::jsonb, message)),
  'messages.1.' || wrong || ': %', message::text
)
from (values
  ('{"type":"A","delay_ms":1000,"available_at":"2030-01-01"}'::jsonb, 'delay_ms'),
  ('{"type":"A","delay_ms":-1}', 'delay_ms'),
  ('{"type":"A","available_at":"infinity"}', 'available_at'),
  ('{"type":"A","delay_ms":1000,"ttl_ms":1000}', 'ttl_ms'),
  ('{"type":"A","available_at":"2026-01-01 12:00:01Z","ttl_ms":1000}', 'ttl_ms'),
  ('{"type":"A","available_at":"2030-01-01","ttl_ms":"3600000"}', 'ttl_ms'),
  ('{"type":"A","available_at":"-Infinity"}', 'available_at'),
  ('{"type":"A","dedupe_key":"a","idempotency_key":"b"}', 'dedupe_key'),
  ('{"type":"A","dedupe_key":"a","dedupe":"until-dead"}', 'dedupe'),
  ('{"type":"A","dedupe_key":"a","dedupe":"until-started","dedupe_window_ms":1000}', 'dedupe'),
  ('{"type":"A","dedupe_key":"a","dedupe_window_ms":0}', 'dedupe_window_ms'),
  ('{"type":"A","dedupe":"until-started"}', 'dedupe_key'),
  ('{"type":"A","dedupe_window_ms":1000}', 'dedupe_key'),
  ('{"type":"A","dedupe_key":"a","dedupe_debounce_ms":0}', 'dedupe_debounce_ms'),
  ('{"type":"A","dedupe_key":"a","dedupe_max_wait_ms":1}', 'dedupe_max_wait_ms'),
  ('{"type":"A","dedupe_key":"a","dedupe_debounce_ms":2,"dedupe_max_wait_ms":1}', 'dedupe_max_wait_ms'),
  ('{"type":"A","dedupe_key":"a","dedupe_debounce_ms":2,"delay_ms":1}', 'delay_ms'),
  ('{"type":"A","dedupe_key":"a","dedupe_debounce_ms":2,"ttl_ms":2}', 'ttl_ms'),
  ('{"type":"A","stamps":[1]}', 'stamps'),
  ('{"type":"A","stamps":{"user":{"id":1970670598291982290}}}', 'stamps.user.id')
) as given (message, wrong);
select lives_ok(
  $$select messenger_enqueue('[{
    "type":"A", "delay_ms":null, "available_at":"2030-01-01", "dedupe":null, "dedupe_key":null,
    "dedupe_window_ms":null, "idempotency_key":"k", "stamps":null
  }]')$$,
  'null is the same as left out'
);
select is((select count(*) from messenger_messages), 1::bigint, 'what was refused left no row');

select * from finish();
rollback;
