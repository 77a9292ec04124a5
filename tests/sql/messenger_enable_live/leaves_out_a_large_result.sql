-- Realtime refuses large messages: the client asks for a result that is null.
begin;
select plan(2);
create schema realtime;
create table realtime.messages (n serial, payload jsonb, topic text, extension text);
create function realtime.topic() returns text language sql stable as $$ select ''::text $$;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language sql
as $$ insert into realtime.messages (payload) values (payload) $$;
select messenger_enable_live();
select messenger_enqueue('[
  {"type":"Small","stamps":{"live":true,"user":{"id":"ann"}}},
  {"type":"Large","stamps":{"live":true,"user":{"id":"ann"}}}
]');
select test.claim('00000000-0000-0000-0000-000000000001');
-- Text that does not compress.
create function pg_temp.value_of(size integer) returns jsonb
language sql
as $$
  select jsonb_build_object('text', string_agg(encode(sha256(n::text::bytea), 'hex'), ''))
  from generate_series(1, size / 64) as n
$$;
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('Small', 'Large'),
  'kept', jsonb_build_array(
    jsonb_build_object('id', test.id_of('Small'), 'keep_ms', 60000, 'result', pg_temp.value_of(64)),
    jsonb_build_object('id', test.id_of('Large'), 'keep_ms', 60000, 'result', pg_temp.value_of(20000))
  )
)));
select is(
  (select payload -> 'result' from realtime.messages where payload ->> 'status' = 'handled' and payload ->> 'type' = 'Small'),
  pg_temp.value_of(64), 'a small result is told'
);
select is(
  (select payload -> 'result' from realtime.messages where payload ->> 'status' = 'handled' and payload ->> 'type' = 'Large'),
  'null', 'a large one is null'
);
select * from finish();
rollback;
