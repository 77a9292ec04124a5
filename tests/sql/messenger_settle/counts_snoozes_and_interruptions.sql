-- A message's row counts the returns that are not failures of its own.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A');
select messenger_dispatch('B');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'snoozed', jsonb_build_array(jsonb_build_object('id', test.id_of('A')::text, 'delay_ms', 100)),
    'retries', jsonb_build_array(jsonb_build_object(
      'id', test.id_of('B')::text, 'delay_ms', 100, 'retry_count', 0, 'interrupted', true,
      'errors', '[{"message": "the worker has to end"}]'::jsonb
    ))
  ))),
  '{"stale":[]}', 'none is stale'
);
select results_eq(
  $$select type, snoozes, interruptions, attempts, retry_count, errors is null
    from messenger_messages order by type$$,
  $$values ('A', 1, 0, 0, 0, true), ('B', 0, 1, 0, 0, false)$$,
  'both give the attempt back; an interruption charges no retry and stands in the history'
);

select * from finish();
rollback;
