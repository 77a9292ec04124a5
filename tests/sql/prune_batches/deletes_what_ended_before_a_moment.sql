begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select messenger_dispatch_batch('[]', 'ended');
select messenger_dispatch_batch('[{"type":"A"}]', 'runs');
select messenger_write_batch('{"name":"open","idempotency_key":"o"}', '[{"type":"B"}]', 1, false);
select messenger_write_batch('{"name":"given up","idempotency_key":"g"}', '[]', 1, false);
select test.set_clock('2026-02-01 11:00Z');
select messenger_dispatch_batch('[]', 'late');

select is(messenger_prune(dry_run => true) ->> 'batches', '2', 'a dry run counts');
select is((select count(*) from messenger_batches), 5::bigint, 'and deletes none');
select is(messenger_prune() ->> 'batches', '2', 'a prune deletes');
select is(
  array(select name from messenger_batches order by name), '{late,open,runs}',
  'what ended long ago, or was never sealed and has no members'
);
select is_empty(
  'select from messenger.batch_chunks c where not exists (select from messenger_batches b where b.id = c.batch_id)',
  'with its chunks'
);
select * from finish();
rollback;
