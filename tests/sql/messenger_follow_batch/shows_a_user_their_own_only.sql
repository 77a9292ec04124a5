begin;
select plan(4);
select messenger_write_batch('{"name":"n","user_id":"ann"}', '[{"type":"A"}]');
create temporary table made as select id from messenger_batches;
select is(
  messenger_follow_batch((select id from made), 'ann') - '{createdAt,sealedAt}'::text[],
  jsonb_build_object(
    'kind', 'batch', 'id', (select id::text from made), 'name', 'n', 'status', 'running', 'types', '["A"]'::jsonb,
    'total', 1, 'handled', 0, 'failed', 0, 'pending', 1, 'failedAt', null, 'finishedAt', null, 'succeededAt', null,
    'cancelledAt', null
  ), 'its user'
);
select isnt(messenger_follow_batch((select id from made)), null, 'and an operator see it');
select is(messenger_follow_batch((select id from made), 'bob'), null, 'another user does not');
select is(messenger_follow_batch(0), null, 'an unknown id is null');
select * from finish();
rollback;
