-- An edit, or a clock that was set back, leaves such a lease. The fence sees to it that no occurrence comes twice.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, lease_token, leased_until)
values
  ('endless', 'A', 'cron', '@hourly', messenger_now(), test.token(9), 'infinity'),
  ('far', 'A', 'cron', '@hourly', messenger_now(), null, '2126-01-01Z'),
  ('held', 'A', 'cron', '@hourly', messenger_now(), test.token(9), messenger_now() + interval '24 hours');
select is(messenger_next_schedule_at(), messenger_now(), 'a tick need not wait for them');
select set_eq(
  $$select s ->> 'name' from jsonb_array_elements(messenger_claim_schedules(test.token(1)) -> 'schedules') as s$$,
  array['endless', 'far'], 'a claim takes them, and leaves one that is held'
);
select is(
  messenger_advance_schedules(test.token(9), jsonb_build_array(jsonb_build_object(
    'id', (select s.id::text from messenger_schedules s where s.name = 'endless'), 'next_run_at', null,
    'occurrences', jsonb_build_array(jsonb_build_object('occurrence', messenger_now()))
  ))) ->> 'dispatched', '0', 'the tick that had it before makes no run'
);

select * from finish();
rollback;
