-- Members that are deleted in SQL never come to a worker, and their batch would stay open.
begin;
select plan(8);
select test.batch('A', 'B', 'C', 'D');
select test.claim(test.token(1), 2);
select test.handle(1, 'A');
delete from messenger_messages where type in ('C', 'D');
create function state() returns jsonb language sql as
  'select messenger_follow_batch(id) from messenger_batches';
select is(state() ->> 'failed', '2', 'they count like members that were cancelled');
select is(state() ->> 'pending', '1', 'one runs');

delete from messenger_messages where type = 'B';
select test.handle(1, 'B');
select is(state() ->> 'pending', '0', 'one that ran is counted once, whatever its worker says');
select test.claim(test.token(2), max_messages => 0);
select is(test.told(), '{Failed,Finished}', 'the batch ends');
select is(state() ->> 'status', 'failed', 'as failed');

-- Settle calls and operators delete messages too, and count them themselves.
select test.batch('E', 'F', 'G');
select test.claim(test.token(3), queues => '{default}');
select test.handle(3, 'E');
select test.bury(3, 'F');
select messenger_cancel(type => 'G');
select test.bury(3, 'G');
select messenger_fold_batches(array(select id from messenger_batches));
select results_eq(
  'select handled, failed from messenger_batches order by id desc limit 1', $$values (1::bigint, 2::bigint)$$,
  'what ends in other ways is counted once'
);
select lives_ok($$delete from messenger_messages where type = 'Finished'$$, 'messages of no batch are deleted as before');
select is_empty('select * from messenger.batch_deltas', 'and counted nowhere');
select * from finish();
rollback;
