begin;
select plan(2);
select messenger_declare_routing('{"events":true}', '{"A":"events"}');
select messenger_write_batch('{"name":"n","keeps_results":true}', '[{"type":"A"},{"type":"B"}]');
create temporary table made as select id from messenger_batches;
select messenger.bury_outbox(
  (select jsonb_agg(jsonb_build_object('position', position, 'error', 'refused')) from messenger.outbox), 'unrecoverable'
);
select test.claimed(1);
select test.handle(1, 'B');
select messenger_fold_batches(array(select id from made));
select is(
  messenger_batch_results((select id from made)) -> 'finished', 'true', 'a batch with a dead letter is finished'
);
select messenger_redrive(array(select id from messenger_failed_messages));
select is(
  messenger_batch_results((select id from made)), '{"known":true,"finished":false}',
  'once the dead letter is redriven into the outbox its result is waited for'
);
select * from finish();
rollback;
