begin;
select plan(4);

update cron.job set schedule = '0 3 * * *', active = false,
  command = $$call messenger_in_steps('messenger_prune', '{"failed_older_than": "1 year"}')$$
where jobname = 'symphony-prune';
update cron.job set schedule = '10 seconds' where jobname = 'symphony-tick';
select is(messenger_setup() -> 'changed', 'false', 'a setup without repair keeps jobs as they are');
select is(
  messenger_setup() -> 'problems', '[{"name":"symphony-prune","problem":"inactive"}]', 'and tells which are off'
);

select is(
  messenger_setup(repair => true) - array['queues', 'secrets', 'alerts'],
  '{"changed":true,"problems":[],"jobs":{"symphony-tick":"kept","symphony-alerts":"kept","symphony-prune":"repaired",
    "symphony-prune-job-runs":"kept","symphony-prune-schedule-runs":"kept","symphony-prune-webhooks":"kept","symphony-prune-actions":"kept",
    "symphony-prune-events":"kept","symphony-tidy-queues":"kept"}}', 'a repair switches them on'
);
select results_eq(
  $$select schedule, command like '%1 year%', active from cron.job where jobname = 'symphony-prune'$$,
  $$values ('0 3 * * *', true, true)$$, 'with their own time and ages'
);

select * from finish();
rollback;
