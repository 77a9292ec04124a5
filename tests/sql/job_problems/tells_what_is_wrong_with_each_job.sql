begin;
select plan(1);

delete from cron.job where jobname = 'symphony-prune';
update cron.job set active = false where jobname = 'symphony-tick';
update cron.job set command = 'select 1' where jobname = 'symphony-prune-actions';
insert into cron.job (jobname, schedule, command, username)
values ('symphony-tidy-queues', '* * * * *', $$call messenger_in_steps('messenger_tidy_queues', '{}')$$, 'supabase_admin');
select is(
  messenger.job_problems(),
  '[{"name":"symphony-prune","problem":"missing"},{"name":"symphony-prune-actions","problem":"other command"},
    {"name":"symphony-tick","problem":"inactive"},{"name":"symphony-tidy-queues","problem":"doubled"}]',
  'a job that is missing, runs something else, is off, or runs twice'
);

select * from finish();
rollback;
