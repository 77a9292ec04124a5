-- Twice at one moment as well.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at, queue)
values (7, 'A', 'cron', '@daily', '2026-01-02 00:00Z', 'mail');
select messenger_trigger_schedule(7, queue => 'ignored', priority => 3);
select messenger_trigger_schedule(7, counted => true);
select results_eq(
  $$select occurrence, run, triggered from messenger_schedule_runs order by occurrence$$,
  $$values ('2026-01-01 12:00:00.000001Z'::timestamptz, 0, true),
    ('2026-01-01 12:00:00.000002Z', 1, true)$$,
  'the runs'
);
select results_eq(
  $$select queue collate "default", priority, stamps -> 'schedule' ->> 'occurrence'
    from messenger_messages order by id$$,
  $$values ('mail', 3::smallint, '2026-01-01T12:00:00.000001Z'),
    ('mail', 0::smallint, '2026-01-01T12:00:00.000002Z')$$,
  'the messages'
);
select results_eq(
  $$select run_count, next_run_at, last_run_at from messenger_schedules$$,
  $$values (1, '2026-01-02 00:00Z'::timestamptz, null::timestamptz)$$, 'the plan stays'
);
select throws_ok(
  $$select messenger_trigger_schedule(8)$$, 'PT404', 'id: there is no schedule 8', 'an unknown one'
);

select * from finish();
rollback;
