-- By pg_cron, which makes the bus run when nothing else does.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create temp table job as select schedule, command, active from cron.job where jobname = 'symphony-tick';
select results_eq(
  'select schedule, active from job', $$values ('* * * * *', true)$$, 'every minute'
);
delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
select lives_ok((select command from job), 'its command runs');

select * from finish();
rollback;
