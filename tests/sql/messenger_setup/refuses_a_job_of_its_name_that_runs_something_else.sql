begin;
select plan(4);

update cron.job set command = 'select my_tick()', schedule = '0 0 * * *' where jobname = 'symphony-tick';
select throws_ok(
  'select messenger_setup()', 'PT409',
  'cron job symphony-tick: exists and runs something else (select my_tick())', 'it may be a user''s own'
);
select is(
  (select command from cron.job where jobname = 'symphony-tick'), 'select my_tick()', 'and is not overwritten'
);
select is(messenger_setup(repair => true) -> 'jobs' ->> 'symphony-tick', 'repaired', 'unless a repair is asked for');
select results_eq(
  $$select schedule, command from cron.job where jobname = 'symphony-tick'$$,
  $$values ('* * * * *', 'call public.messenger_in_turn(''{messenger_tick,messenger_sample_backlog}'')')$$, 'which makes it the bus''s again'
);

select * from finish();
rollback;
