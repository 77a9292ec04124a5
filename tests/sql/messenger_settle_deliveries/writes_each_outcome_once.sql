-- Outcomes of deliveries with their effects: once for a publication, however many copies the engine gives out.
begin;
select plan(11);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select setval('messenger_messages_id_seq', 500, false);
create function pg_temp.delivery(p_id bigint, p_token integer) returns jsonb language sql as $$
  select jsonb_build_object(
    'id', p_id, 'origin', messenger.installation_id(), 'source_id', p_id, 'publication', 1, 'token', test.token(p_token),
    'type', 'ImportRow', 'payload', p_id, 'queue', 'default', 'priority', 0, 'created_at', now(), 'retry_count', 0,
    'attempts', 1, 'snoozes', 0, 'interruptions', 0, 'errors', '[{"message":"before"}]'::jsonb
  )
$$;
create function pg_temp.settle(p_token integer) returns jsonb language sql as $$
  select messenger_settle_deliveries(
    'events', jsonb_build_array(pg_temp.delivery(1, p_token)),
    jsonb_build_array(pg_temp.delivery(2, p_token), pg_temp.delivery(3, p_token), pg_temp.delivery(4, p_token), pg_temp.delivery(5, p_token)),
    jsonb_build_array(jsonb_build_object(
      'token', test.token(p_token), 'handled', '["2"]'::jsonb,
      'kept', '[{"id":"2","keep_ms":60000,"result":"done"}]'::jsonb,
      'retries', '[{"id":"3","delay_ms":5000,"retry_count":1,"errors":[{"message":"later"}]}]'::jsonb,
      'snoozed', '[{"id":"4","delay_ms":1000}]'::jsonb,
      'dead', '[{"id":"5","reason":"exhausted","errors":[{"message":"end"}]}]'::jsonb,
      'effects', '[{"id":"2","messages":[{"id":"700","type":"Child"}],"emits":[]}]'::jsonb
    ))
  )
$$;
select is(pg_temp.settle(1), '{"stale": [], "repeated": []}', 'each outcome is written');
select is((select result from messenger_handled_messages where id = 2), '"done"', 'a result is kept');
select is((select string_agg(id || type, ',') from messenger_messages), '700Child', 'what a handler dispatched is there, and no adopted row is left');
select results_eq(
  'select id::int, publication, retry_count, attempts, snoozes, errors, available_at > now() from messenger.outbox order by id',
  $$values (3, 2, 1, 1, 0, '[{"message":"before"},{"message":"later"}]'::jsonb, true), (4, 2, 0, 0, 1, '[{"message":"before"}]', true)$$,
  'a retry and a snooze wait in the outbox, as the next publication'
);
select results_eq(
  'select id::int, reason, errors from messenger_failed_messages', $$values (5, 'exhausted', '[{"message":"before"},{"message":"end"}]'::jsonb)$$,
  'a dead letter has the errors of all attempts'
);
select is((select count(*)::int from messenger.leases), 0, 'no lease is left');

create temp table second as select pg_temp.settle(2) as answer;
select is((select answer -> 'repeated' from second), '["1", "2", "3", "4", "5"]', 'a further copy of each is told as repeated');
select is((select jsonb_array_length(answer -> 'stale') from second), 4, 'its outcomes are not written');
select is((select count(*)::int from messenger_messages) + (select count(*)::int from messenger.outbox), 3, 'nor are its effects');
select is(
  jsonb_path_query_array(messenger_look_up_deliveries('events', jsonb_build_array(
    pg_temp.delivery(9, 1), pg_temp.delivery(3, 1), pg_temp.delivery(3, 1) || '{"publication":2}'
  )), '$.deliveries[*].handled'), '[false, true, false]', 'a read of the inbox knows the publication, and not the next one'
);
select is(
  messenger_settle_deliveries('events', jsonb_build_array(
    pg_temp.delivery(1, 1) || '{"origin":"00000000-0000-4000-8000-000000000001"}'
  )) -> 'repeated', '[]'::jsonb, 'another installation''s message of the same id is another one'
);
select * from finish();
rollback;
