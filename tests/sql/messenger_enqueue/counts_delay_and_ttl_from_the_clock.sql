-- Both are milliseconds after the database's now.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{"type":"timed","delay_ms":1500,"ttl_ms":60000}]');
select is(
  (select available_at from messenger_messages), '2026-01-01 12:00:01.5Z'::timestamptz,
  'delay_ms puts off the due time'
);
select is(
  (select expires_at from messenger_messages), '2026-01-01 12:01Z'::timestamptz,
  'ttl_ms sets the end'
);

select * from finish();
rollback;
