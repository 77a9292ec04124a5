-- A request that is lost and a tick that is killed count for some seconds only.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as
  select state, test.tick(state) as id
  from unnest(array['asked', 'lost', 'awake', 'killed', 'resting', 'ended']) as s (state);
select set_eq(
  'select state from made join messenger.ticks_awake() using (id)',
  array['asked', 'awake'], 'asked for just now, or alive and not at rest'
);

-- The database's clock was set back, or an edit wrote these.
update messenger_ticks set asked_at = asked_at + interval '1 year', heartbeat_at = 'infinity' where true;
select is_empty('select from messenger.ticks_awake()', 'a sign of life from the future is none');

select * from finish();
rollback;
