-- Before a settle call changes anything, in one order.
begin;
select plan(2);

select test.dispatch_to_group('g', 'A', 'B');
select test.dispatch_to_group('h', 'C');
select test.dispatch('free');
create view pg_temp.held as
  select (classid::bigint << 32) + objid::bigint as key from pg_locks
  where locktype = 'advisory' and pid = pg_backend_pid() and granted;
create temp table before as select key from pg_temp.held;
select messenger_lock_groups(array(select id from messenger_messages));
select set_eq(
  'select key from pg_temp.held except select key from before',
  $$values (messenger_group_lock('default', 'g')), (messenger_group_lock('default', 'h'))$$,
  'those of the groups of these messages'
);
select lives_ok($$select messenger_lock_groups(array[-1])$$, 'messages that are gone have none');

select * from finish();
rollback;
