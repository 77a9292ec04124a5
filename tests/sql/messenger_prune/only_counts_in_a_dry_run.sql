-- The same numbers, and nothing is gone.
begin;
select plan(3);
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

select * from finish();
rollback;
