begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
create temporary table made as select test.batch('A', 'B', 'C') as id;

select test.claimed(1);
select test.handle(1, 'A');
select messenger_fold_batches(array[(select id from made)]);
select is(test.told(), '{}', 'nothing is due before its time');
select test.bury(1, 'B');
select messenger_fold_batches(array[(select id from made)]);
select is(test.told(), '{Failed}', 'the first dead letter');
select test.bury(1, 'C');
select is(messenger_fold_batches(array[(select id from made)]), '{"folded":1}', 'a fold');
select is(messenger_fold_batches(array[(select id from made)]), '{"folded":0}', 'finds nothing the second time');
select is(test.told(), '{Failed,Finished}', 'nothing is left; a further dead letter is not told');
select messenger_redrive("all" => true);
select test.claimed(2);
select test.handle(2, 'B', 'C');
select messenger_fold_batches(array[(select id from made)]);
select is(test.told(), '{Failed,Finished,Succeeded}', 'after a redrive all are handled, and the end is not told twice');
select is(
  (select stamps -> 'ofBatch' from messenger_messages where type = 'Finished'),
  jsonb_build_object('id', (select id::text from made), 'name', 'test', 'event', 'finished', 'total', 3, 'handled', 1, 'failed', 2),
  'a message of an event has the counts'
);
select is_empty('select from messenger.batch_deltas', 'and no delta is left');

select * from finish();
rollback;
