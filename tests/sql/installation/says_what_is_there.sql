begin;
select plan(8);

select is(
  messenger.installation() - array['last_run', 'not_run_since', 'last_answer', 'url', 'vault_problem'],
  '{"pg_cron":true,"pg_net":true,"vault":true,"cron_job":true,"vault_secrets":true,"cron_schedule":"* * * * *","jobs":[]}',
  'all of it'
);
update cron.job set command = 'select 1' where jobname = 'symphony-tick';
select is(messenger.installation() -> 'cron_job', 'false', 'a job that runs something else');
update cron.job set command = 'SELECT messenger_tick();' where jobname = 'symphony-tick';
select is(messenger.installation() -> 'cron_job', 'true', 'the same in other words');
update cron.job set active = false where jobname = 'symphony-tick';
select is(messenger.installation() -> 'cron_job', 'false', 'a job that is switched off');
select vault.update_secret(id, e'https://a.example\n') from vault.secrets where name = 'symphony_url';
select is(messenger.installation() -> 'vault_secrets', 'false', 'a URL with a line break behind it');
select vault.update_secret(id, 'https://a.example/x') from vault.secrets where name = 'symphony_url';
select is(messenger.installation() -> 'vault_secrets', 'true', 'a URL');
update vault.secrets set name = 'other' where name = 'symphony_url';
select is(messenger.installation() -> 'vault_secrets', 'false', 'a secret that is missing');

set local role service_role;
select is(messenger.installation() -> 'cron_job', 'false', 'the service role may ask');

select * from finish();
rollback;
