-- It is counted on again, and no other is.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

create temp table made as select test.tick('killed') as heard, test.tick('killed') as silent;
select messenger_heartbeat_tick(heard) from made;
select set_eq(
  'select id from messenger.ticks_awake()', 'select heard from made', 'the one that was heard of'
);
select results_eq(
  'select heartbeat_at > now() from messenger_ticks where id = (select heard from made)',
  'values (true)', 'as of now'
);
select lives_ok('select messenger_heartbeat_tick(999999999)', 'one unheard of is no error');

update messenger_ticks set rested_at = now(), wakes_at = now() + interval '20 seconds', stalled = true
where id = (select heard from made);
select messenger_heartbeat_tick(heard, awake => true) from made;
select results_eq(
  'select rested_at, wakes_at, stalled from messenger_ticks where id = (select heard from made)',
  'values (null::timestamptz, null::timestamptz, false)', 'one that rested or was stalled is awake again, and nothing else'
);

select * from finish();
rollback;
