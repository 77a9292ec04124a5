-- The options and the switch in one transaction; only of the user who made it.
begin;
select plan(15);
select test.set_clock('2026-01-01 12:00Z');
select messenger_save_schedules('[
  {"message_type":"A","schedule_type":"interval","interval_ms":60000,"stamps":{"user":{"id":"ann"}}},
  {"message_type":"B","schedule_type":"interval","interval_ms":60000,"stamps":{"user":{"id":"bob"}}}
]');
create temp table s as
  select (select id from messenger_schedules where message_type = 'A') as a,
    (select id from messenger_schedules where message_type = 'B') as b;
grant select on s to public;

create function pg_temp.change(
  change jsonb default null, enabled boolean default null, user_id text default 'ann',
  max_schedules integer default 100, limits jsonb default '[]'
) returns jsonb
language sql
as $$
  select messenger_change_user_schedule(
    change.user_id, s.a, change.change, messenger_show_user_schedule('ann', s.a) ->> 'seen',
    change.enabled, change.limits, change.max_schedules
  ) from s
$$;

create temp table changed as select pg_temp.change('{"payload":{"n":1}}') as schedule;
select is(
  schedule, messenger_show_user_schedule('ann', a) -> 'schedule', 'it returns the schedule as it is now'
) from changed, s;
select is(
  pg_temp.change('{"overlap":"skip"}', false) -> 'payload', '{"n":1}', 'what is not given stays'
);
select results_eq(
  'select overlap, enabled, disabled_by from messenger_schedules, s where id = a',
  $$values ('skip', false, 'pause')$$, 'options and switch at once'
);
select is(pg_temp.change(enabled => true) -> 'enabled', 'true', 'its user resumes their own pause');
select throws_ok(
  $$select pg_temp.change('{"payload":{"n":2}}', user_id => 'bob')$$, 'PT404',
  'id: there is no schedule of yours with this id', 'for another user there is none'
);
select throws_ok(
  $$select messenger_change_user_schedule('ann', b, enabled => false) from s$$, 'PT404',
  'id: there is no schedule of yours with this id', 'nor does a user reach that of another'
);
select is((select messenger_show_user_schedule('ann', b) from s), null, 'or see it');
select throws_ok(
  $$select messenger_change_user_schedule('ann', a, '{"payload":{"n":3}}', 'x') from s$$, 'PT409',
  'schedule: has changed meanwhile; try again', 'a change of what was another schedule then'
);
select throws_ok(
  $$select pg_temp.change('{"overlap":"never"}')$$, 'PT400', 'overlap: has a value that is not allowed (was "never"); it has to be one of ''allow'', ''skip''',
  'a wrong value'
);
select throws_ok(
  $$select pg_temp.change('{"payload":{"n":4}}', limits => test.limit_of(2, 1, '1 hour'))$$, 'PT429',
  'type: too many messages of the type A', 'beyond a rate limit'
);

select messenger_pause_schedule(a) from s;
select throws_ok(
  $$select pg_temp.change('{"payload":{"n":5}}', true)$$, 'PT409',
  'enabled: an operator has stopped the schedule', 'what an operator paused stays paused'
);
select messenger_resume_schedule(a) from s;

update messenger_schedules set enabled = false, disabled_by = 'finished' where message_type = 'A';
select throws_ok(
  $$select pg_temp.change(enabled => true)$$, 'PT409',
  'enabled: the schedule is finished; change its times or maxRuns', 'one that is finished has no run to make'
);
select messenger_save_schedules(
  '[{"message_type":"A","schedule_type":"cron","cron":"@daily","stamps":{"user":{"id":"ann"}}}]'
);
select throws_ok(
  $$select pg_temp.change('{"max_runs":9}', max_schedules => 1)$$, 'PT409',
  'schedule: a user may have 1 at a time (there are 2 of yours); delete one first',
  'one that has runs again counts again'
);
select is(
  pg_temp.change('{"max_runs":9}', max_schedules => 2) -> 'disabled_by', 'null', 'where there is room it runs again'
);
select is(
  (select payload from messenger_schedules, s where id = a), '{"n":1}', 'a refusal has written nothing'
);

select * from finish();
rollback;
