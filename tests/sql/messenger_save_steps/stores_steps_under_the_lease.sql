-- A step is stored while the lease holds, once.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts, retry_count, interruptions, expires_at)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', '2026-01-01 12:01Z', 1, 2, 1, '2026-01-01 13:00Z');

create function save(token uuid, steps jsonb) returns jsonb language sql as $$
  select messenger_save_steps(jsonb_build_array(jsonb_build_object('id', 1, 'token', token, 'version', 3, 'steps', steps)))
$$;

select is(
  save('00000000-0000-4000-8000-000000000002', '[{"handler":"h","name":"a","status":"done","result":1}]'),
  '{"stale":["1"]}', 'another lease is told'
);
select is((select count(*)::integer from messenger_steps), 0, 'and stores nothing');
select is(
  save('00000000-0000-4000-8000-000000000001',
    '[{"handler":"h","name":"a","status":"done","result":1},{"handler":"h","name":"b","key":"k","nth":2,"status":"done","result":null}]'),
  '{"stale":[]}', 'the lease stores'
);
select results_eq(
  'select name, key, nth, kind, status, result from messenger_steps order by position',
  $$values ('a', '', 1, 'step', 'done', '1'::jsonb), ('b', 'k', 2, 'step', 'done', 'null'::jsonb)$$,
  'the steps, with a result that is null'
);
select results_eq(
  'select retry_count, interruptions, quarantined, expires_at, stamps from messenger_messages',
  $$values (0, 0, false, null::timestamptz, '{"durable":{"version":3}}'::jsonb)$$,
  'the message begins its retries again, and has the mark'
);
select save('00000000-0000-4000-8000-000000000001', '[{"handler":"h","name":"a","status":"done","result":2}]');
select is((select result from messenger_steps where name = 'a'), '1', 'a repeated call changes nothing');
select throws_ok(
  $$select messenger_save_steps('{}')$$, 'PT400', 'saves: has to be an array of at most 1000 messages', 'no array'
);

select * from finish();
rollback;
