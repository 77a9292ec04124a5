begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A', 'B');
select test.dead_letter('A', failed_at => '2026-01-01 11:59Z'),
  test.dead_letter('A', failed_at => '2026-01-01 10:00Z'), test.dead_letter('B');
insert into messenger_schedules (message_type, schedule_type, cron, enabled) values
  ('A', 'cron', '@daily', true), ('A', 'cron', '@daily', false);
create temp table answer as select messenger_stats() as stats;

select is((select stats #> '{queues,0,due,count}' from answer), '2', 'queues');
select is(
  (select stats #> '{dead_letters,last_hour}' from answer), '{"count":2,"capped":false}',
  'the latest dead letters'
);
select is(
  (select stats #> '{dead_letters,groups,0}' from answer),
  '{"type":"A","reason":"exhausted","count":2,"first_at":"2026-01-01T10:00:00+00:00",
    "last_at":"2026-01-01T11:59:00+00:00"}',
  'grouped, the largest group first'
);
select is((select stats -> 'schedules' from answer), '{"enabled":1,"disabled":1}', 'schedules');
select is(
  (select stats #> '{ticks,rates,1,seconds}' from answer), '3600', 'what the ticks of an hour did'
);

select * from finish();
rollback;
