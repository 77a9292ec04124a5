-- The tables themselves refuse these rows, also from an operator in the table editor.
begin;
select plan(5);

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

select is_empty(
  $$select setting
    from unnest(array[
      'max_workers = 0', 'max_workers = 101', 'concurrency = 0', 'group_concurrency = 0',
      'group_concurrency = 1001', 'rate_limit = 0', 'rate_period_ms = 999',
      'rate_period_ms = 86400001', 'weight = 0', 'weight = 1001', 'lease_ms = 99',
      'lease_ms = 86400001', 'runs_on = ''moon''', 'group_concurrency = null', 'weight = null', 'rate_period_ms = null'
    ]) as setting
    where test.succeeds(format('update messenger_queues set %s', setting))$$,
  'no setting of a queue takes a value beyond its bounds'
);
select ok(
  test.succeeds($$update messenger_queues set max_workers = 100, concurrency = 1,
    group_concurrency = 1000, rate_limit = 1, rate_period_ms = 86400000, weight = 1000,
    lease_ms = 100$$),
  'the bounds themselves are fine'
);

select * from finish();
rollback;
