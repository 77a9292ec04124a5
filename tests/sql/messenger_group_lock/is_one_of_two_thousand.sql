-- A call may remove messages of any number of groups, and Postgres has room for some thousand locks.
begin;
select plan(3);

select lives_ok(
  $$select pg_advisory_xact_lock(messenger_group_lock('default', n::text))
    from generate_series(1, 50000) as n$$,
  'one transaction may take those of 50,000 groups'
);
select is(
  messenger_group_lock('default', 'g'), messenger_group_lock('default', 'g'), 'a group has one lock'
);
select isnt(
  messenger_group_lock('a', 'b'), messenger_group_lock('b', 'a'), 'queue and key have their places'
);

select * from finish();
rollback;
