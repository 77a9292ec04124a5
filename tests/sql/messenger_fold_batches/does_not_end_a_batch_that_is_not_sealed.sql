begin;
select plan(3);
select messenger_write_batch(
  '{"name":"n","idempotency_key":"k","on_finished":{"type":"Finished"},"on_failed":{"type":"Failed"}}',
  '[{"type":"A"},{"type":"B"}]', 1, false
);
select test.claimed(1);
select test.handle(1, 'A');
select test.bury(1, 'B');
select messenger_fold_batches(array(select id from messenger_batches));
select is(test.told(), '{Failed}', 'a dead letter is told at once');
select is(messenger_follow_batch((select id from messenger_batches)) ->> 'status', 'open', 'the batch is open');
select messenger_write_batch(
  '{"name":"n","idempotency_key":"k","on_finished":{"type":"Finished"},"on_failed":{"type":"Failed"}}', '[]', 2, true
);
select is(test.told(), '{Failed,Finished}', 'its seal ends it');
select * from finish();
rollback;
