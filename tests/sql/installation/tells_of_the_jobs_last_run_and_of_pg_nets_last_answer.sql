begin;
select plan(9);
delete from cron.job_run_details where true;
delete from messenger.tick_requests where true;

select is(messenger.installation() -> 'last_run', 'null', 'no run yet');
insert into messenger.jobs_set_up (at) values ('2026-01-01 12:00+00');
select is(
  (messenger.installation() ->> 'not_run_since')::timestamptz, '2026-01-01 12:00+00', 'since the jobs were made'
);
select is(messenger.installation() -> 'last_answer', 'null', 'and no answer');
insert into cron.job_run_details (jobid, runid, command, status, return_message, start_time, end_time)
select j.jobid, r.runid, '', r.status, r.message, now() - r.age, now() - r.age
from cron.job j, (values
  (900001, 'succeeded', '1 row', interval '2 minutes'),
  (900002, 'failed', 'Vault has no secret', interval '1 minute'), (900003, 'running', null, interval '0')
) as r (runid, status, message, age)
where j.jobname = 'symphony-tick';
insert into cron.job_run_details (jobid, runid, status, start_time)
values (-1, 900004, 'succeeded', now());
select is(
  (messenger.installation() -> 'last_run') - 'at', '{"status":"failed","message":"Vault has no secret"}',
  'the last run of the job that ended'
);
select is(messenger.installation() -> 'not_run_since', 'null', 'it has run');
insert into messenger.tick_requests values (-5), (-6);
insert into net._http_response (id, status_code, content, timed_out, created) values
  (-5, 202, '{}', false, now() - interval '1 minute'), (-6, 401, 'wrong key', false, now()),
  (-7, 200, 'another''s', false, now());
update messenger.tick_requests set asked_at = asked_at - interval '1 minute' where id = -5;
select is(
  (messenger.installation() -> 'last_answer') - 'at',
  '{"status":401,"timed_out":false,"error":null,"content":"wrong key"}',
  'the last answer of the tick function, and no other''s'
);
update cron.job set schedule = '0 0 29 2 *' where jobname = 'symphony-tick';
select is(messenger.installation() ->> 'cron_schedule', '0 0 29 2 *', 'the job''s schedule');
select messenger.post_tick('{}');
select is((select count(*) from messenger.tick_requests where id > 0), 1::bigint, 'requests are noted');
update vault.secrets set secret = '' where name = 'symphony_secret_key';
select is(messenger.installation() -> 'vault_secrets', 'false', 'an empty secret is none');

select * from finish();
rollback;
