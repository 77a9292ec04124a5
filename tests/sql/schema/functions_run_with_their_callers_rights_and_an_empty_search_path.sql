-- Supabase's advisors ask for this, and without it the grants would mean nothing.
begin;
select plan(2);

-- The exceptions read Vault and pg_cron for roles that write a message or ask for the health, and take
-- no arguments; the setup writes the jobs and secrets of the bus, and no others. Alerts and webhooks write secrets
-- of their own. A claim of lanes reads how old the oldest transaction is.
select results_eq(
  $$select function::text from test.functions where prosecdef order by 1$$, 
  array[
    'messenger.applied_migrations()', 'messenger.ask_tick()', 'messenger.drop_webhook_secret(text)',
    'messenger.installation()', 'messenger.keep_alert_secret(text,text,text)',
    'messenger.make_webhook_secret(text)', 'messenger.oldest_write_at()', 'messenger.send_alert_deliveries()',
    'messenger.wake_for_event()', 'messenger_setup(text,text,boolean)', 'messenger_webhook_secrets(text[])'
  ],
  'security invoker'
);
-- A procedure with settings of its own could not commit.
select is_empty(
  $$select function from test.functions
    where prokind <> 'p' and not coalesce('search_path=""' = any (proconfig), false)$$,
  'search_path is empty'
);

select * from finish();
rollback;
