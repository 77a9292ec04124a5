-- And forgets the oldest of those that are.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron, stamps, enabled, disabled_by)
select n, 'A', 'cron', '@daily', '{"user": {"id": "ada"}}', n <= 2, case when n > 2 then 'finished' end
from generate_series(1, 6) n;
select lives_ok($$select messenger.check_schedule_quota('ada', 1, 3)$$, 'one more');
select throws_ok(
  $$select messenger.check_schedule_quota('ada', 2, 3)$$, 'PT409',
  'schedule: a user may have 3 at a time (there are 2 of yours); delete one first', 'two more'
);
select is(
  array(select id from messenger_schedules order by id), array[1, 2, 4, 5, 6]::bigint[],
  'the latest three that are finished stay'
);

select * from finish();
rollback;
