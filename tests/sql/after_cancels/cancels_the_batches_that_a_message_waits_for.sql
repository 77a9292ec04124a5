begin;
select plan(4);
select messenger_enqueue('[{"type":"Parent","stamps":{"durable":{"version":null}}}]');
select messenger_write_batch(
  jsonb_build_object('name', 'children', 'parent_id', test.id_of('Parent'), 'on_finished', '{"type":"Finished"}'::jsonb),
  '[{"type":"A"},{"type":"B"}]'
);
select messenger_cancel(ids => array[test.id_of('Parent')]);
select is((select count(*) from messenger_messages where type in ('A', 'B')), 2::bigint, 'the cancel itself is short');
select test.claim(test.token(1), max_messages => 0);
select is((select count(*) from messenger_messages where type in ('A', 'B')), 0::bigint, 'the next sweep cancels the children');
select is((select count(*) from messenger_failed_messages where reason = 'cancelled'), 3::bigint, 'as dead letters');
select is(test.told(), '{Finished}', 'and the batch ends');
select * from finish();
rollback;
