-- Where the schedule asks for it: one message of it at a time.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, overlap)
values ('skips', 'A', 'cron', '* * * * *', 'skip'), ('allows', 'A', 'cron', '* * * * *', 'allow');
-- Advances every schedule in the same way.
create function pg_temp.advance(worker integer, more jsonb) returns jsonb language sql as $$
  select messenger_advance_schedules(test.token(worker), (
    select jsonb_agg(jsonb_build_object($_$id$_$, s.id) || more order by s.id)
    from messenger_schedules s
  ))
$$;
create function pg_temp.outcomes(schedule text) returns text[] language sql as $$
  select array_agg(r.outcome order by r.occurrence) from messenger_schedule_runs r
  join messenger_schedules s on s.id = r.schedule_id where s.name = schedule
$$;
select messenger_claim_schedules(test.token(1));
select pg_temp.advance(1, '{"occurrences":
  [{"occurrence": "2026-01-01T11:59:00Z"}, {"occurrence": "2026-01-01T12:00:00Z"}]}');
select is(
  pg_temp.outcomes('skips') || pg_temp.outcomes('allows'),
  array['enqueued', 'skipped', 'enqueued', 'enqueued'], 'of several at once the first is made'
);
select messenger_claim_schedules(test.token(2));
select pg_temp.advance(2, '{"occurrences": [{"occurrence": "2026-01-01T12:01:00Z"}]}');
select is(
  pg_temp.outcomes('skips'), array['enqueued', 'skipped', 'skipped'], 'none while it waits'
);
delete from messenger_messages where true;
select messenger_claim_schedules(test.token(3));
select pg_temp.advance(3, '{"occurrences": [{"occurrence": "2026-01-01T12:02:00Z"}]}');
select is(
  pg_temp.outcomes('skips'), array['enqueued', 'skipped', 'skipped', 'enqueued'],
  'and one again once it is gone'
);

delete from messenger_messages where true;
select messenger_claim_schedules(test.token(4));
select pg_temp.advance(4, '{"occurrences": [
  {"occurrence": "2026-01-01T12:03:00Z", "failed": "no such queue"}, {"occurrence": "2026-01-01T12:04:00Z"}]}');
select is(
  (pg_temp.outcomes('skips'))[5:], array['failed', 'enqueued'],
  'one that could not be made is none that the next could overlap'
);

select * from finish();
rollback;
