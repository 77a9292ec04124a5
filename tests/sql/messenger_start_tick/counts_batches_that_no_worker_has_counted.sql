-- A worker was killed before its fold, or members were deleted in SQL, and no other message is there.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select is(messenger_start_tick() -> 'proceed', 'false', 'nothing is to do');
select test.batch('A');
delete from messenger_messages;
select is(messenger_start_tick() -> 'proceed', 'true', 'the batch is to be counted');
update messenger_batches set cancel_chunk = 1;
delete from messenger.batch_deltas;
select is(messenger_start_tick() -> 'proceed', 'true', 'or its members are to be cancelled');
select * from finish();
rollback;
