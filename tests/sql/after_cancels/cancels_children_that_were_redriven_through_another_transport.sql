begin;
select plan(3);
select messenger_declare_routing('{"events":true}', '{"A":"events"}');
select messenger_enqueue('[{"type":"Parent","stamps":{"durable":{"version":null}}}]');
select messenger_write_batch(
  jsonb_build_object('name', 'children', 'parent_id', test.id_of('Parent')), '[{"type":"A"}]'
);
select messenger.bury_outbox(
  (select jsonb_agg(jsonb_build_object('position', position, 'error', 'refused')) from messenger.outbox), 'unrecoverable'
);
select messenger_fold_batches(array(select id from messenger_batches));
select messenger_redrive(array(select id from messenger_failed_messages));
select is((select count(*) from messenger.outbox), 1::bigint, 'the child waits in the outbox again');
select messenger_cancel(ids => array[test.id_of('Parent')]);
select test.claim(test.token(2), max_messages => 0);
select is(
  (select array_agg(reason::text order by type) from messenger_failed_messages), '{cancelled,cancelled}',
  'the child that was redriven is cancelled with its parent'
);
select is_empty('select from messenger.outbox', 'and none is left');
select * from finish();
rollback;
