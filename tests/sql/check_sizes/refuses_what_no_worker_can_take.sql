-- On every way in, with the field's name; and nothing of the call is written.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

create temp table large as
select jsonb_build_object('text', repeat('x', 9000000)) as value,
  jsonb_build_object('text', repeat('x', 8000000)) as allowed;

select throws_like(
  $$select messenger_dispatch('A', (select value from large))$$,
  'payload: has 90000__ bytes; has to have at most 8388608', 'one message in SQL'
);
select throws_ok(
  $$select messenger_dispatch('A', (select value from large))$$, 'PT413', null, 'as too large'
);
select throws_like(
  $$select messenger_enqueue(jsonb_build_array(
    '{"type":"A"}'::jsonb, jsonb_build_object('type', 'A', 'payload', (select value from large))
  ))$$,
  'payload: has %', 'one of several'
);
select throws_like(
  $$select messenger_enqueue(jsonb_build_array(jsonb_build_object(
    'type', 'A', 'idempotency_key', 'k', 'payload', (select value from large)
  )))$$,
  'payload: has %', 'with a key'
);
select throws_like(
  $$select messenger_enqueue(jsonb_build_array(jsonb_build_object(
    'type', 'A', 'stamps', (select value from large)
  )))$$,
  'stamps: has %', 'stamps'
);
create temp table stored as
select jsonb_build_array(jsonb_build_object('type', 'A', 'payload', value)) as messages from large;
select throws_ok(
  $$select messenger_enqueue((select messages from stored))$$, 'PT413', null,
  'messages that were stored, and so are compressed'
);
select throws_like(
  $$insert into messenger_messages (type, payload) select 'A', jsonb_build_object('text', repeat('x', 9000000))$$,
  '%violates check constraint "payload: has to have at most 8388608 bytes"', 'an insert of its own'
);
select is((select count(*) from messenger_messages), 0::bigint, 'nothing is written');
select lives_ok(
  $$select messenger_dispatch('A', (select allowed from large))$$, 'what is just small enough is taken'
);

select * from finish();
rollback;
