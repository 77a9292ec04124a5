begin;
select plan(5);
select is(messenger_transports(), '[]', 'a project without transports has none');
select is(messenger_health() -> 'transports', '[]', 'nor has its health');
select messenger_declare_routing('{"events": true, "eu": false}', '{"ImportRow": "events"}');
select messenger_dispatch('ImportRow');
select messenger_dispatch('ImportRow', delay => '1 hour');
update messenger.relays set failures = 2, failure = 'refused', retry_at = now() where shard = 1;
select results_eq(
  $$select t ->> 'name', (t -> 'declared')::boolean, (t -> 'received')::boolean, (t #> '{waiting,count}')::int, (t #> '{due,count}')::int,
    (t ->> 'failures')::int, t ->> 'failure' from jsonb_array_elements(messenger_health() -> 'transports') as t$$,
  $$values ('eu', true, false, 0, 0, null::int, null), ('events', true, true, 2, 1, 2, 'refused')$$, 'each has its counts and its trouble'
);
select ok((messenger_transports() #>> '{1,oldest_due_at}')::timestamptz <= messenger.clock(), 'and since when something is due');
select messenger_declare_routing('{}', '{}');
select is(messenger_transports() #> '{0,declared}', 'false', 'one that is no longer declared, and has messages, is still shown');
select * from finish();
rollback;
