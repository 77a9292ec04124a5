-- A call may remove messages of any number of groups, and Postgres has room for some thousand locks.
begin;
select plan(3);
create function pg_temp.lock_of(queue text, group_key text) returns bigint language sql
as $$ select lock_key from messenger.group_locks(array[queue], array[group_key]) $$;

select lives_ok(
  $$select pg_advisory_xact_lock(l.lock_key)
    from messenger.group_locks(
      array_fill('default'::text, array[50000]), array(select n::text from generate_series(1, 50000) n)
    ) as l$$,
  'one transaction may take those of 50,000 groups'
);
select is(pg_temp.lock_of('default', 'g'), pg_temp.lock_of('default', 'g'), 'a group has one lock');
select isnt(pg_temp.lock_of('a', 'b'), pg_temp.lock_of('b', 'a'), 'queue and key have their places');

select * from finish();
rollback;
