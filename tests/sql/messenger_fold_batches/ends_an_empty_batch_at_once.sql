begin;
select plan(2);
select test.batch();
select is(test.told(), '{Finished,Succeeded}', 'finished and succeeded');
select is((select status from messenger_batches b, messenger.batch_state(b) s, lateral (select s ->> 'status') as t (status)), 'handled', 'and its status says so');
select * from finish();
rollback;
