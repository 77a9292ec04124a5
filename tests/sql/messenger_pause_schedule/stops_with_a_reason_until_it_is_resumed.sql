-- And says so where there is no such schedule.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at)
values (7, 'A', 'cron', '@daily', '2026-01-01 11:00Z');
select messenger_pause_schedule(7, 'maintenance');
select results_eq(
  $$select enabled, disabled_by, disabled_reason,
      jsonb_array_length(messenger_claim_schedules(test.token(1)) -> 'schedules')
    from messenger_schedules$$,
  $$values (false, 'pause', 'maintenance', 0)$$, 'paused'
);
select messenger_resume_schedule(7);
select results_eq(
  $$select enabled, disabled_by, disabled_reason, next_run_at from messenger_schedules$$,
  $$values (true, null::text, null::text, null::timestamptz)$$, 'resumed'
);
select throws_ok(
  $$select messenger_pause_schedule(8)$$, 'PT404', 'id: there is no schedule 8', 'pause'
);
select throws_ok(
  $$select messenger_resume_schedule(8)$$, 'PT404', 'id: there is no schedule 8', 'resume'
);

select * from finish();
rollback;
