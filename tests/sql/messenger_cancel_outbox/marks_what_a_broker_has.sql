-- Messages that a broker has cannot be taken back: a cancel marks them, and they are dead letters once a worker gets them.
begin;
select plan(16);
select messenger_declare_routing('{"events": true, "eu": false}', '{"ImportRow": "events", "Audit": "eu"}');
select messenger_dispatch('ImportRow', to_jsonb(n)) from generate_series(1, 5) as n;
select messenger_dispatch('Audit', '6');
create temp table known as select id, payload, (payload #>> '{}')::integer as n from messenger.outbox;
create function pg_temp.id(of_n integer) returns bigint language sql as 'select id from known where n = of_n';
create function pg_temp.delivery(of_n integer, is_counted boolean default false) returns jsonb language sql as $$
  select jsonb_build_object(
    'id', id, 'source_id', id, 'publication', 1, 'origin', messenger.installation_id(), 'counted', is_counted,
    'token', test.token(1), 'type', 'ImportRow', 'payload', payload, 'queue', 'default', 'priority', 0,
    'created_at', now(), 'retry_count', 0, 'attempts', 1, 'snoozes', 0, 'interruptions', 0
  ) from known where n = of_n
$$;
update messenger.outbox set sent_at = now() where payload <> '5';
select messenger_settle_deliveries('events', handled => jsonb_build_array(pg_temp.delivery(4)));

select is(
  messenger_cancel_outbox("all" => true, dry_run => true), '{"matched": 4, "done": 0, "running": 0, "missing": [], "next": null}',
  'a dry run counts what waits and what the broker has, but nothing that is handled or elsewhere'
);
select is(
  messenger_cancel_outbox(ids => array[pg_temp.id(1), pg_temp.id(4), pg_temp.id(6)]),
  jsonb_build_object(
    'matched', 1, 'done', 0, 'running', 1, 'missing', '[]'::jsonb, 'next', null,
    'elsewhere', jsonb_build_array(jsonb_build_object('id', pg_temp.id(6)::text, 'transport', 'eu'))
  ), 'an id that the broker has is marked, and one that another project has is named'
);
select is(
  messenger_cancel_outbox(type => 'ImportRow'), '{"matched": 3, "done": 1, "running": 2, "missing": [], "next": null}',
  'a filter takes the others, and those that wait at once'
);
select is(messenger_cancel_outbox(type => 'ImportRow') -> 'matched', '0', 'a second cancel meets none');
select is(
  messenger_follow(pg_temp.id(1)) ->> 'status' || ' ' || (messenger_follow(pg_temp.id(1)) ->> 'cancelling'), 'pending true',
  'a follower of one sees that it is being cancelled'
);
select is(
  messenger_look_up_deliveries('events', jsonb_build_array(pg_temp.delivery(1), pg_temp.delivery(4))),
  '{"deliveries": [
    {"handled": false, "cancelled": true, "starts": 0}, {"handled": true, "starts": 0}
  ], "cancels": true}', 'a worker that gets one is told'
);
select is(
  messenger_look_up_deliveries('events', jsonb_build_array(pg_temp.delivery(1) || '{"origin": "00000000-0000-0000-0000-000000000001"}'))
    #> '{deliveries,0,cancelled}', null, 'a message of another installation has other ids'
);
select messenger_settle_deliveries(
  'events', adopted => jsonb_build_array(pg_temp.delivery(1)),
  settlements => jsonb_build_array(jsonb_build_object('token', test.token(1), 'dead', jsonb_build_array(
    jsonb_build_object('id', pg_temp.id(1), 'reason', 'cancelled')
  )))
);
select is((select reason from messenger_failed_messages where id = pg_temp.id(1)), 'cancelled', 'it is a dead letter then');
select messenger_settle_deliveries(
  'events', adopted => jsonb_build_array(pg_temp.delivery(2)),
  settlements => jsonb_build_array(jsonb_build_object('token', test.token(1), 'retries', jsonb_build_array(
    jsonb_build_object('id', pg_temp.id(2), 'delay_ms', 0, 'retry_count', 1, 'errors', '[]'::jsonb)
  )))
);
select is((select reason from messenger_failed_messages where id = pg_temp.id(2)), 'cancelled', 'one that was running does not run again');
select is((select count(*)::integer from messenger.outbox where publication > 1), 0, 'and is not published again');
select is(
  messenger_settle_deliveries('events', handled => jsonb_build_array(pg_temp.delivery(3))),
  '{"stale": [], "cancels": true, "repeated": []}', 'one whose handler succeeds is handled, and no mark is left'
);
select is((select count(*)::integer from messenger_failed_messages where id = pg_temp.id(3)), 0, 'it is no dead letter');
select is((select count(*)::integer from messenger.cancelled_deliveries), 0, 'the marks are gone');

select messenger_dispatch('ImportRow', '7');
update messenger.outbox set sent_at = now() where payload = '7';
select is(
  messenger_cancel_message((select id from messenger.outbox where payload = '7')) ->> 'cancelling', 'true',
  'a cancel of one message marks it too'
);
update messenger.cancelled_deliveries set cancelled_at = now() - interval '31 days';
select is(messenger.prune_deliveries(100, false), 1, 'a mark is kept for 30 days');
select messenger_redrive(array[pg_temp.id(1)]);
select is(
  (select messenger.is_marked(transport, id, publication) from messenger.outbox where id = pg_temp.id(1) and publication = 2), false,
  'a dead letter that is redriven is not cancelled'
);
select * from finish();
rollback;
