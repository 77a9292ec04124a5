-- And clears the next run, so that no tick looks at it again.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules
  (name, message_type, schedule_type, cron, next_run_at, max_runs, run_count)
values
  ('two left', 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', 5, 3),
  ('one left', 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', 5, 4),
  ('no limit', 'A', 'cron', '* * * * *', '2026-01-01 12:00Z', null, 4);
-- Advances every schedule in the same way.
create function pg_temp.advance(worker integer, more jsonb) returns jsonb language sql as $$
  select messenger_advance_schedules(test.token(worker), (
    select jsonb_agg(jsonb_build_object($_$id$_$, s.id) || more order by s.id)
    from messenger_schedules s
  ))
$$;
select messenger_claim_schedules(test.token(1));
select pg_temp.advance(1, '{"next_run_at": "2026-01-01T12:01:00Z",
  "occurrences": [{"occurrence": "2026-01-01T12:00:00Z"}]}');
select results_eq(
  $$select name, run_count, enabled, disabled_by, disabled_reason, next_run_at is null
    from messenger_schedules order by id$$,
  $$values ('two left', 4, true, null, null, false),
    ('one left', 5, false, 'finished', 'max_runs: it has run 5 times', true),
    ('no limit', 5, true, null, null, false)$$,
  'by max_runs'
);
select test.set_clock('2026-01-01 12:01Z');
select messenger_claim_schedules(test.token(2));
select pg_temp.advance(2, '{"disabled_by": "invalid", "disabled_reason": "cron: is wrong"}');
select results_eq(
  $$select enabled, disabled_by, disabled_reason, run_count, next_run_at
    from messenger_schedules where name = 'no limit'$$,
  $$values (false, 'invalid', 'cron: is wrong', 5, null::timestamptz)$$,
  'by what the tick says'
);

select * from finish();
rollback;
