-- A batch's cancel marks members that a broker has, and the batch ends when a worker gets them.
begin;
select plan(7);
select messenger_declare_routing('{"events": true}', '{"A": "events", "B": "events"}');
select test.batch('A', 'A', 'B', 'C');
create temporary table made as select id from messenger_batches;
update messenger.outbox set sent_at = now() where type = 'A';
create temporary table known as select id, row_number() over (order by position) as n from messenger.outbox where type = 'A';
create function pg_temp.delivery(of_n integer) returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object(
    'id', o.id, 'source_id', o.id, 'publication', 1, 'origin', messenger.installation_id(), 'token', test.token(1),
    'type', o.type, 'payload', o.payload, 'queue', 'default', 'priority', 0, 'created_at', now(), 'retry_count', 0,
    'attempts', 0, 'snoozes', 0, 'interruptions', 0, 'stamps', o.stamps
  )) from messenger.outbox o join known k on k.id = o.id where k.n = of_n
$$;

select is(
  messenger_cancel_batch((select id from made)) - 'left',
  '{"matched":4,"done":2,"running":2,"missing":[],"next":null}', 'two wait, and the broker has two'
);
select is(
  array(select c.id from messenger.cancelled_deliveries c order by c.id), array(select id from known order by id),
  'these are marked'
);
select is(messenger_cancel_batch((select id from made)) -> 'running', '0', 'once');
select is(messenger_follow_batch((select id from made)) ->> 'status', 'cancelling', 'the batch is on its way');
select messenger_settle_deliveries(
  'events', adopted => pg_temp.delivery(1), settlements => jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'dead', (select jsonb_build_array(jsonb_build_object('id', id, 'reason', 'cancelled')) from known where n = 1)
  ))
);
-- The handler of the other one has begun before, and fails.
select messenger_settle_deliveries(
  'events', adopted => pg_temp.delivery(2), settlements => jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'retries', (
      select jsonb_build_array(jsonb_build_object('id', id, 'delay_ms', 0, 'retry_count', 1, 'errors', '[]'::jsonb))
      from known where n = 2
    )
  ))
);
select messenger_fold_batches(array[(select id from made)]);
select is(messenger_follow_batch((select id from made)) ->> 'status', 'cancelled', 'until its members have come');
select is(
  array(select type from messenger_failed_messages where reason = 'cancelled' order by type), '{A,A,B,C}',
  'all of them are dead letters'
);
select is((select count(*)::integer from messenger.cancelled_deliveries), 0, 'no mark is left');
select * from finish();
rollback;
