-- A resident worker among the ticks.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as select messenger_start_worker('vm:1', '{heavy}') as id;
select results_eq(
  $$select worker, queues, rested_at is not null, ended_at is null from messenger_ticks$$,
  $$values ('vm:1', '{heavy}'::text[], true, true)$$, 'it has a row with its name and its queues'
);
select is_empty('select id from messenger.ticks_awake()', 'no dispatch counts on it');
select is(messenger_health() ->> 'last_tick_at', null, 'it is no tick');
select messenger_end_tick((select id from made), '{"claimed":1,"handled":1}', successor => false);
select is(messenger.tick_rates(interval '1 hour') ->> 'claimed', '0', 'rates are of ticks');
select throws_ok(
  $$select messenger_start_worker('', '{heavy}')$$, 'PT400',
  'worker: has to be a name of 1 to 200 characters'
);
select throws_ok(
  $$select messenger_start_worker('vm:1', '{}')$$, 'PT400', 'queues: has to name at least one queue'
);

select * from finish();
rollback;
