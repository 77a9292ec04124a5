-- A request that is lost and a tick that is killed count for some seconds only.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as
  select state, test.tick(state) as id
  from unnest(array['asked', 'lost', 'awake', 'killed', 'resting', 'ended']) as s (state);
select set_eq(
  'select state from made join messenger.ticks_awake() using (id)',
  array['asked', 'awake'], 'asked for just now, or alive and not at rest'
);

select * from finish();
rollback;
