-- An age in the future would empty the table.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A');
select throws_ok(
  $$select messenger_prune(interval '-1 day')$$,
  'PT400', 'failed_older_than: has to be from zero to 100 years (was -1 days)', 'an age below zero'
);
select is((select count(*) from messenger_failed_messages), 1::bigint, 'the dead letter is still there');

select * from finish();
rollback;
