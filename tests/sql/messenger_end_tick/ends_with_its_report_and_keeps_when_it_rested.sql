-- Whatever is left to do.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as select test.tick('awake') as awake, test.tick('resting') as resting;
create temp table before as select rested_at from messenger_ticks join made on id = resting;
select messenger_end_tick(awake, '{"handled":3}'), messenger_end_tick(resting) from made;
select results_eq(
  'select rested_at > now(), ended_at > now(), report from messenger_ticks join made on id = awake',
  $$values (true, true, '{"handled":3}'::jsonb)$$, 'one that was counted on'
);
select results_eq(
  'select rested_at, ended_at > now(), report from messenger_ticks join made on id = resting',
  'select rested_at, true, null::jsonb from before', 'one that rested, and broke off'
);

select * from finish();
rollback;
