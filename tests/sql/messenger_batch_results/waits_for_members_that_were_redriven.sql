begin;
select plan(3);
select messenger_write_batch('{"name":"n","keeps_results":true}', '[{"type":"A"},{"type":"B"}]');
create temporary table made as select id from messenger_batches;
select test.claimed(1);
select test.handle(1, 'A');
select test.bury(1, 'B');
select messenger_fold_batches(array(select id from made));
select is(
  messenger_batch_results((select id from made)) -> 'finished', 'true', 'a batch with a dead letter is finished'
);
select messenger_redrive(array(select id from messenger_failed_messages));
select is(
  messenger_batch_results((select id from made)), '{"known":true,"finished":false}',
  'once the dead letter is redriven its result is waited for'
);
select test.claimed(2);
select test.handle(2, 'B');
select is(
  messenger_batch_results((select id from made)) -> 'finished', 'true', 'and it is finished again when that has ended'
);
select * from finish();
rollback;
