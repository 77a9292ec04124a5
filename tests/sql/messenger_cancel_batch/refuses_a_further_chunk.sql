begin;
select plan(2);
select messenger_write_batch('{"name":"n","idempotency_key":"k"}', '[{"type":"A"}]', 1, false);
select messenger_cancel_batch((select id from messenger_batches));
select throws_like(
  $$select messenger_write_batch('{"name":"n","idempotency_key":"k"}', '[{"type":"B"}]', 2, true)$$, 'batch: % is cancelled'
);
select is((select count(*) from messenger_messages), 0::bigint, 'and writes nothing of it');
select * from finish();
rollback;
