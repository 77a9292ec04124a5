-- Messages that only a worker runs, with and without one.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_run_on_workers('{heavy,idle}');
select is(messenger.waiting_for_workers(), '[]', 'no message waits');
select messenger_dispatch('A', queue => 'heavy');
select is(
  messenger_health() #>> '{waiting_for_workers,0,queue}', 'heavy', 'a queue with a due message is named'
);
create temp table made as select messenger_start_worker('vm:1', '{heavy}') as id;
select is(messenger.waiting_for_workers(), '[]', 'but not while a worker serves it');
update messenger_ticks set heartbeat_at = clock_timestamp() - interval '1 minute';
select is(jsonb_array_length(messenger.waiting_for_workers()), 1, 'one that was killed serves nothing');

select * from finish();
rollback;
