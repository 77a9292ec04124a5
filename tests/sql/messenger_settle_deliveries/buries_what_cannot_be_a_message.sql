-- A trigger of the project's own that refuses messages of home refuses no dead letter of a delivery, which its engine
-- would give out again without end.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
create function pg_temp.refuse() returns trigger language plpgsql as $$
begin
  if tg_argv[0] = 'raise' then
    raise exception 'no' using errcode = '40001';
  end if;
  return null;
end
$$;
create function pg_temp.settle(p_id bigint, p_outcome jsonb) returns jsonb language sql as $$
  select messenger_settle_deliveries(
    'events', '[]', jsonb_build_array(jsonb_build_object(
      'id', p_id, 'origin', messenger.installation_id(), 'source_id', p_id, 'publication', 1, 'token', test.token(1),
      'type', 'ImportRow', 'payload', p_id, 'queue', 'default', 'priority', 0, 'created_at', now(), 'retry_count', 0,
      'attempts', 1, 'snoozes', 0, 'interruptions', 0, 'errors', '[{"message":"before"}]'::jsonb
    )),
    jsonb_build_array(jsonb_build_object('token', test.token(1)) || p_outcome)
  )
$$;
create trigger refuse before insert on messenger_messages for each row execute function pg_temp.refuse('raise');
select throws_ok(
  $$select pg_temp.settle(1, '{"retries": [{"id": "1", "delay_ms": 1000, "retry_count": 1}]}')$$, '40001', 'no',
  'a retry is refused'
);
select is(
  pg_temp.settle(1, '{"dead": [{"id": "1", "reason": "unrecoverable", "errors": [{"message": "end"}]}]}'),
  '{"stale": [], "repeated": []}', 'and the dead letter in its place is written'
);
select results_eq(
  'select id::int, payload, reason, error, jsonb_array_length(errors) from messenger_failed_messages',
  $$values (1, '1'::jsonb, 'unrecoverable', 'end', 2)$$, 'with the errors of all attempts'
);
select is(
  pg_temp.settle(1, '{"dead": [{"id": "1", "reason": "unrecoverable"}]}') -> 'repeated', '["1"]',
  'a further copy is told as repeated'
);
drop trigger refuse on messenger_messages;
create trigger refuse before insert on messenger_messages for each row execute function pg_temp.refuse('skip');
select lives_ok($$select pg_temp.settle(2, '{"dead": [{"id": "2", "reason": "exhausted"}]}')$$, 'so is one that is skipped');
select is((select count(*) from messenger_failed_messages), 2::bigint, 'each is one dead letter');
select * from finish();
rollback;
