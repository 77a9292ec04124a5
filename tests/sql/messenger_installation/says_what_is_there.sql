begin;
select plan(4);

select is(
  messenger_installation() - array['last_run', 'last_answer'],
  '{"pg_cron":true,"pg_net":true,"vault":true,"cron_job":true,"vault_secrets":true,"cron_schedule":"* * * * *"}',
  'all of it'
);
update cron.job set active = false where jobname = 'symphony-tick';
select is(messenger_installation() -> 'cron_job', 'false', 'a job that is switched off');
update vault.secrets set name = 'other' where name = 'symphony_url';
select is(messenger_installation() -> 'vault_secrets', 'false', 'a secret that is missing');

set local role service_role;
select is(messenger_installation() -> 'cron_job', 'false', 'the service role may ask');

select * from finish();
rollback;
