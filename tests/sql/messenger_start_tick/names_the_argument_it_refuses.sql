-- And registers nothing.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  'select messenger_start_tick(budget_ms => -1)',
  'PT400', 'budget_ms: has to be zero or more', 'a budget below zero'
);
select throws_ok(
  'select messenger_start_tick(budget_ms => null)',
  'PT400', 'budget_ms: has to be zero or more', 'no budget'
);
select is_empty('select id from messenger_ticks', 'no tick is registered');

select * from finish();
rollback;
