-- The same id in the same queue, as if it had never been tried, but what happened is still told.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', 'mail', failed_at => '2026-01-01 10:00Z', stamps => '{"user":"u"}');
create temp table before as select id from messenger_failed_messages;
select is(
  messenger_redrive("all" => true) - '{left,missing,next}'::text[],
  '{"matched":1,"done":1,"running":0}', 'it is counted'
);
select results_eq(
  $$select id, type, payload, queue collate "default", priority, status, retry_count, attempts, available_at,
      expires_at, created_at, stamps, errors, quarantined, lease_token
    from messenger_messages$$,
  $$select id, 'A', '{"to":"a@b.c"}'::jsonb, 'mail', 7::smallint, 'pending', 0, 0, messenger_now(),
      null::timestamptz, '2026-01-01 09:00Z'::timestamptz, '{"user":"u","redriven":1}'::jsonb,
      '[{"message":"no route"}]'::jsonb, false, null::uuid
    from before$$,
  'it waits, due at once'
);
select is_empty('select id from messenger_failed_messages', 'it is no dead letter any more');

select * from finish();
rollback;
