-- Back-pressure by bytes: SQL is refused at the bound, the functions' calls at 80 % of it.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_set_outbox(max_bytes => 1048576);
select lives_ok($$select messenger_dispatch('ImportRow')$$, 'an empty outbox takes a message');
select messenger.sample_outbox();
update messenger.outbox_state set unsent_bytes = 900000 where true;
select lives_ok($$select messenger_dispatch('ImportRow')$$, 'SQL may go up to the bound');
select set_config('request.path', '/rpc/messenger_enqueue_body', true);
select throws_like(
  $$select messenger_enqueue_body('[{"type":"ImportRow"}]')$$, 'outbox: holds some % bytes that wait for their transports, of at most 1048576',
  'a function''s call may not'
);
select lives_ok($$select messenger_enqueue_body('[{"type":"Mail"}]')$$, 'messages of home are taken');
select set_config('request.path', '', true);
update messenger.outbox_state set unsent_bytes = 1048576 where true;
select throws_ok($$select messenger_dispatch('ImportRow')$$, 'PT503', null, 'at the bound SQL is refused too');
select messenger.sample_outbox();
select lives_ok($$select messenger_dispatch('ImportRow')$$, 'a new measurement of what really waits lets it in again');
select * from finish();
rollback;
