-- Back-pressure by bytes: SQL is refused at the bound, the functions' calls at 80 % of it.
begin;
select plan(8);
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
select set_config('request.path', '/rpc/messenger_write_batch', true);
select throws_like(
  $$select messenger_write_batch('{"name": "b", "idempotency_key": "k"}', '[{"type":"ImportRow"}]', 1, true, true)$$,
  'outbox: holds some % bytes that wait for their transports, of at most 1048576', 'nor may one that writes a batch'
);
select set_config('request.path', '', true);
update messenger.outbox_state set unsent_bytes = 1048576 where true;
select throws_ok($$select messenger_dispatch('ImportRow')$$, 'PT503', null, 'at the bound SQL is refused too');
select messenger.sample_outbox();
select lives_ok($$select messenger_dispatch('ImportRow')$$, 'a new measurement of what really waits lets it in again');
-- The table has grown by what was sent since the measurement.
update messenger.outbox_state set unsent_bytes = 0, table_bytes = 0 where true;
insert into messenger.outbox (id, transport, shard, type, payload, available_at, created_at, bytes, sent_at)
select n, 'events', 0, 'ImportRow', to_jsonb(repeat(md5(n::text), 20)), now(), now(), 650, now() from generate_series(100001, 103000) as n;
select lives_ok($$select messenger_dispatch('ImportRow')$$, 'what was sent does not count as waiting');
select * from finish();
rollback;
