-- A worker is killed after its settle call and before its fold.
begin;
select plan(4);
select test.batch('A');
select test.claimed(1);
select test.handle(1, 'A');
select is(test.told(), '{}', 'the counts wait for a fold');
select is(messenger_follow_batch((select id from messenger_batches)) ->> 'handled', '1', 'which following does not need');
select test.claim(test.token(2), max_messages => 0);
select is(test.told(), '{Finished,Succeeded}', 'the next sweep folds');
select test.claim(test.token(3), max_messages => 0);
select is(test.told(), '{Finished,Succeeded}', 'once');
select * from finish();
rollback;
