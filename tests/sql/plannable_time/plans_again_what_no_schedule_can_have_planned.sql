-- Edited in the dashboard, or written while the clock was wrong: no claim would ever find such a time due.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, interval_ms, run_at, start_at, next_run_at)
values
  ('far', 'A', 'interval', 60000, null, null, '200000-01-01'),
  ('edited', 'A', 'interval', 60000, null, null, '2026-01-01 12:01Z'),
  ('put off', 'A', 'interval', 60000, null, null, '2027-01-01'),
  ('starts late', 'A', 'interval', 3155760000000, null, '5000-01-01', '5100-01-01'),
  ('once', 'A', 'once', null, '9000-01-01', null, '9000-01-01');
select results_eq(
  $$select name, next_run_at from messenger_schedules where next_run_at is null order by id$$,
  $$values ('far', null::timestamptz)$$,
  'a row written with such a time is planned; one that is put off, starts late or runs late keeps its time'
);

update messenger_schedules set next_run_at = '3000-01-01' where name = 'edited';
select is(
  (select next_run_at from messenger_schedules where name = 'edited'), null, 'an edit with such a time as well'
);
select results_eq(
  $$select s ->> 'name' from jsonb_array_elements(messenger_claim_schedules(test.token(1)) -> 'schedules') s
    order by 1$$,
  $$values ('edited'), ('far')$$,
  'the next tick finds them'
);

select lives_ok(
  $$update messenger_schedules set start_at = '294276-12-01', next_run_at = '294276-12-31' where name = 'put off'$$,
  'a start at the end of Postgres''s range is no error'
);

select * from finish();
rollback;
