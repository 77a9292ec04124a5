-- That message counted on it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as select test.tick('awake') as id;
select test.dispatch('A');
select is(
  messenger_rest_tick((select id from made), '{"handled":3}'), '{"rested":false,"due":true}',
  'it looks again'
);
select results_eq(
  'select rested_at, ended_at, report from messenger_ticks',
  'values (null::timestamptz, null::timestamptz, null::jsonb)', 'and is counted on meanwhile'
);
update messenger_queues set paused = true where name = 'default';
select is(
  messenger_rest_tick((select id from made)), '{"rested":true,"due":false}',
  'a paused queue''s message keeps no tick awake'
);

select * from finish();
rollback;
