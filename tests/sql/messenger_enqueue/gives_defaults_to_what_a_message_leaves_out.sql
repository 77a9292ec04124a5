-- A message needs a type and nothing else.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{"type":"bare"}]');
select results_eq(
  $$select queue collate "default", priority, status, available_at, created_at, expires_at, retry_count, attempts,
      group_key, stamps, errors, quarantined
    from messenger_messages where type = 'bare'$$,
  $$values ('default', 0::smallint, 'pending', messenger_now(), messenger_now(),
    null::timestamptz, 0, 0, null::text, null::jsonb, null::jsonb, false)$$,
  'it is due at once in the default queue'
);
select is(
  (select payload from messenger_messages where type = 'bare'), '{}', 'its payload is empty'
);
select messenger_enqueue('[{"type":"null","payload":null}]');
select is(
  (select payload from messenger_messages where type = 'null'), 'null',
  'a payload that is null stays null'
);

select * from finish();
rollback;
