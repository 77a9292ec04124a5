-- A truncate fires no trigger for its rows.
begin;
select plan(4);
select test.batch('A', 'B', 'C');
select messenger_write_batch('{"name":"n","idempotency_key":"k","on_finished":{"type":"Other"}}', '[{"type":"X"}]', 1, false);
select test.claim(test.token(1), 1);
select test.handle(1, 'A');
truncate messenger_messages;
select test.claim(test.token(2), max_messages => 0);
select is(test.told(), '{Failed,Finished}', 'the batch ends');
select results_eq(
  'select total, handled, failed, finished_at is null from messenger_batches order by id',
  $$values (3::bigint, 1::bigint, 2::bigint, false), (1, 0, 1, true)$$, 'its members are counted'
);
select messenger_write_batch('{"name":"n","idempotency_key":"k","on_finished":{"type":"Other"}}', '[{"type":"Y"}]', 2, true);
select test.claim(test.token(3));
select test.handle(3, 'Y');
select test.claim(test.token(4), max_messages => 0);
select is(test.told(), '{Failed,Finished,Other}', 'and one that was open ends with its other members');
truncate messenger_messages, messenger_batches, messenger.batch_chunks, messenger.batch_deltas;
select is_empty('select * from messenger.batch_deltas', 'where batches go with their messages, nothing remains');
select * from finish();
rollback;
