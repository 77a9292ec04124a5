-- pg_cron never does: 1,440 a day for the tick alone. Those of other jobs are their owners' matter.
begin;
select plan(2);

insert into cron.job_run_details (jobid, runid, command, status, start_time, end_time)
select j.jobid, -n, case n when 1 then 'old' else 'young' end, 'succeeded', ended, ended
from cron.job j, (values (1, now() - interval '49 hours'), (2, now() - interval '47 hours')) as r (n, ended)
where j.jobname = 'symphony-tick';
insert into cron.job_run_details (jobid, runid, command, status, start_time, end_time)
values (-1, -3, 'another''s', 'succeeded', now() - interval '1 year', now() - interval '1 year');

select is(
  (select command from cron.job where jobname = 'symphony-prune-job-runs'),
  $$call public.messenger_in_steps('messenger_prune_job_runs', '{"older_than": "2 days"}')$$,
  'a job does so'
);
select messenger.call_operation('messenger_prune_job_runs', '{"older_than": "2 days"}');
select is(
  array(select command from cron.job_run_details where runid < 0 order by runid),
  array['another''s', 'young'], 'what ended more than two days ago is gone'
);

select * from finish();
rollback;
