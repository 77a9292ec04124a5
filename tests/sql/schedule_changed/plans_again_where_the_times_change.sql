-- The change comes from the table editor. A tick that holds the schedule has to look again.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
values ('A', 'cron', '* * * * *', '2026-01-01 12:00Z');
select messenger_claim_schedules(test.token(1));
select test.set_clock('2026-01-01 12:00:05Z');
update messenger_schedules set payload = '{"n":2}' where true;
select results_eq(
  $$select next_run_at, lease_token, updated_at from messenger_schedules$$,
  $$values ('2026-01-01 12:00Z'::timestamptz, null::uuid, '2026-01-01 12:00:05Z'::timestamptz)$$,
  'the payload: only the lease goes'
);
update messenger_schedules set timezone = 'Europe/London' where true;
select is((select next_run_at from messenger_schedules), null, 'the zone: the next run goes');
update messenger_schedules set cron = '@daily', next_run_at = '2026-02-01 00:00Z' where true;
select is(
  (select next_run_at from messenger_schedules), '2026-02-01 00:00Z'::timestamptz,
  'a next run that is given with them stays'
);
select test.set_clock('2026-01-01 13:00Z');
update messenger_schedules set next_run_at = '2026-01-03 00:00Z' where true;
select is(
  (select updated_at from messenger_schedules), '2026-01-01 12:00:05Z'::timestamptz,
  'the next run alone is no change of the definition'
);

select * from finish();
rollback;
