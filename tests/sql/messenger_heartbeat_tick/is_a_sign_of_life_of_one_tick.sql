-- It is counted on again, and no other is.
begin;
select plan(3);
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

select * from finish();
rollback;
