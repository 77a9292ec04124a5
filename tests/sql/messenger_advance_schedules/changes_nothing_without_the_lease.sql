-- Another token, a lease that moved on, and a schedule that is gone.
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
select is(
  pg_temp.advance(2, '{"occurrences": [{"occurrence": "2026-01-01T12:00:00Z"}]}') -> 'dispatched',
  '0', 'another token'
);
select test.set_clock('2026-01-01 12:01Z');
select messenger_claim_schedules(test.token(2));
select is(
  pg_temp.advance(1, '{"occurrences": [{"occurrence": "2026-01-01T12:00:00Z"}]}'),
  (
    select jsonb_build_object('dispatched', 0, 'skipped', 0, 'stale', jsonb_agg(id::text))
    from messenger_schedules
  ),
  'a lease that has moved on'
);
select is(
  messenger_advance_schedules(test.token(2), '[{"id": 999999, "occurrences": []}]'),
  '{"dispatched": 0, "skipped": 0, "stale": ["999999"]}', 'a schedule that is gone'
);

select * from finish();
rollback;
