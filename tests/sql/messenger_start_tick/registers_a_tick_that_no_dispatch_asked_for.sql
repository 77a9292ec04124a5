-- The minute's, or an operator's, whom no dispatch counts on unless it says so.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
delete from messenger_ticks;
create temp table awake as select messenger_start_tick(awake => true) as answer;
select is(
  (select answer from awake),
  jsonb_build_object('id', (select id::text from messenger_ticks), 'proceed', true, 'fleet', 1, 'version', messenger_version()),
  'it has work'
);
select results_eq(
  'select t.started_at > now(), t.heartbeat_at > now(), t.rested_at, t.ended_at from messenger_ticks t',
  'values (true, true, null::timestamptz, null::timestamptz)', 'it runs, and is counted on'
);
create temp table alone as select messenger_start_tick() as answer;
select ok((select (answer -> 'proceed')::boolean from alone), 'another one proceeds beside it');
select isnt(
  (select rested_at from messenger_ticks where id = (select (answer ->> 'id')::bigint from alone)),
  null, 'and is not counted on'
);

select * from finish();
rollback;
