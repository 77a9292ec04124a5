begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_schedules (message_type, schedule_type, interval_ms, next_run_at)
  values ('A', 'interval', 60000, '2026-01-02 12:00Z');
insert into messenger_schedule_runs (schedule_id, occurrence, run, outcome)
  select s.id, timestamptz '2026-01-01 12:00Z' + n * interval '1 minute', n, 'handled'
  from messenger_schedules s, generate_series(1, 5) as n;

create function pg_temp.listed(most integer, before timestamptz default null) returns text[] language sql as $$
  select array_agg(r ->> 'run' order by r ->> 'occurrence' desc) from messenger_schedules s, jsonb_array_elements(
    messenger_list_schedule_runs(s.id, most, before) -> 'runs'
  ) as r
$$;
select is(pg_temp.listed(2), array['5', '4'], 'the latest ones');
select is(pg_temp.listed(2, '2026-01-01 12:04Z'), array['3', '2'], 'those before a moment, which is not included');
select is(pg_temp.listed(2, '2026-01-01 12:01Z'), null, 'none before the first');

select * from finish();
rollback;
