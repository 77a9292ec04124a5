-- A check box in the table editor is enough.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (name, message_type, schedule_type, cron, run_at, next_run_at)
values
  ('due', 'A', 'cron', '* * * * *', null, '2026-01-01 12:30Z'),
  ('later', 'A', 'cron', '* * * * *', null, '2026-01-01 15:00Z'),
  ('once', 'A', 'once', null, '2026-01-01 12:30Z', '2026-01-01 12:30Z');
update messenger_schedules set enabled = false where true;
select results_eq(
  $$select distinct disabled_by from messenger_schedules$$, $$values ('pause')$$, 'an update in SQL'
);
select test.set_clock('2026-01-01 13:00Z');
update messenger_schedules set enabled = true where true;
select results_eq(
  $$select name, next_run_at from messenger_schedules order by id$$,
  $$values ('due', null::timestamptz), ('later', '2026-01-01 15:00Z'),
    ('once', '2026-01-01 12:30Z')$$,
  'what was planned meanwhile is dropped, but for a single run'
);
select is((select count(disabled_by)::integer from messenger_schedules), 0, 'and the reason is forgotten');

select * from finish();
rollback;
