-- The message goes and its memory comes in one transaction, without the payload.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[
  {"type":"A","queue":"q","payload":{"secret":1},"stamps":{"user":{"id":"ann"}}}, {"type":"B"}
]');
select test.set_clock('2026-01-01 12:01Z');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A', 'B'),
    'kept', jsonb_build_array(jsonb_build_object('id', test.id_of('A'), 'keep_ms', 60000))
  ))),
  '{"stale":[]}', 'none is stale'
);
select is_empty('select id from messenger_messages', 'both are gone');
select results_eq(
  $$select type, queue, user_id, attempts, created_at, handled_at, keep_until
    from messenger_handled_messages$$,
  $$values (
    'A', 'q', 'ann', 1, '2026-01-01 12:00Z'::timestamptz, '2026-01-01 12:01Z'::timestamptz,
    '2026-01-01 12:02Z'::timestamptz
  )$$,
  'the one that is kept is remembered'
);
select hasnt_column('messenger_handled_messages', 'payload', 'without its payload');

select * from finish();
rollback;
