-- A message of another transport is a row of the outbox, with an id like any other, and none of messenger_messages.
begin;
select plan(8);
select messenger_declare_routing('{"events": true}', '{"Import*": "events"}');
create temp table answer as select messenger_enqueue(
  '[{"type":"ImportRow","payload":{"n":1},"queue":"imports","priority":3,"delay_ms":60000,"ttl_ms":3600000,"stamps":{"a":1}},
    {"type":"Mail"},{"type":"ImportRow","payload":null}]'
) -> 'ids' as ids;
select results_eq(
  'select id::text, type, payload, queue, priority::int, publication, transport, retry_count, stamps, sent_at from messenger.outbox order by position',
  $$select ids ->> 0, 'ImportRow', '{"n":1}'::jsonb, 'imports', 3, 1, 'events', 0, '{"a":1}'::jsonb, null::timestamptz from answer
    union all select ids ->> 2, 'ImportRow', 'null', 'default', 0, 1, 'events', 0, null, null from answer$$,
  'the outbox has what the dispatch gave'
);
select is((select string_agg(type, ',') from messenger_messages), 'Mail', 'home has the other message');
select is(
  (select array_agg(available_at - created_at >= interval '60 seconds' order by position) from messenger.outbox),
  array[true, false], 'a delay waits in the outbox'
);
select is((select expires_at - created_at from messenger.outbox order by position limit 1), interval '1 hour', 'so does a time to live');
select is((select count(*)::int from messenger.relays where transport = 'events'), 4, 'the transport has its shards');

select messenger_dispatch('ImportRow', '{"n":2}', idempotency_key => 'once');
select is(
  messenger_dispatch('ImportRow', '{"n":2}', idempotency_key => 'once'),
  (select max(id) from messenger.outbox), 'a repeated idempotency key returns the first message'
);
select throws_ok(
  $$select messenger_dispatch('ImportRow', '{"n":3}', idempotency_key => 'once')$$, 'PT409', null, 'and refuses another content'
);
select throws_ok(
  $$select messenger_dispatch('ImportRow', delay => '1 hour', ttl => '1 minute')$$, 'PT400',
  'ttl: ends before the message is due; it has to be longer than the delay, or end after available_at',
  'a time to live that ends before the message is due is refused'
);
select * from finish();
rollback;
