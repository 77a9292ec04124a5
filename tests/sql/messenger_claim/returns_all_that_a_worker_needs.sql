-- One jsonb, since PostgREST would cut a set of rows after they have been claimed.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{
  "type": "A", "payload": {"to": "a@b.c"}, "queue": "mail", "priority": 3, "group_key": "g",
  "stamps": {"user": "u"}, "ttl_ms": 60000
}]');
create temp table claim as select test.claim(test.token(1)) as answer;

select is(
  (select answer -> 'messages' -> 0 from claim),
  jsonb_build_object(
    'id', test.id_of('A')::text, 'type', 'A', 'payload', '{"to":"a@b.c"}'::jsonb,
    'queue', 'mail', 'priority', 3, 'available_at', messenger_now(),
    'created_at', messenger_now(), 'expires_at', messenger_now() + interval '1 minute',
    'expired', false, 'retry_count', 0, 'attempts', 1, 'group_key', 'g',
    'stamps', '{"user":"u"}'::jsonb, 'quarantined', false
  ),
  'the envelope is complete'
);
select is(
  (select answer - 'messages' - 'crashed_token' - 'last_keys' - 'lock_ms' - 'bytes' from claim),
  jsonb_build_object(
    'crashed', '[]'::jsonb, 'token', test.token(1), 'now', messenger_now(), 'quarantined_due', false,
    'next_due_at', null, 'lease_ms', 60000, 'more', false, 'oversized', '[]'::jsonb,
    'rated', '[]'::jsonb
  ),
  'and so is what stands around it'
);
select cmp_ok(
  (select (answer ->> 'lock_ms')::numeric from claim), '>', 0::numeric, 'with the time it took to look'
);
select cmp_ok(
  (select (answer ->> 'bytes')::numeric from claim), '>', 0::numeric, 'and the bytes that it gave'
);

select * from finish();
rollback;
