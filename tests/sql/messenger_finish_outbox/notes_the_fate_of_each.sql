-- Confirmed rows stay for a while as sent, refused ones wait, too large ones are dead, the rest comes again.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select setval('messenger_messages_id_seq', 1000, false);
select messenger.write_outbox(jsonb_build_array(jsonb_build_object(
  'type', 'ImportRow', 'payload', n, 'transport', 'events', 'id', 4 * n
)), true) from generate_series(1, 4) as n;
create temp table claim as select messenger_claim_outbox('events', test.token(1)) as c;
create temp table place as
  select (m ->> 'payload')::int as n, (m ->> 'position')::bigint as position from claim, jsonb_array_elements(c -> 'messages') as m;
select is((select count(*)::int from place), 4, 'messages without a group share a shard by their ids');
select is(
  (select messenger_finish_outbox('events', (c ->> 'shard')::int, test.token(1),
    array(select position from place where n = 1),
    jsonb_build_array(
      jsonb_build_object('position', (select position from place where n = 2), 'error', 'no such queue'),
      jsonb_build_object('position', (select position from place where n = 3), 'error', 'has 9 bytes', 'tooLarge', true)
    )) from claim), '{"stale": false}', 'the report is taken'
);
select is((select array_agg(payload) from messenger.outbox where sent_at is not null), array['1'::jsonb], 'the confirmed one is sent');
select results_eq(
  $$select refusals, refusal, available_at > messenger.clock() from messenger.outbox where payload = '2'$$,
  $$values (1, 'no such queue', true)$$, 'the refused one waits by itself'
);
select results_eq(
  'select payload, reason, error, errors #>> ''{0,class}'' from messenger_failed_messages',
  $$values ('3'::jsonb, 'unrecoverable', 'has 9 bytes', 'TransportError')$$, 'the one that is too large is dead'
);
select is(
  jsonb_path_query_array(messenger_claim_outbox('events', test.token(2)), '$.messages[*] ? (@.repeated == true).payload'), '[4]',
  'the one of which nothing is known comes again, marked'
);
select * from finish();
rollback;
