begin;
select plan(6);
select messenger_declare_routing('{"events": true, "eu": false}', '{"ImportRow": "events", "Audit": "eu"}');
select messenger_dispatch('ImportRow', to_jsonb(n)) from generate_series(1, 3) as n;
select messenger_dispatch('Audit', delay => '1 hour');
update messenger.outbox set sent_at = now() where payload = '1';
select is(
  jsonb_path_query_array(messenger_list_outbox(), '$.messages[*].type'), '["ImportRow", "ImportRow", "Audit"]', 'what waits, in order'
);
select is(jsonb_path_query_array(messenger_list_outbox(transport => 'eu'), '$.messages[*].due'), '[false]', 'of one transport');
select is(jsonb_array_length(messenger_list_outbox(state => 'sent') -> 'messages'), 1, 'what was sent');
create temp table page as select messenger_list_outbox(max_messages => 2) as p;
select is(
  jsonb_path_query_array(messenger_list_outbox(after => (select (p ->> 'next')::bigint from page), max_messages => 2), '$.messages[*].type'),
  '["Audit"]', 'page by page'
);
select throws_ok($$select messenger_list_outbox(state => 'x')$$, 'PT400', 'state: has to be waiting or sent', 'the state is checked');
select throws_ok($$select messenger_list_outbox(max_messages => 0)$$, 'PT400', 'max_messages: has to be from 1 to 1000', 'so is the number');
select * from finish();
rollback;
