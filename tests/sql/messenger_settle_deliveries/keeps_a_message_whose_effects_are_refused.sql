-- Effects that are refused leave their delivery adopted: it is settled as a message of home then.
begin;
select plan(3);
create temp table answer as select messenger_settle_deliveries('events', adopted => jsonb_build_array(jsonb_build_object(
  'id', 7, 'origin', messenger.installation_id(), 'source_id', 7, 'publication', 1, 'token', test.token(1),
  'type', 'Report', 'payload', 1, 'queue', 'default', 'priority', 0, 'created_at', now(), 'retry_count', 0,
  'attempts', 1, 'snoozes', 0, 'interruptions', 0
)), settlements => jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', '["7"]'::jsonb,
  'effects', '[{"id":"7","messages":[{"id":"700","type":"Child","delay_ms":60000,"ttl_ms":1000}],"emits":[]}]'::jsonb
))) as a;
select is((select a #>> '{refused,0,code}' from answer), 'PT400', 'the refusal is told');
select is((select status from messenger_messages where id = 7), 'processing', 'the message runs on at home');
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', '["7"]'::jsonb))),
  '{"stale": []}', 'and is settled there'
);
select * from finish();
rollback;
