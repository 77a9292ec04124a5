-- A relay gets the due rows of one shard in order, and no other relay gets them while it has the shard.
begin;
select plan(12);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select is(
  messenger_claim_outbox('events', test.token(9)), '{"messages": [], "next_due_ms": null}', 'an empty outbox has no next time'
);
select messenger_dispatch('ImportRow', to_jsonb(n), group_key => 'g') from generate_series(1, 5) as n;
select messenger_dispatch('ImportRow', '9', group_key => 'g', delay => '1 hour');
create temp table claim as select messenger_claim_outbox('events', test.token(1), max_messages => 3) as c;
select is((select jsonb_path_query_array(c, '$.messages[*].payload') from claim), '[1, 2, 3]', 'the first ones, in the order of their dispatch');
select is((select c -> 'origin' from claim), to_jsonb(messenger.installation_id()), 'with the installation that their ids belong to');
select is(
  messenger_claim_outbox('events', test.token(2)) -> 'messages', '[]'::jsonb, 'no other relay gets the shard meanwhile'
);
update messenger.relays set leased_until = clock_timestamp() + interval '1 second' where token = test.token(1);
select is(
  messenger_claim_outbox('events', test.token(1)), (select c from claim),
  'a relay whose answer was lost asks again under its token, and gets the same batch'
);
select ok(
  (select leased_until > clock_timestamp() + interval '29 seconds' from messenger.relays where token = test.token(1)),
  'with a whole lease'
);
select messenger_finish_outbox('events', (c ->> 'shard')::int, test.token(1),
  array(select (m ->> 'position')::bigint from jsonb_array_elements(c -> 'messages') as m)) from claim;
select is(
  jsonb_path_query_array(messenger_claim_outbox('events', test.token(2)), '$.messages[*].payload'), '[4, 5]',
  'then the next ones; not what is delayed'
);
select ok(
  (messenger_claim_outbox('events', test.token(3)) ->> 'next_due_ms')::bigint between 1 and 30000,
  'who finds nothing is told when the lease of the other ends'
);
select is(
  messenger_claim_outbox('events', test.token(1)) -> 'shard', null, 'a token whose lease has ended holds nothing'
);
select messenger_dispatch('ImportRow', to_jsonb(repeat('x', 1000)), group_key => 'large') from generate_series(1, 9);
update messenger.relays set leased_until = null, token = null where true;
delete from messenger.outbox where type = 'ImportRow' and (group_key = 'g');
select is(
  jsonb_array_length(messenger_claim_outbox('events', test.token(4), max_bytes => 3100) -> 'messages'), 3,
  'a batch has no more bytes than the relay asks for'
);
update messenger.relays set leased_until = null, token = null where true;
select is(
  jsonb_array_length(messenger_claim_outbox('events', test.token(5), max_bytes => 1) -> 'messages'), 1, 'but one message in any case'
);
select throws_ok(
  $$select messenger_claim_outbox('events', test.token(1), max_messages => 501)$$, 'PT400',
  'max_messages: has to be from 1 to 500', 'a batch has a bound'
);
select * from finish();
rollback;
