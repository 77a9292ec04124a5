-- A sign of life, with the counts so far.
begin;
select plan(2);

create temp table made as select messenger_start_worker('vm:1', '{heavy}') as id;
update messenger_ticks set heartbeat_at = '2026-01-01';
select messenger_heartbeat_worker((select id from made), '{"handled":3}');
select results_eq(
  $$select heartbeat_at > '2026-01-01'::timestamptz, report ->> 'handled' from messenger_ticks$$,
  $$values (true, '3')$$, 'as of now'
);
select messenger_end_tick((select id from made), null, successor => false);
select messenger_heartbeat_worker((select id from made), '{"handled":4}');
select is((select report from messenger_ticks), null, 'one that has ended stays as it was');

select * from finish();
rollback;
