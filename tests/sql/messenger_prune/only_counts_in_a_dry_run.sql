-- The same numbers, and nothing is gone.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('old', failed_at => '2025-11-01 12:00Z');
select messenger_dispatch('A', idempotency_key => 'expired');
select test.set_clock('2026-01-03 12:00Z');
select results_eq(
  $$select p -> 'failed', p -> 'idempotency_keys' from messenger_prune(dry_run => true) as p$$,
  $$values ('1'::jsonb, '1'::jsonb)$$, 'one of each'
);
select is((select count(*) from messenger_failed_messages), 1::bigint, 'the dead letter is there');
select is((select count(*) from messenger.idempotency_keys), 1::bigint, 'the key as well');

select is(messenger_prune(dry_run => true) -> 'capped', 'false', 'the counts are whole');

insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select 100000 + n, 'A', '{}', 'default', 'exhausted', '2025-11-01 12:00Z', '2025-11-01 12:00Z' from generate_series(1, 10500) as n;
select results_eq(
  $$select p -> 'failed', p -> 'matched', p -> 'capped' from messenger_prune(dry_run => true) as p$$,
  $$values ('10000'::jsonb, '10001'::jsonb, 'true'::jsonb)$$, 'a count that stops at 10,000 says so'
);
insert into messenger.progress (message_id, value, at) select 200000 + n, 1, now() from generate_series(1, 10000) as n;
select is(
  messenger_prune(failed_older_than => '10 years', dry_run => true) -> 'capped', 'true', 'also that of a kind whose rows are read by their ids'
);

select * from finish();
rollback;
