-- Without a report its handlers run on, and no dispatch counts on it.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as select test.tick('awake') as id;
select is(
  messenger_rest_tick((select id from made)), '{"rested":true,"due":false}', 'it rests'
);
select results_eq(
  'select rested_at is not null, ended_at, report from messenger_ticks',
  'values (true, null::timestamptz, null::jsonb)', 'and runs on'
);
select is(
  messenger_rest_tick((select id from made), '{"handled":3}'), '{"rested":true,"due":false}',
  'it is done'
);
select results_eq(
  'select ended_at is not null, report from messenger_ticks',
  $$values (true, '{"handled":3}'::jsonb)$$, 'and over'
);

select * from finish();
rollback;
