begin;
select plan(3);

select messenger_dispatch('A', idempotency_key => 'a');
select messenger_dispatch('B', dedupe_key => 'b');
select is(
  messenger_write_batch('{"name":"n"}', '[
    {"type":"A","payload":{},"idempotency_key":"a"}, {"type":"B","dedupe_key":"b"}, {"type":"C","group_key":"g"}
  ]') ->> 'total',
  '1', 'only what the call has written is a member'
);
select test.claimed(1);
select test.handle(1, 'C');
select messenger_fold_batches(array(select id from messenger_batches));
select isnt((select succeeded_at from messenger_batches), null, 'and the batch succeeds with it');
select is((select count(*) from messenger_messages), 2::bigint, 'whatever becomes of the others');

select * from finish();
rollback;
