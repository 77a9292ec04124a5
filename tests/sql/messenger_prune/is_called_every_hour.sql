-- By pg_cron; the age stands in the job's command, where an operator changes it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('young', failed_at => '2025-12-03 12:00Z');
select test.dead_letter('old', failed_at => '2025-12-01 12:00Z');
create temp table job as select schedule, command, active from cron.job where jobname = 'symphony-prune';
select results_eq(
  'select schedule, active from job', $$values ('17 * * * *', true)$$, 'at minute 17'
);
-- It commits after each step, which no test in a transaction can do: it does what its command says.
select is(
  (select command from job),
  $$call public.messenger_in_steps('messenger_prune', '{"failed_older_than": "30 days"}')$$,
  'its command'
);
select messenger.call_operation('messenger_prune', '{"failed_older_than": "30 days"}');
select is(
  array(select type from messenger_failed_messages), array['young'],
  'and prunes what is older than 30 days'
);

select * from finish();
rollback;
