-- Before a settle call changes anything, in one order.
begin;
select plan(3);

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C');
select test.dispatch('free');
create view pg_temp.held as
  select (classid::bigint << 32) + objid::bigint as key from pg_locks
  where locktype = 'advisory' and pid = pg_backend_pid() and granted;
create temp table before as select key from pg_temp.held;
select is(
  (select (queues, group_keys) from messenger.lock_groups(array(select id from messenger_messages))),
  row('{default,default}'::text[], '{g,h}'::text[]), 'each of the groups once'
);
select set_eq(
  'select key from pg_temp.held except select key from before',
  $$select lock_key from messenger.group_locks('{default,default}', '{g,h}')$$,
  'those of the groups of these messages'
);
select lives_ok($$select messenger.lock_groups(array[-1])$$, 'messages that are gone have none');

select * from finish();
rollback;
