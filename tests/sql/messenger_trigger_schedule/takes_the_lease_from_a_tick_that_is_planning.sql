-- Its plan might count a run too many.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at, max_runs)
values (7, 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', 1);
select messenger_claim_schedules(test.token(1));
select messenger_trigger_schedule(7, counted => true);
select messenger_advance_schedules(
  test.token(1), '[{"id": 7, "occurrences": [{"occurrence": "2026-01-01T12:00:00Z"}]}]'
);
select results_eq(
  $$select run_count, enabled, disabled_by, (select count(*)::integer from messenger_messages)
    from messenger_schedules$$,
  $$values (1, false, 'finished', 1)$$, 'one run of one'
);

select * from finish();
rollback;
