-- A schedule that was typed into the table editor has no next run until a tick has planned it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, enabled) values
  ('later', 'A', 'cron', '* * * * *', '2026-01-01 12:00:00.001Z', true),
  ('now', 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', true),
  ('before', 'A', 'cron', '* * * * *', '2026-01-01 11:00Z', true),
  ('new', 'A', 'cron', '* * * * *', null, true),
  ('paused', 'A', 'cron', '* * * * *', '2026-01-01 11:00Z', false);
create temp table claim as select messenger_claim_schedules(test.token(1), 2) as answer;
insert into claim select messenger_claim_schedules(test.token(2), 100);
select results_eq(
  $$select array(select s ->> 'name' from jsonb_array_elements(answer -> 'schedules') s) from claim$$,
  $$values (array['new', 'before']), (array['now'])$$, 'by next run, each to one claim'
);
select results_eq(
  $$select s -> 'payload', s -> 'lease_token', jsonb_typeof(s -> 'id'), answer ->> 'now'
    from claim, jsonb_array_elements(answer -> 'schedules') s where s ->> 'name' = 'now'$$,
  $$values (null::jsonb, null::jsonb, 'string', '2026-01-01T12:00:00+00:00')$$,
  'without payload and lease, with the clock'
);
select results_eq(
  $$select name, lease_token, leased_until from messenger_schedules where lease_token is not null order by id$$,
  $$values ('now', test.token(2), '2026-01-01 12:00:30Z'::timestamptz),
    ('before', test.token(1), '2026-01-01 12:00:30Z'), ('new', test.token(1), '2026-01-01 12:00:30Z')$$,
  'leased for 30 seconds'
);

select * from finish();
rollback;
