-- One kind is pruned, up to a number of rows.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger.idempotency_keys (type, key, message_id, expires_at)
select 'A', n, n, '2025-01-01' from generate_series(1, 5) as n;
select is((messenger.prune_kind('idempotency_keys', '{}', 3, false, null)).number, 3, 'as many as it may');
select is((messenger.prune_kind('idempotency_keys', '{}', 3, true, null)).number, 2, 'a dry run counts the rest');

select * from finish();
rollback;
