-- In one transaction: at no moment is it in both tables or in neither.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[{
  "type": "A", "payload": {"to": "a@b.c"}, "queue": "mail", "priority": 3, "group_key": "g",
  "stamps": {"user": "u"}
}]');
create temp table before as select id from messenger_messages;
select test.claim(test.token(1));
update messenger_messages set retry_count = 3, attempts = 4, errors = '[{"message":"first"}]'
where type = 'A';
select test.set_clock('2026-01-01 12:00:30Z');

select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'dead', jsonb_build_array(jsonb_build_object(
      'id', test.id_of('A')::text, 'reason', 'exhausted', 'errors', '[{"message":"last"}]'::jsonb
    ))
  ))),
  '{"stale":[]}', 'none is stale'
);
select is_empty('select id from messenger_messages', 'it waits no more');
select results_eq(
  $$select id, type, payload, queue, priority, status, reason, error, errors, retry_count, attempts,
      redriven, group_key, stamps, created_at, failed_at
    from messenger_failed_messages$$,
  $$select id, 'A', '{"to":"a@b.c"}'::jsonb, 'mail', 3::smallint, 'failed', 'exhausted', 'last',
      '[{"message":"first"},{"message":"last"}]'::jsonb, 3, 4, 0, 'g', '{"user":"u"}'::jsonb,
      '2026-01-01 12:00Z'::timestamptz, '2026-01-01 12:00:30Z'::timestamptz
    from before$$,
  'the dead letter is complete'
);

select * from finish();
rollback;
