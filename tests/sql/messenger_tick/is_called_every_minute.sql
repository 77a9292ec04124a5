-- By pg_cron, which makes the bus run when nothing else does.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create temp table job as select schedule, command, active from cron.job where jobname = 'symphony-tick';
select results_eq(
  'select schedule, active from job', $$values ('* * * * *', true)$$, 'every minute'
);
-- It commits, which no test of SQL can: tests/integration/backlog.test.ts runs it.
select is(
  (select command from job),
  $$call public.messenger_in_turn('{messenger_tick,messenger_sample_backlog}')$$, 'its command'
);

select * from finish();
rollback;
