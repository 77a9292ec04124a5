begin;
select plan(2);
select messenger_enqueue('[{"type":"Parent","stamps":{"durable":{"version":null}}}]');
select messenger_write_batch(
  jsonb_build_object('name', 'children', 'parent_id', test.id_of('Parent')), '[{"type":"A"},{"type":"B"}]'
);
select test.claim(test.token(1));
select test.bury(1, 'A', 'B');
select messenger_fold_batches(array(select id from messenger_batches));
select messenger_redrive(array(select id from messenger_failed_messages where type = 'A'));
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'parked', jsonb_build_array(
  jsonb_build_object('id', test.id_of('Parent'), 'delay_ms', 3600000)
))));
select messenger_cancel(ids => array[test.id_of('Parent')]);
select test.claim(test.token(2), max_messages => 0);
select is(
  (select array_agg(reason::text order by type) from messenger_failed_messages), '{cancelled,exhausted,cancelled}',
  'the child that was redriven is cancelled with its parent'
);
select is_empty('select from messenger_messages', 'and none is left');
select * from finish();
rollback;
