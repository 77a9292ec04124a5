-- Whatever made the tick plan it again.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
values ('A', 'cron', '* * * * *', '2026-01-01 12:00Z');
-- Advances every schedule in the same way.
create function pg_temp.advance(worker integer, more jsonb) returns jsonb language sql as $$
  select messenger_advance_schedules(test.token(worker), (
    select jsonb_agg(jsonb_build_object($_$id$_$, s.id) || more order by s.id)
    from messenger_schedules s
  ))
$$;
select messenger_claim_schedules(test.token(1));
select pg_temp.advance(1, '{"occurrences": [{"occurrence": "2026-01-01T12:00:00Z"}]}');
select messenger_claim_schedules(test.token(2));
select is(
  pg_temp.advance(2, '{"next_run_at": "2026-01-01T12:01:00Z", "occurrences":
    [{"occurrence": "2026-01-01T11:59:00Z"}, {"occurrence": "2026-01-01T12:00:00Z"}]}'),
  '{"dispatched": 1, "skipped": 0, "stale": []}', 'only the other one is made'
);
select is((select count(*)::integer from messenger_messages), 2, 'two messages');
select results_eq(
  $$select run_count, last_run_at, next_run_at from messenger_schedules$$,
  $$values (2, '2026-01-01 12:00Z'::timestamptz, '2026-01-01 12:01Z'::timestamptz)$$,
  'and the schedule continues'
);

select * from finish();
rollback;
