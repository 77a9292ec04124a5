-- A message whose time to live is over is not published.
begin;
select plan(3);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow', '1', ttl => '1 minute', group_key => 'g');
select messenger_dispatch('ImportRow', '2', group_key => 'g');
update messenger.outbox set expires_at = clock_timestamp() - interval '1 second' where expires_at is not null;
select is(
  jsonb_path_query_array(messenger_claim_outbox('events', test.token(1)), '$.messages[*].payload'), '[2]', 'the others are given'
);
select results_eq(
  'select payload, reason, stamps ->> ''transport'' from messenger_failed_messages',
  $$values ('1'::jsonb, 'expired', 'events')$$, 'it is a dead letter that names its transport'
);
select is((select count(*)::int from messenger_messages), 0, 'and never a message of home');
select * from finish();
rollback;
