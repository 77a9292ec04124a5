begin;
select plan(9);
select test.batch('A', 'B', 'C');
create temporary table made as select id from messenger_batches;
select test.dispatch('Other');
select test.claim(test.token(1), 1);

select is(
  messenger_cancel_batch((select id from made), dry_run => true) - 'left',
  '{"matched":3,"done":0,"running":0,"missing":[],"next":null}', 'a dry run counts'
);
select is(
  messenger_cancel_batch((select id from made)) - 'left',
  '{"matched":3,"done":2,"running":1,"missing":[],"next":null}', 'two waited, one runs'
);
select is(
  array(select type from messenger_failed_messages where reason = 'cancelled' order by type), '{B,C}',
  'those that waited are dead letters'
);
select is((select cancelled from messenger_messages where type = 'A'), true, 'the one that runs is to be stopped');
select is(messenger_follow_batch((select id from made)) ->> 'status', 'cancelling', 'the batch is on its way');
select test.handle(1, 'A');
select messenger_fold_batches(array[(select id from made)]);
select is(messenger_follow_batch((select id from made)) ->> 'status', 'cancelled', 'until no member is left');
select is(test.told(), '{Finished}', 'whose end is told; the dead letters of a cancel are not');
select is((select count(*) from messenger_messages where type = 'Other'), 1::bigint, 'other messages stay');
select throws_like('select messenger_cancel_batch(0)', 'id: no batch 0');
select * from finish();
rollback;
