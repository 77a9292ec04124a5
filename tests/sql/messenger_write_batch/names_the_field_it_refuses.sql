-- Fields that the bus gives are read by casts, which would fail without the name of the field.
begin;
select plan(16);
create function pg_temp.written(batch jsonb, messages jsonb default '[]', limits jsonb default null) returns jsonb
language sql
as $$ select messenger_write_batch('{"name": "b"}'::jsonb || batch, messages, limits => limits) $$;

select throws_ok($$select pg_temp.written('{"live": "x"}')$$, 'PT400', 'live: has to be true or false');
select throws_ok($$select pg_temp.written('{"live": 1}')$$, 'PT400', 'live: has to be true or false');
select throws_ok($$select pg_temp.written('{"keeps_results": "maybe"}')$$, 'PT400', 'keeps_results: has to be true or false');
select throws_ok($$select pg_temp.written('{"parent_id": "x"}')$$, 'PT400', 'parent_id: has to be the id of a message');
select throws_ok($$select pg_temp.written('{"parent_id": [1]}')$$, 'PT400', 'parent_id: has to be the id of a message');
select throws_ok($$select pg_temp.written('{"call": "x"}')$$, 'PT400', 'call: has to be a UUID');
select throws_ok($$select pg_temp.written('{"user_id": {}}')$$, 'PT400', 'user_id: has to be 1 to 255 characters');
select throws_ok($$select pg_temp.written('{"user_id": ""}')$$, 'PT400', 'user_id: has to be 1 to 255 characters');
select throws_ok($$select pg_temp.written('{}', limits => '5')$$, 'PT400', 'limits: has to be an array of objects');
select throws_ok(
  $$select pg_temp.written('{}', limits => '[{"type": "T", "caller": "total", "count": "x", "max": 1, "per_ms": 1}]')$$,
  'PT400', 'limits: each has to have type, caller, count, max and per_ms, with numbers from 1'
);
select throws_ok(
  $$select pg_temp.written('{}', '[{"type": 4}]')$$, 'PT400', 'messages.0.type: has to be text (was a JSON number)'
);
select throws_ok(
  $$select messenger_enqueue('[{"type": "T"}, {"type": "T", "available_at": 20300101}]')$$, 'PT400',
  'messages.1.available_at: has to be text (was a JSON number)'
);
select throws_ok(
  $$select messenger_write_batch('{"name": "b"}', '[{"type": null}]', checked => true)$$, 'PT400',
  'messages.0.type: is required', 'messages that a caller calls checked'
);
select throws_ok(
  $$select messenger_enqueue_body('[{"type": "T"}, 5]')$$, 'PT400', 'messages.1: has to be an object (was a JSON number)'
);
select lives_ok(
  $$select pg_temp.written('{"live": true, "keeps_results": false, "parent_id": "7", "user_id": "u",
    "call": "00000000-0000-0000-0000-00000000000A"}', limits => '[]')$$, 'right ones'
);
select lives_ok(
  $$select messenger_enqueue('[{"type": "T", "group_key": 7, "idempotency_key": 42}]')$$, 'a key may be the number of a row'
);
select * from finish();
rollback;
