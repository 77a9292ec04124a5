-- The bus sends the fields that all messages have in common once.
begin;
select plan(14);

create function pg_temp.enqueue(body jsonb) returns jsonb language sql as $$
  select messenger_enqueue_body(body)
$$;

create temp table alike as
select pg_temp.enqueue('{
  "type": "A", "queue": "mail", "priority": 5, "delay_ms": 60000, "ttl_ms": 120000, "stamps": {"trace": "t"},
  "payloads": [{"n": 1}, null, "text", [3]]
}') as answer;
select results_eq(
  'select type, payload, queue collate "default", priority::integer, stamps from messenger_messages order by id',
  $$values
    ('A', '{"n": 1}'::jsonb, 'mail', 5, '{"trace": "t"}'::jsonb),
    ('A', 'null', 'mail', 5, '{"trace": "t"}'), ('A', '"text"', 'mail', 5, '{"trace": "t"}'),
    ('A', '[3]', 'mail', 5, '{"trace": "t"}')$$,
  'each payload is a message with the fields that they have in common, in the order of the array'
);
select results_eq(
  'select distinct available_at - created_at, expires_at - created_at from messenger_messages',
  $$values (interval '1 minute', interval '2 minutes')$$, 'the times count from the dispatch'
);
select is(
  (select answer from alike),
  (
    select jsonb_build_object('ids', jsonb_build_object('first', min(id)::text, 'number', 4)) from messenger_messages
  ),
  'ids in a row are returned as the first and their number'
);

delete from messenger_messages where true;
create temp table defaults as select pg_temp.enqueue('{"type": "B", "stamps": null, "payloads": [{}]}') as answer;
select results_eq(
  'select type, payload, queue collate "default", priority::integer, available_at = created_at, expires_at, stamps from messenger_messages',
  $$values ('B', '{}'::jsonb, 'default', 0, true, null::timestamptz, null::jsonb)$$,
  'fields that are not given have their defaults'
);
select is(pg_temp.enqueue('{"type": "C", "payloads": []}'), '{"ids": []}', 'no payload, no message');

alter sequence messenger_messages_id_seq increment by 2;
create temp table apart as select pg_temp.enqueue('{"type": "D", "payloads": [1, 2]}') as answer;
alter sequence messenger_messages_id_seq increment by 1;
select is(
  (select answer from apart),
  (select jsonb_build_object('ids', jsonb_agg(id::text order by id)) from messenger_messages where type = 'D'),
  'ids that are not in a row are returned each'
);

delete from messenger_messages where true;
create temp table keyed as
select pg_temp.enqueue('{"type": "E", "group_key": "g", "payloads": [1, 2]}') as answer;
select results_eq(
  'select payload, group_key collate "default", blocked from messenger_messages order by id',
  $$values ('1'::jsonb, 'g', false), ('2', 'g', true)$$, 'a key that they have in common holds for each'
);
select is(
  (select jsonb_array_length(answer -> 'ids') from keyed), 2, 'messages with keys return each id'
);

select throws_ok(
  $$select pg_temp.enqueue('{"type": "F", "payloads": {"n": 1}}')$$, 'PT400', 'payloads: has to be an array',
  'payloads that are no array'
);
select throws_ok(
  $$select pg_temp.enqueue('{"type": "F", "delay_ms": 2000, "ttl_ms": 1000, "payloads": [1]}')$$, 'PT400',
  'ttl: ends before the message is due; it has to be longer than the delay, or end after available_at',
  'a time to live that ends before the message is due'
);
select throws_like(
  $$select pg_temp.enqueue(jsonb_build_object('type', 'F', 'payloads', jsonb_build_array(1, repeat('x', 9000000))))$$,
  'payload: has 900____ bytes; has to have at most 8388608', 'a payload that is too large'
);
select throws_like(
  $$select pg_temp.enqueue(jsonb_build_object(
    'type', 'F', 'stamps', jsonb_build_object('s', repeat('x', 1100000)), 'payloads', '[1]'::jsonb))$$,
  'stamps: has 1100___ bytes; has to have at most 1048576', 'stamps that are too large'
);
select is(
  (select count(*) from messenger_messages where type = 'F'), 0::bigint, 'a refused call writes nothing'
);

select setval('messenger_messages_id_seq', 1);
create temp table behind as select pg_temp.enqueue('{"type": "G", "payloads": [1]}') as answer;
select cmp_ok(
  (select id from messenger_messages where type = 'G'), '>', (select max(id) from messenger_messages where type = 'E'),
  'a sequence that is behind is mended first'
);

select * from finish();
rollback;
