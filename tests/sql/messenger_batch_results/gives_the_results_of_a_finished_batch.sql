begin;
select plan(5);
select messenger_write_batch('{"name":"n","keeps_results":true}', '[{"type":"A"},{"type":"B"},{"type":"C"}]');
create temporary table made as select id from messenger_batches;
select is(
  messenger_batch_results((select id from made)), '{"known":true,"finished":false}', 'one that is not finished has none'
);
select test.claimed(1);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('A', 'C'), 'kept', jsonb_build_array(jsonb_build_object(
    'id', test.id_of('A'), 'keep_ms', 60000, 'result', '{"n":1}'::jsonb
  )),
  'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('B'), 'reason', 'exhausted'))
)));
select messenger_fold_batches(array[(select id from made)]);
select is(
  (
    select jsonb_agg(r - 'id' order by nth)
    from jsonb_array_elements(messenger_batch_results((select id from made)) -> 'results') with ordinality as e (r, nth)
  ),
  '[
    {"status":"handled","result":{"n":1},"reason":null,"error":null},
    {"status":"failed","result":null,"reason":"exhausted","error":null},
    {"status":"missing","result":null,"reason":null,"error":null}
  ]', 'in the order of the members'
);
select is(
  messenger_follow((select id from messenger_handled_messages)) -> 'result', '{"n":1}', 'a follower gets the result'
);
update messenger.batch_chunks set ids = ids || array[-1::bigint] where true;
update messenger_handled_messages set result = to_jsonb(repeat('x', 500000)) where true;
insert into messenger_handled_messages (id, type, queue, attempts, created_at, handled_at, keep_until, result)
select i, 'C', 'default', 1, now(), now(), now(), to_jsonb(repeat('y', 500000))
from messenger.batch_chunks c, unnest(c.ids) as i
where not exists (select from messenger_handled_messages h where h.id = i);
select throws_ok(
  format('select messenger_batch_results(%s)', (select id from made)), 'PT413',
  'results: have more than 1048576 bytes together'
);
select is(messenger_batch_results(0), '{"known":false,"finished":false}', 'an unknown batch is said to be so');
select * from finish();
rollback;
