begin;
select plan(8);
delete from messenger_queues where true;
delete from cron.job where jobname like 'symphony-%';
delete from vault.secrets where true;

set local role service_role;
select is(
  messenger_setup('https://a.example', 'sb_secret_a') - 'jobs',
  '{"changed":true,"alerts":[],"queues":["default"],"secrets":["symphony_url","symphony_secret_key"],"problems":[]}',
  'the service role makes the rows, the jobs and the secrets'
);
reset role;
select is((select array_agg(name) from messenger_queues), '{default}', 'the queue default');
select is(
  (select array_agg(jobname order by jobname) from cron.job where jobname like 'symphony-%'),
  (select array_agg(job_name order by job_name) from messenger.jobs()), 'all jobs'
);
select is(
  (select array_agg(distinct username) from cron.job where jobname like 'symphony-%'), '{postgres}',
  'which run as the owner of the bus'
);
select is(
  (select array_agg(name || '=' || decrypted_secret order by name) from vault.decrypted_secrets),
  '{symphony_secret_key=sb_secret_a,symphony_url=https://a.example}', 'the secrets'
);
select is(
  messenger_setup('https://a.example', 'sb_secret_a') - array['jobs', 'problems', 'alerts'],
  '{"changed":false,"queues":[],"secrets":[]}', 'a second call changes nothing'
);

delete from vault.secrets where true;
select test.dispatch('Waiting');
select is((select count(*) from messenger_ticks), 0::bigint, 'no tick can be asked for without the secrets');
select messenger_setup('https://a.example', 'sb_secret_a');
select is((select count(*) from messenger_ticks), 1::bigint, 'the setup asks for one where messages wait');

select * from finish();
rollback;
