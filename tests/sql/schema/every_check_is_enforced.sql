-- What the tables themselves refuse, whoever writes: an operator in the table editor, too.
begin;
select plan(3);

select is_empty(
  $$select r.relation, c.conname
    from test.relations r join pg_constraint c on c.conrelid = r.oid where not c.convalidated$$,
  'no constraint is left unvalidated'
);
select throws_ok(
  $$insert into messenger_messages (type, status) values ('A', 'processing')$$,
  '23514', null, 'a message that runs has a lease'
);
select throws_ok(
  $$insert into messenger_messages (type, status) values ('A', 'failed')$$,
  '23514', null, 'a status that does not exist'
);

select * from finish();
rollback;
