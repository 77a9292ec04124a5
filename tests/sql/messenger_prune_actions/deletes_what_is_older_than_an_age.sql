begin;
select plan(4);
select test.set_clock('2026-06-01 12:00Z');
insert into messenger_actions (at, actor, action, affected) values
  ('2026-01-01Z', 'ada', 'old', 1), ('2026-05-31Z', 'ada', 'new', 1);

select is(messenger_prune_actions() -> 'done', '1', 'one is older than 90 days');
select results_eq('select action from messenger_actions', array['new'], 'the other stays');
select throws_ok(
  $$select messenger_prune_actions(interval '-1 day')$$, 'PT400',
  'older_than: has to be from zero to 100 years (was -1 days)', 'an age of the future'
);
select results_eq(
  $$select schedule from cron.job where jobname = 'symphony-prune-actions' and active$$,
  array['37 * * * *'], 'pg_cron calls it every hour'
);

select * from finish();
rollback;
