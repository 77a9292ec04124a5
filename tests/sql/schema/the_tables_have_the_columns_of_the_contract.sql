-- Operators, exports and other tools rely on these names.
begin;
select plan(3);

select set_has(
  $$select a.attname::text from pg_attribute a where a.attrelid = 'messenger_messages'::regclass$$,
  $$values ('id'), ('type'), ('payload'), ('queue'), ('priority'), ('status'), ('available_at'),
    ('retry_count'), ('attempts'), ('created_at')$$,
  'messenger_messages'
);
select set_has(
  $$select a.attname::text from pg_attribute a where a.attrelid = 'messenger_failed_messages'::regclass$$,
  $$values ('id'), ('type'), ('payload'), ('queue'), ('priority'), ('status'), ('retry_count'),
    ('attempts'), ('created_at'), ('failed_at'), ('error'), ('errors'), ('reason')$$,
  'messenger_failed_messages'
);
select set_has(
  $$select a.attname::text from pg_attribute a where a.attrelid = to_regclass('messenger_schedules')$$,
  $$values ('name'), ('message_type'), ('payload'), ('schedule_type'), ('cron'), ('interval_ms'),
    ('run_at'), ('timezone'), ('next_run_at'), ('last_run_at'), ('run_count'), ('max_runs'),
    ('enabled')$$,
  'messenger_schedules'
);

select * from finish();
rollback;
