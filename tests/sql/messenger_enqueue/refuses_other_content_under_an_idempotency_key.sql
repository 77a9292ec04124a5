-- A second message under the key would be lost; so would the error that a caller has made.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

create temp table first as select messenger_dispatch(
  'A', '{"a":1,"b":[{"c":2.50}]}', delay => interval '5 minutes', idempotency_key => 'order-1'
) as id;
prepare other(jsonb) as select messenger_enqueue($1);

select is(
  messenger_dispatch(
    'A', '{"b":[{"c":2.5}],"a":1.0}', delay => interval '300 seconds',
    idempotency_key => 'order-1'
  ),
  (select id from first), 'equal JSON is the same content, whatever its order and zeros'
);
select throws_ok(
  $$select messenger_dispatch(
    'A', '{"a":2}', delay => interval '5 minutes', idempotency_key => 'order-1'
  )$$,
  'PT409', null, 'another payload is refused'
);
select throws_like(
  $$select messenger_dispatch('A', '{"a":2}', idempotency_key => 'order-1')$$,
  'idempotency_key: %', 'with the name of the argument'
);
select throws_ok(
  $$select messenger_dispatch('A', '{"a":1,"b":[{"c":2.5}]}', idempotency_key => 'order-1')$$,
  'PT409', null, 'another delay is'
);
select throws_ok(
  $$select messenger_dispatch(
    'A', '{"a":1,"b":[{"c":2.5}]}', queue => 'q', delay => interval '5 minutes',
    idempotency_key => 'order-1'
  )$$,
  'PT409', null, 'another queue is'
);
select throws_ok(
  $$execute other('[{"type":"A","payload":{},"idempotency_key":"order-1"}]')$$,
  'PT409', null, 'also in an array'
);
select throws_ok(
  $$execute other('[
    {"type":"A","payload":1,"idempotency_key":"new"}, {"type":"A","payload":2,"idempotency_key":"new"}
  ]')$$,
  'PT409', null, 'and within one array'
);
select throws_ok(
  $$execute other('[
    {"type":"A","idempotency_key":"new"}, {"type":"A","payload":null,"idempotency_key":"new"}
  ]')$$,
  'PT409', null, 'null is not the same as nothing'
);
select isnt(
  messenger_dispatch('B', '{"a":2}', idempotency_key => 'order-1'), (select id from first),
  'the key of another type is another key'
);
select is((select count(*) from messenger_messages), 2::bigint, 'what was refused left no row');

update messenger.idempotency_keys set content_hash = null where type = 'A';
select is(
  messenger_dispatch('A', '{"a":2}', idempotency_key => 'order-1'), (select id from first),
  'a key of which the content is not known stands for any'
);
select test.set_clock('2026-01-02 12:00Z');
select isnt(
  messenger_dispatch('A', '{"a":3}', idempotency_key => 'order-1'), (select id from first),
  'a key that has expired is free for other content'
);

select * from finish();
rollback;
