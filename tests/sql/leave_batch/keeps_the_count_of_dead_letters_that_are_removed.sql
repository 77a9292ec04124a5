-- A dead letter is counted when it dies. Its end as a dead letter changes no count.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select test.batch('A', 'B', 'C', 'D');
select test.claim(test.token(1));
select test.bury(1, 'A'), test.bury(1, 'B'), test.bury(1, 'C');
select messenger_fold_batches(array(select id from messenger_batches));
select messenger_remove_failed(type => 'A');
delete from messenger_failed_messages where type = 'B';
select test.set_clock('2026-03-01 12:00Z');
select messenger_prune();
select is_empty($$select * from messenger_failed_messages$$, 'all are gone');
select results_eq(
  'select handled, failed, finished_at is null from messenger_batches', $$values (0::bigint, 3::bigint, true)$$,
  'they are counted, and the batch is still open'
);
select test.handle(1, 'D');
select messenger_fold_batches(array(select id from messenger_batches));
select is(test.told(), '{Failed,Finished}', 'its last member ends it');
select * from finish();
rollback;
