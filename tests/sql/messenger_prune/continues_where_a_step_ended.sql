-- Each step deletes about ten thousand rows, so that a prune never takes longer than it may.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', 'default', 'exhausted', '2025-01-01', '2025-01-01'
from generate_series(1, 12000) as n;
insert into messenger.idempotency_keys (type, key, message_id, expires_at)
select 'Bulk', n, n, '2025-01-01' from generate_series(1, 1500) as n;
insert into messenger.progress select n, 0.5, null, messenger_now() from generate_series(1, 2500) as n;
insert into messenger_messages (id, type) values (2400, 'A');

create temp table first as select messenger_prune() as answer;
select is((select answer -> 'done' from first), '10000', 'ten thousand');
select is((select answer -> 'next' ->> 'kind' from first), 'failed', 'there are more');
create temp table second as select messenger_prune(after => answer -> 'next') as answer from first;
select is(
  (select answer - array['next', 'matched', 'done', 'capped'] from second),
  '{"failed":2000,"idempotency_keys":1500,"handled":0,"rate_limits":0,"batches":0,"outbox":0,"deliveries":0,"series":0,"progress":2499,"steps":0}',
  'the rest'
);
select is((select answer -> 'next' from second), 'null', 'that was the last step');
select throws_ok(
  $$select messenger_prune(null)$$, 'PT400', 'failed_older_than: has to be from zero to 100 years (was null)', 'no age'
);
select throws_ok(
  $$select messenger_prune(dry_run => null)$$, 'PT400',
  'dry_run: has to be true or false (null was given)', 'neither a dry run nor none'
);

select * from finish();
rollback;
